use std::collections::HashSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::room::packing::{LONG_UNITS, OpusPacket};

fn stream(ssrc: u32) -> StreamKey {
    StreamKey { shard: 0, session: 1, ssrc }
}

fn packet(ssrc: u32, index: u64) -> UplinkPosition {
    #[allow(clippy::cast_possible_truncation)]
    let timestamp = (index as u32).wrapping_mul(960).wrapping_add(ssrc);
    UplinkPosition { stream: stream(ssrc), index, timestamp, marker: false, is_late: false }
}

/// A frame of 20 ms.
fn frame(index: u64) -> Vec<u8> {
    [&[31 << 3], format!("frame {index}").as_bytes()].concat()
}

/// What a lane gives out because of a packet: (index, RTP time, payload).
fn take(lane: &mut Lane, now: Instant, position: UplinkPosition, payload: &[u8], packs: bool) -> Vec<(u64, u32, Vec<u8>)> {
    let opus = OpusPacket::parse(payload);
    let said = Said { csrc: position.stream.ssrc, position, level: None, payload, opus: opus.as_ref() };
    let mut given = Vec::new();
    lane.take(now, &said, packs, &mut |index| given.push(index));
    kept(lane, &given)
}

fn flush(lane: &mut Lane) -> Vec<(u64, u32, Vec<u8>)> {
    let mut given = Vec::new();
    lane.flush(&mut |index| given.push(index));
    kept(lane, &given)
}

fn kept(lane: &Lane, given: &[u64]) -> Vec<(u64, u32, Vec<u8>)> {
    let of = |index: &u64| lane.history.get(*index).expect("kept");
    given.iter().map(of).map(|sent| (sent.position.index, sent.position.timestamp, sent.payload(0).to_vec())).collect()
}

/// The numbers of the frames in a payload.
fn numbers(payload: &[u8]) -> Vec<u64> {
    let frames = OpusPacket::parse(payload).expect("Opus");
    let text = |frame: &&[u8]| std::str::from_utf8(frame).expect("text")[6..].parse().expect("a number");
    frames.frames().iter().map(text).collect()
}

/// A lane that packs and what it has given: (its index, the speaker's indices).
struct Packing {
    lane: Lane,
    now: Instant,
    given: Vec<(u64, Vec<u64>)>,
}

impl Packing {
    /// Its turn comes behind frame 502 and every third after that.
    fn new() -> Self {
        Self::with_turn(2)
    }

    fn with_turn(turn: u32) -> Self {
        let now = Instant::now();
        let mut lane = Lane::new(now, Turn(turn));
        lane.follow(Some(1));
        Self { lane, now, given: Vec::new() }
    }

    fn say(&mut self, index: u64, is_late: bool) {
        let given = take(&mut self.lane, self.now, UplinkPosition { is_late, ..packet(1, index) }, &frame(index), true);
        self.note(given);
        self.now += Duration::from_millis(20);
    }

    fn note(&mut self, given: Vec<(u64, u32, Vec<u8>)>) {
        self.given.extend(given.into_iter().map(|(index, _, payload)| (index, numbers(&payload))));
    }
}

#[test]
fn three_frames_are_one_packet_and_the_fourth_begins_another() {
    let mut packing = Packing::new();
    (500..506).for_each(|index| packing.say(index, false));
    assert_eq!(packing.given, [(1, vec![500, 501, 502]), (2, vec![503, 504, 505])]);
}

#[test]
fn lanes_of_different_turns_never_send_at_the_same_frame() {
    let sent_with = |turn: u32, lost: u64| -> Vec<u64> {
        let mut packing = Packing::with_turn(turn);
        (500..515).filter(|index| *index != lost).for_each(|index| packing.say(index, false));
        packing.given.iter().filter_map(|(_, frames)| frames.last().copied()).collect()
    };
    assert_eq!(
        [2, 0, 1].map(|turn| sent_with(turn, 0)),
        [vec![502, 505, 508, 511, 514], vec![500, 503, 506, 509, 512], vec![501, 504, 507, 510, 513]]
    );
    assert_eq!(sent_with(2, 507), [502, 505, 506, 508, 511, 514], "a loss brings no lane out of its turn");
    assert_eq!(sent_with(0, 506), [500, 503, 505, 509, 512]);
}

