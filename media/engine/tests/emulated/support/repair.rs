//! What a peer does about loss, written apart from the engine: redundant audio data, requests, reports, repetitions.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// A listener's side: notices gaps, asks for what is missing, reports what is lost.
#[derive(Default)]
pub struct Receiver {
    streams: BTreeMap<u32, Stream>,
    /// Packets asked for, each time counted.
    pub asked: usize,
    next_report: Option<Instant>,
}

#[derive(Default)]
struct Stream {
    first: u64,
    highest: u64,
    received: u64,
    reported: (u64, u64),
    /// Of the engine's last report: the middle of its NTP time, and when it came.
    told: Option<(u32, Instant)>,
    /// (when to ask next, times asked)
    missing: BTreeMap<u64, (Instant, u32)>,
}

/// Between two requests for the same packet, and between reports.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(75);
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
const MAX_ASKED: u32 = 3;
const OUR_SSRC: [u8; 4] = [0, 0, 0, 1];

impl Receiver {
    pub fn on_packet(&mut self, now: Instant, ssrc: u32, index: u64, nack: bool) {
        self.next_report.get_or_insert(now + REPORT_INTERVAL);
        let stream = self.streams.entry(ssrc).or_insert_with(|| Stream { first: index, highest: index, ..Stream::default() });
        stream.received += 1;
        stream.missing.remove(&index);
        if nack {
            stream.missing.extend((stream.highest + 1..index).map(|missing| (missing, (now, 0))));
        }
        stream.highest = stream.highest.max(index);
    }

    /// Take the engine's report on a stream that has come.
    pub fn on_rtcp(&mut self, now: Instant, compound: &[u8]) {
        let word = |at: usize| u32::from_be_bytes(compound[at..at + 4].try_into().unwrap());
        if compound[1] == 200
            && let Some(stream) = self.streams.get_mut(&word(4))
        {
            stream.told = Some((word(10), now));
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        let asks = self.streams.values().flat_map(|stream| stream.missing.values()).filter(|(_, asked)| *asked < MAX_ASKED);
        asks.map(|(at, _)| *at).chain(self.next_report).min()
    }

    /// RTCP packets to be sent now.
    pub fn take_due(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for (ssrc, stream) in &mut self.streams {
            stream.missing.retain(|_, (_, asked)| *asked < MAX_ASKED);
            let due: Vec<u64> = stream.missing.iter().filter(|(_, (at, _))| *at <= now).map(|(index, _)| *index).collect();
            for index in &due {
                stream.missing.insert(*index, (now + ASK_AGAIN_AFTER, stream.missing[index].1 + 1));
            }
            if !due.is_empty() {
                self.asked += due.len();
                packets.push(request(*ssrc, &due));
            }
        }
        if self.next_report.is_some_and(|at| at <= now) {
            self.next_report = Some(now + REPORT_INTERVAL);
            packets.extend(self.streams.iter_mut().map(|(ssrc, stream)| stream.report(now, *ssrc)));
        }
        packets
    }
}

impl Stream {
    fn report(&mut self, now: Instant, ssrc: u32) -> Vec<u8> {
        let expected = self.highest - self.first + 1;
        let (expected_since, received_since) = (expected - self.reported.0, self.received - self.reported.1);
        self.reported = (expected, self.received);
        let lost = expected_since.saturating_sub(received_since);
        let fraction = u8::try_from((lost * 256).checked_div(expected_since).unwrap_or(0).min(255)).unwrap();
        let mut report = [&[0x81, 201, 0, 7][..], &OUR_SSRC, &ssrc.to_be_bytes(), &[fraction, 0, 0, 0]].concat();
        report.extend_from_slice(&u32::try_from(self.highest).unwrap().to_be_bytes());
        report.extend_from_slice(&[0; 4]);
        let (told, ago) = self.told.map_or((0, Duration::ZERO), |(told, at)| (told, now - at));
        report.extend_from_slice(&told.to_be_bytes());
        report.extend_from_slice(&u32::try_from(ago.as_nanos() * 65_536 / 1_000_000_000).unwrap().to_be_bytes());
        report
    }
}

/// One entry for each packet, which is allowed if not thrifty.
pub fn request(ssrc: u32, missing: &[u64]) -> Vec<u8> {
    let words = u8::try_from(2 + missing.len()).unwrap();
    let mut packet = [&[0x81, 205, 0, words][..], &OUR_SSRC, &ssrc.to_be_bytes()].concat();
    for index in missing {
        packet.extend_from_slice(&index.to_be_bytes()[6..]);
        packet.extend_from_slice(&[0, 0]);
    }
    packet
}

/// A speaker's side: what was sent, to be sent again or copied.
#[derive(Default)]
pub struct Sender {
    /// (RTP time, frame), oldest first.
    pub frames: VecDeque<(u32, Vec<u8>)>,
    packets: VecDeque<(u64, Vec<u8>)>,
    /// Sequence numbers asked for, each time counted.
    pub asked_for: Vec<u16>,
}

impl Sender {
    pub fn keep(&mut self, index: u64, packet: &[u8]) {
        self.packets.push_back((index, packet.to_vec()));
        if self.packets.len() > 64 {
            self.packets.pop_front();
        }
    }

