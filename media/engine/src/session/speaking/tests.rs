use super::*;
use crate::rtp::red::write_redundant;

const OPUS: u8 = 109;
const RED: u8 = 63;
const FORMATS: Formats = Formats { opus: OPUS, red: Some(RED), nack: true };

struct Speaker {
    speaking: Speaking,
    now: Instant,
}

fn time_of(index: u64) -> u32 {
    // Wraps soon after the stream's beginning.
    0xffff_f000_u32.wrapping_add(u32::try_from(index).expect("small") * 960)
}

fn frame(index: u64) -> Vec<u8> {
    format!("frame {index}").into_bytes()
}

/// A decrypted packet.
fn packet(index: u64, payload_type: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend_from_slice(&index.to_be_bytes()[6..]);
    packet.extend_from_slice(&time_of(index).to_be_bytes());
    packet.extend_from_slice(&7_u32.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// With copies of the `count` frames before.
fn redundant(index: u64, count: u64) -> Vec<u8> {
    let copies: Vec<(u32, Vec<u8>)> =
        (1..=count).rev().map(|behind| (u32::try_from(behind * 960).expect("small"), frame(index - behind))).collect();
    let copies: Vec<(u32, &[u8])> = copies.iter().map(|(offset, copy)| (*offset, &copy[..])).collect();
    let mut payload = Vec::new();
    write_redundant(OPUS, &copies, &frame(index), &mut payload);
    packet(index, RED, &payload)
}

impl Speaker {
    fn new() -> Self {
        let now = Instant::now();
        Self { speaking: Speaking::new(now, FORMATS, None, 9), now }
    }

    /// Frames that come out, (index, content): the recovered ones, then the newest. None if the packet is refused.
    fn sends(&mut self, index: u64, packet: &[u8]) -> Option<Vec<(u64, Vec<u8>)>> {
        let header = RtpHeader::parse(packet).expect("well formed");
        let uplink = self.speaking.accept(self.now, &header, index, packet)?;
        assert_eq!(uplink.newest.index, index);
        let frames = uplink.recovered.iter().chain([&uplink.newest]);
        Some(
            frames
                .map(|frame| {
                    assert_eq!(frame.timestamp, time_of(frame.index));
                    (frame.index, packet[frame.bytes.clone()].to_vec())
                })
                .collect(),
        )
    }
}

fn frames(indices: impl IntoIterator<Item = u64>) -> Option<Vec<(u64, Vec<u8>)>> {
    Some(indices.into_iter().map(|index| (index, frame(index))).collect())
}

#[test]
fn redundancy_ends_here_and_only_the_newest_frame_goes_on() {
    let mut speaker = Speaker::new();
    for index in 10..20 {
        assert_eq!(speaker.sends(index, &redundant(index, 2)), frames([index]));
    }
}

#[test]
fn lost_frames_are_recovered_in_their_order_and_places() {
    let mut speaker = Speaker::new();
    speaker.sends(10, &redundant(10, 2));
    assert_eq!(speaker.sends(13, &redundant(13, 2)), frames([11, 12, 13]));
    assert_eq!(speaker.sends(17, &redundant(17, 2)), frames([15, 16, 17]), "three lost, two copied");
    assert_eq!(speaker.sends(15, &redundant(15, 2)), None, "the packet comes after its copy");
    assert_eq!(speaker.sends(14, &redundant(14, 2)), frames([14]), "nobody had that one yet");
}

#[test]
fn late_packet_with_copies_fills_what_is_still_missing() {
    let mut speaker = Speaker::new();
    speaker.sends(10, &redundant(10, 0));
    speaker.sends(14, &redundant(14, 0));
    assert_eq!(speaker.sends(13, &redundant(13, 2)), frames([11, 12, 13]));
}

#[test]
fn opus_alone_and_redundant_packets_may_alternate() {
    let mut speaker = Speaker::new();
    assert_eq!(speaker.sends(10, &packet(10, OPUS, &frame(10))), frames([10]));
    assert_eq!(speaker.sends(12, &redundant(12, 1)), frames([11, 12]));
    assert_eq!(speaker.sends(13, &packet(13, OPUS, &frame(13))), frames([13]));
}

#[test]
fn frames_from_before_the_stream_are_not_brought_back() {
    let mut speaker = Speaker::new();
    assert_eq!(speaker.sends(10, &redundant(10, 2)), frames([10]));
}

#[test]
fn copies_with_times_that_cannot_be_theirs_are_not_taken() {
    // Counting back from 13, the newer copy is frame 12 and the older one 11: both lie between 10 and 13, in their order.
    for (older, newer, recovered) in
        [(1_920, 960, 2), (1_920, 1_920, 1), (960, 1_920, 1), (3_000, 960, 1), (2_881, 2_879, 1), (960, 2_880, 0)]
    {
        let mut speaker = Speaker::new();
        speaker.sends(10, &redundant(10, 2));
        let mut payload = Vec::new();
        write_redundant(OPUS, &[(older, b"older"), (newer, b"newer")], b"frame 13", &mut payload);
        let sent = packet(13, RED, &payload);
        let header = RtpHeader::parse(&sent).expect("well formed");
        let uplink = speaker.speaking.accept(speaker.now, &header, 13, &sent).expect("taken");
        assert_eq!(uplink.recovered.len(), recovered, "{older}, {newer}");
    }
}

#[test]
fn empty_copies_and_other_codecs_are_left_out() {
    let mut speaker = Speaker::new();
    speaker.sends(10, &redundant(10, 0));
    let header = |payload_type: u8, offset: u32, len: u32| (u32::from(0x80 | payload_type) << 24 | offset << 10 | len).to_be_bytes();
    let payload = [&header(OPUS, 2_880, 3)[..], &header(0, 1_920, 3), &header(OPUS, 960, 0), &[OPUS], b"opuxyz", b"frame 14"].concat();
    let sent = packet(14, RED, &payload);
    let header = RtpHeader::parse(&sent).expect("well formed");
    let uplink = speaker.speaking.accept(speaker.now, &header, 14, &sent).expect("taken");
    assert_eq!(uplink.recovered.len(), 1);
    assert_eq!((uplink.recovered[0].index, &sent[uplink.recovered[0].bytes.clone()]), (11, &b"opu"[..]));
}

#[test]
fn what_was_not_agreed_on_is_refused() {
    let mut speaker = Speaker::new();
    assert_eq!(speaker.sends(10, &packet(10, 0, b"PCMU")), None);
    assert_eq!(speaker.sends(11, &packet(11, RED, &[0x80 | OPUS, 0, 0])), None, "cut short");
    assert_eq!(speaker.sends(12, &packet(12, RED, &[0, 1, 2, 3])), None, "redundant data of another codec");
    speaker.speaking.formats.red = None;
    assert_eq!(speaker.sends(13, &redundant(13, 1)), None);
    assert_eq!(speaker.sends(14, &packet(14, OPUS, &[0; MAX_FRAME_LEN + 1])), None, "too long");
    assert_eq!(speaker.sends(15, &packet(15, OPUS, &[0; MAX_FRAME_LEN])).map(|frames| frames.len()), Some(1));
}

#[test]
fn nothing_is_asked_for_without_agreement() {
    let mut speaker = Speaker::new();
    speaker.sends(10, &redundant(10, 0));
    speaker.sends(12, &redundant(12, 0));
    assert_eq!(speaker.speaking.deadline(), Some(speaker.now));
    speaker.speaking.formats.nack = false;
    assert_eq!(speaker.speaking.deadline(), None);
}

#[test]
fn frames_from_copies_count_as_packets() {
    let mut speaker = Speaker::new();
    // Each packet skips nine and brings copies of them: ten times the frames that a flood of packets would bring.
    let passed = |speaker: &mut Speaker, packets: std::ops::Range<u64>| -> usize {
        packets.filter_map(|number| speaker.sends(10 * number, &redundant(10 * number, 9))).map(|frames| frames.len()).sum()
    };
    assert_eq!(passed(&mut speaker, 1..101), 100, "a burst of 100");
    speaker.now += Duration::from_secs(1);
    assert_eq!(passed(&mut speaker, 101..201), 75);
}

#[test]
fn copies_of_what_came_count_for_nothing() {
    let mut speaker = Speaker::new();
    for (index, depth) in [(10, 0), (11, 1), (14, 0), (12, 0), (13, 3)] {
        assert!(speaker.sends(index, &redundant(index, depth)).is_some_and(|frames| frames.len() == 1), "{index}");
    }
    assert_eq!(speaker.speaking.bucket.available(speaker.now), 100 - 5);
}