#[test]
fn turn_comes_once_in_sixty_milliseconds_whatever_packets_last() {
    for turn in (0..TURNS).map(Turn) {
        for units in [120, 240, 480, 960] {
            let comes = (1..=LONG_UNITS / units * 5).filter(|at| turn.comes(100_077 + at * units, units)).count();
            assert_eq!(comes, 5, "{turn:?}, packets of {units}");
        }
    }
}

#[test]
fn lost_frame_ends_a_packet_and_no_index_is_skipped() {
    let mut packing = Packing::new();
    [500, 501, 503, 504].into_iter().for_each(|index| packing.say(index, false));
    assert_eq!(packing.given, [(1, vec![500, 501])]);
    packing.say(502, true);
    assert_eq!(packing.given[1..], [(2, vec![502, 503, 504])], "recovered before its neighbours went");
    packing.say(506, false);
    packing.say(505, true);
    packing.say(507, false);
    assert_eq!(packing.given[2..], [(3, vec![505, 506, 507])]);
    packing.say(510, false);
    packing.say(508, true);
    assert_eq!(packing.given[3..], [(4, vec![508])], "not a neighbour: by itself, before what waits");
    packing.say(508, true);
    packing.say(510, true);
    packing.say(507, true);
    let given = flush(&mut packing.lane);
    packing.note(given);
    packing.say(509, true);
    assert_eq!(packing.given[4..], [(5, vec![510])], "twice is once, and what is too late has no index");
}

#[test]
fn what_waits_is_sent_by_its_time_and_before_another_voice() {
    let mut packing = Packing::new();
    let began = packing.now;
    packing.say(500, false);
    assert_eq!(packing.lane.flush_due(), Some(began + Duration::from_millis(60)));
    packing.lane.follow(Some(2));
    let given = take(&mut packing.lane, packing.now, packet(2, 6), &frame(6), true);
    packing.note(given);
    assert_eq!(packing.given, [(1, vec![500])]);
    packing.lane.forget(1);
    assert!(packing.lane.flush_due().is_some(), "it is another's that waits");
    packing.lane.forget(2);
    assert!(packing.lane.flush_due().is_none() && flush(&mut packing.lane).is_empty());
}

#[test]
fn silence_and_a_talkspurt_end_a_packet() {
    let mut packing = Packing::new();
    packing.say(500, false);
    let given = take(&mut packing.lane, packing.now, packet(1, 501), &[31 << 3], true);
    assert_eq!(given.iter().map(|(index, _, payload)| (*index, payload.len())).collect::<Vec<_>>(), [(1, 10), (2, 1)]);
    packing.say(502, false);
    let marked = |index: u64, timestamp: u32| UplinkPosition { marker: true, timestamp, ..packet(1, index) };
    let begins = packet(1, 503).timestamp + 48_960;
    let given = take(&mut packing.lane, packing.now, marked(503, begins), &frame(503), true);
    packing.note(given);
    assert_eq!(packing.given, [(3, vec![502])]);
    let given = take(&mut packing.lane, packing.now, marked(504, begins + 960), &frame(504), true);
    assert!(given.is_empty(), "a marker behind no silence begins nothing");
    let given = flush(&mut packing.lane);
    assert!(packing.lane.history.get(given[0].0).expect("kept").position.marker);
}

#[test]
fn changing_between_long_and_short_packets_skips_and_repeats_nothing() {
    let mut packing = Packing::new();
    for index in 500..530 {
        let packs = index / 5 % 2 == 0;
        let given = take(&mut packing.lane, packing.now, packet(1, index), &frame(index), packs);
        packing.note(given);
    }
    let (indices, frames): (Vec<u64>, Vec<Vec<u64>>) = packing.given.iter().cloned().unzip();
    assert_eq!(indices, (1..=indices.len() as u64).collect::<Vec<_>>());
    assert_eq!(frames.concat(), (500..530).collect::<Vec<_>>());
    assert_eq!(frames[..5], [vec![500, 501, 502], vec![503, 504], vec![505], vec![506], vec![507]]);
}