    /// The packets that a decrypted compound packet asks for.
    pub fn asked_again(&mut self, compound: &[u8]) -> Vec<Vec<u8>> {
        let mut again = Vec::new();
        for sequence in requested(compound) {
            self.asked_for.push(sequence);
            again.extend(self.packets.iter().find(|(index, _)| *index as u16 == sequence).map(|(_, packet)| packet.clone()));
        }
        again
    }
}

/// Sequence numbers that the NACKs of a compound packet name.
pub fn requested(compound: &[u8]) -> Vec<u16> {
    let mut sequences = Vec::new();
    let mut rest = compound;
    while rest.len() >= 4 {
        let len = 4 + 4 * usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if rest[..2] == [0x81, 205] {
            for entry in rest[12..len].chunks(4) {
                let (first, bits) = (u16::from_be_bytes([entry[0], entry[1]]), u16::from_be_bytes([entry[2], entry[3]]));
                sequences.push(first);
                sequences.extend((0..16).filter(|bit| bits >> bit & 1 == 1).map(|bit| first.wrapping_add(bit + 1)));
            }
        }
        rest = &rest[len..];
    }
    sequences
}

/// A payload with up to `count` copies of the newest of `earlier`.
pub fn write_red(earlier: &VecDeque<(u32, Vec<u8>)>, timestamp: u32, count: usize, frame: &[u8]) -> Vec<u8> {
    let copies: Vec<&(u32, Vec<u8>)> = earlier.iter().skip(earlier.len().saturating_sub(count)).collect();
    let mut payload = Vec::new();
    for (at, copy) in &copies {
        let offset = timestamp.wrapping_sub(*at);
        let len = u32::try_from(copy.len()).unwrap();
        payload.extend_from_slice(&(1 << 31 | 111 << 24 | offset << 10 | len).to_be_bytes());
    }
    payload.push(111);
    copies.iter().for_each(|(_, copy)| payload.extend_from_slice(copy));
    payload.extend_from_slice(frame);
    payload
}

/// (newest frame, (offset, frame) of the copies, newest first)
pub fn read_red(payload: &[u8]) -> (Vec<u8>, Vec<(u32, Vec<u8>)>) {
    let mut headers = Vec::new();
    let mut rest = payload;
    while rest[0] & 0x80 != 0 {
        let word = u32::from_be_bytes(rest[..4].try_into().unwrap());
        assert_eq!(word >> 24 & 0x7f, 111, "Opus as this peer calls it");
        headers.push((word >> 10 & 0x3fff, (word & 0x3ff) as usize));
        rest = &rest[4..];
    }
    assert_eq!(rest[0], 111);
    rest = &rest[1..];
    let mut copies = Vec::new();
    for (offset, len) in headers {
        let (copy, after) = rest.split_at(len);
        copies.push((offset, copy.to_vec()));
        rest = after;
    }
    copies.reverse();
    (rest.to_vec(), copies)
}