#[test]
fn numbers_that_jump_begin_a_talkspurt_in_the_time_of_their_coming() {
    // The first packet comes 60 ms before the second, whatever its RTP time says.
    for (jump, marker, behind) in [(64, false, 65 * 960), (65, true, 60 * 48)] {
        let mut packing = Packing::new();
        packing.say(500, false);
        flush(&mut packing.lane);
        packing.now += Duration::from_millis(40);
        packing.say(501 + jump, false);
        flush(&mut packing.lane);
        let [first, second] = [1, 2].map(|index| packing.lane.history.get(index).expect("kept").position);
        assert_eq!((second.marker, second.timestamp.wrapping_sub(first.timestamp)), (marker, behind), "{jump} left out");
    }
}

#[test]
fn packed_level_is_the_loudest_with_voice_if_any_has_it() {
    let mut packing = Packing::new();
    for (index, level) in [(500, Some(0x80 | 40)), (501, None), (502, Some(25))] {
        let (position, payload) = (packet(1, index), frame(index));
        let opus = OpusPacket::parse(&payload);
        packing.lane.take(packing.now, &Said { csrc: 1, position, level, payload: &payload, opus: opus.as_ref() }, true, &mut |_| {});
    }
    assert_eq!(packing.lane.history.get(1).expect("kept").level, Some(0x80 | 25));
}

fn place(lane: &mut Lane, now: Instant, ssrc: u32, index: u64) -> Option<(u64, bool)> {
    lane.follow(Some(ssrc));
    lane.place(now, packet(ssrc, index)).map(|position| (position.index, position.marker))
}

#[test]
fn switching_speakers_leaves_no_gap_and_begins_a_talkspurt() {
    let now = Instant::now();
    let mut lane = Lane::new(now, Turn::default());
    assert_eq!(place(&mut lane, now, 1, 500), Some((1, true)));
    assert_eq!(place(&mut lane, now, 1, 501), Some((2, false)));
    assert_eq!(place(&mut lane, now, 2, 90_000), Some((3, true)));
    assert_eq!(place(&mut lane, now, 1, 600), Some((4, true)));
}

#[test]
fn losses_of_the_uplink_show_and_late_packets_fill_them() {
    let now = Instant::now();
    let mut lane = Lane::new(now, Turn::default());
    assert_eq!(place(&mut lane, now, 1, 500), Some((1, true)));
    assert_eq!(place(&mut lane, now, 1, 503), Some((4, false)));
    assert_eq!(place(&mut lane, now, 1, 501), Some((2, false)));
}

#[test]
fn numbers_left_out_are_few_and_more_only_with_time() {
    let start = Instant::now();
    let mut lane = Lane::new(start, Turn::default());
    let mut tap = Tap::new(1, 0, 0);
    tap.join(&lane, start);
    assert_eq!(place(&mut lane, start, 1, 500), Some((1, true)));
    assert_eq!(place(&mut lane, start, 1, 565), Some((66, false)), "64 are missing");
    assert_eq!(tap.newly_skipped(&lane), 64);
    assert_eq!(place(&mut lane, start, 1, 567), Some((67, true)), "one more is too many: renumbered");
    let [sooner, later] = [19, 20].map(|ms| start + Duration::from_millis(ms));
    assert_eq!(place(&mut lane, sooner, 1, 569), Some((68, true)), "none has come back");
    assert_eq!(place(&mut lane, later, 1, 571), Some((70, false)), "one has come back");
    assert_eq!(place(&mut lane, later, 1, 570), Some((69, false)), "late");
    assert_eq!(tap.newly_skipped(&lane), 0);
    let mut at = later;
    for step in 1..=500 {
        at += Duration::from_millis(20);
        lane.follow(Some(1));
        assert!(lane.place(at, packet(1, 571 + 999 * step)).is_some());
    }
    assert_eq!(tap.newly_skipped(&lane), 0, "one who jumps with every packet leaves out nothing");
}

#[test]
fn packets_from_before_the_switch_are_dropped() {
    let now = Instant::now();
    let mut lane = Lane::new(now, Turn::default());
    assert_eq!(place(&mut lane, now, 1, 500), Some((1, true)));
    assert_eq!(place(&mut lane, now, 1, 499), None);
}

#[test]
fn timestamps_count_the_time_between_speakers() {
    let start = Instant::now();
    let mut lane = Lane::new(start, Turn::default());
    lane.follow(Some(1));
    let first = lane.place(start, packet(1, 500)).expect("first").timestamp;
    lane.follow(Some(2));
    let second = lane.place(start + Duration::from_millis(300), packet(2, 7)).expect("second").timestamp;
    assert_eq!(second.wrapping_sub(first), 14_400);
    lane.follow(Some(1));
    let third = lane.place(start + Duration::from_millis(301), packet(1, 800)).expect("third").timestamp;
    assert_eq!(third.wrapping_sub(second), FRAME_UNITS, "at least a frame");
}

/// The invariant that SRTP rests on, through everything that can happen to a listener and its lanes.
#[test]
fn a_listener_never_gets_an_index_twice() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let start = Instant::now();
        let mut lanes: Vec<Lane> = (0..3).map(|_| Lane::new(start, Turn::default())).collect();
        let mut tap = Tap::new(1, random.random_range(0..1 << 15), 0);
        let mut at_lane = 0;
        tap.join(&lanes[0], start);
        let mut uplinks = [10_u64, 60_000, 70_000];
        let mut received = HashSet::new();
        let mut packs = [false, true, seed % 2 == 0];
        let (mut given, mut highest) = (HashSet::new(), 0);
        for step in 0..2_000_u64 {
            let now = start + Duration::from_millis(step * 7);
            match random.random_range(0..20) {
                0 => {
                    tap.leave(&lanes[at_lane], now);
                    at_lane = random.random_range(0..3);
                    tap.join(&lanes[at_lane], now);
                }
                1 => lanes[random.random_range(0..3)].follow(Some(random.random_range(0..3))),
                2 => lanes[random.random_range(0..3)].follow(None),
                4 => packs[random.random_range(0..3)] ^= true,
                5 => lanes[random.random_range(0..3)].forget(random.random_range(0..3)),
                3 => uplinks[random.random_range(0..3)] += random.random_range(0..40_000),
                _ => {}
            }
            let speaker = random.random_range(0..3_usize);
            uplinks[speaker] += 1;
            let index = uplinks[speaker] - if random.random_range(0..3) == 0 { random.random_range(0..8) } else { 0 }; // some late
            #[allow(clippy::cast_possible_truncation)]
            let ssrc = speaker as u32;
            if !received.insert((ssrc, index)) {
                continue; // the replay window lets none through twice
            }
            let flushes = random.random_range(0..10) == 0;
            for (at, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.speaker() == Some(ssrc)) {
                let position = UplinkPosition { is_late: index < uplinks[speaker], ..packet(ssrc, index) };
                let out = take(lane, now, position, &frame(index), packs[at]);
                for (index, timestamp, _) in out.into_iter().chain(if flushes { flush(lane) } else { vec![] }).filter(|_| at == at_lane) {
                    let Some((index, _)) = tap.place(LanePosition { index, timestamp, marker: false }) else {
                        continue;
                    };
                    assert!(given.insert(index), "seed {seed}, step {step}: {index} twice");
                    assert!(index <= highest + 1 + u64::from(MISSING.burst) || highest == 0, "seed {seed}: no listener loses its way");
                    highest = highest.max(index);
                }
            }
        }
        assert!(given.len() > 50, "seed {seed}: {}", given.len());
    }
}
