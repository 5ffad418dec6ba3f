//! The last packets of a lane as they were sent: the one source of a packet's content, at first and whenever it is asked for again.
//!
//! A packet's content is fixed when it gets its place, for every depth of redundancy, and is the same for all listeners but for their
//! own payload types, SSRC and distance. So a repetition is byte for byte what was sent before, which SRTP's secrecy asks for, and a
//! listener costs no copy.

use super::lane::LanePosition;
use crate::rtp::red;

/// Packets kept, 1.3 s at 20 ms: more than any player waits. A power of two, so that an index finds its place by its low bits.
pub(crate) const KEPT: u64 = 64;
/// Copies of earlier frames a packet can carry.
pub(crate) const MAX_DEPTH: usize = 2;
/// Longest payload with copies: with our header and the tag it makes 1,200 bytes, which pass every path that IPv6 does.
const MAX_REDUNDANT_LEN: usize = 1_200 - 24 - 16;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By the low bits of the index; empty until the lane's first packet.
    places: Vec<Sent>,
}

/// One packet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    /// Indices begin with 1: zero is a place not yet used.
    pub position: LanePosition,
    pub csrc: u32,
    /// RFC 6464's byte.
    pub level: Option<u8>,
    /// The frame; then the same with one copy, then with two, where there is something to copy. Block types are left zero.
    bytes: Vec<u8>,
    ends: [usize; MAX_DEPTH + 1],
}

/// A packet's payload for one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payload<'a> {
    bytes: &'a [u8],
    /// 0: a lone frame, not redundant audio data.
    pub copies: usize,
}

impl History {
    /// A packet that is still kept.
    pub(crate) fn get(&self, index: u64) -> Option<&Sent> {
        self.places.get(place_of(index)).filter(|sent| sent.position.index == index && index != 0)
    }

    /// Keep a packet's content, composed with copies of those before it. The lane has not given its index before.
    pub(crate) fn keep(&mut self, position: LanePosition, csrc: u32, level: Option<u8>, frame: &[u8]) {
        debug_assert!(self.get(position.index).is_none(), "an index is given once");
        if self.places.is_empty() {
            self.places.resize_with(usize::try_from(KEPT).unwrap_or_default(), Sent::default);
        }
        let at = place_of(position.index);
        let mut sent = std::mem::take(&mut self.places[at]);
        sent.bytes.clear();
        sent.bytes.extend_from_slice(frame);
        (sent.position, sent.csrc, sent.level) = (position, csrc, level);
        sent.ends = [frame.len(); MAX_DEPTH + 1];
        for depth in 1..=MAX_DEPTH {
            self.compose(depth, frame, &mut sent);
            sent.ends[depth] = sent.bytes.len();
        }
        self.places[at] = sent;
    }

    /// Append the payload with `depth` copies, unless some frame is missing, too old or too long.
    fn compose(&self, depth: usize, frame: &[u8], sent: &mut Sent) {
        let mut copies: [(u32, &[u8]); MAX_DEPTH] = Default::default();
        for (copy, behind) in copies[..depth].iter_mut().rev().zip(1..) {
            let Some(earlier) = sent.position.index.checked_sub(behind).and_then(|index| self.get(index)) else {
                return;
            };
            let offset = sent.position.timestamp.wrapping_sub(earlier.position.timestamp);
            if earlier.csrc != sent.csrc || !red::can_copy(offset, earlier.frame()) {
                return; // Another voice, a silence between them, or a frame that fits in no block.
            }
            *copy = (offset, earlier.frame());
        }
        let copies = &copies[..depth];
        if red::redundant_len(copies.iter().map(|(_, copy)| *copy), frame) <= MAX_REDUNDANT_LEN {
            red::write_redundant(0, copies, frame, &mut sent.bytes);
        }
    }
}

fn place_of(index: u64) -> usize {
    usize::try_from(index % KEPT).unwrap_or_default()
}

impl Sent {
    fn frame(&self) -> &[u8] {
        &self.bytes[..self.ends[0]]
    }

    /// The payload with `depth` copies, or as many as there are.
    pub(crate) fn payload(&self, depth: usize) -> Payload<'_> {
        (1..=depth.min(MAX_DEPTH))
            .rev()
            .map(|copies| Payload { bytes: &self.bytes[self.ends[copies - 1]..self.ends[copies]], copies })
            .find(|payload| !payload.bytes.is_empty())
            .unwrap_or(Payload { bytes: self.frame(), copies: 0 })
    }
}

impl Payload<'_> {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[cfg(test)]
    pub(crate) fn to_vec(self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    /// Append it, its blocks named by the listener's own payload type for Opus.
    pub(crate) fn write(&self, opus: u8, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        buffer.extend_from_slice(self.bytes);
        if self.copies > 0 {
            red::name_blocks(&mut buffer[start..], self.copies, opus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::red::Redundant;

    fn position(index: u64) -> LanePosition {
        LanePosition { index, timestamp: 0xffff_fc00_u32.wrapping_add(u32::try_from(index).expect("small") * 960), marker: false }
    }

    fn frame(index: u64) -> Vec<u8> {
        format!("frame {index}").into_bytes()
    }

    fn with(indices: impl IntoIterator<Item = u64>) -> History {
        let mut history = History::default();
        for index in indices {
            history.keep(position(index), 7, Some(30), &frame(index));
        }
        history
    }

    /// (copies with their offsets, newest first; the frame)
    fn read(history: &History, index: u64, depth: usize) -> (Vec<(u32, Vec<u8>)>, Vec<u8>) {
        let payload = history.get(index).expect("kept").payload(depth);
        let mut bytes = vec![0xee];
        payload.write(109, &mut bytes);
        if payload.copies == 0 {
            return (vec![], bytes[1..].to_vec());
        }
        let parsed = Redundant::parse(&bytes[1..]).expect("well formed");
        assert!(parsed.payload_type == 109 && parsed.copies_newest_first().all(|copy| copy.payload_type == 109));
        assert_eq!(parsed.copies_newest_first().count(), payload.copies);
        (parsed.copies_newest_first().map(|copy| (copy.offset, copy.payload.to_vec())).collect(), parsed.newest.to_vec())
    }

    #[test]
    fn each_depth_has_the_frame_and_as_many_copies() {
        let history = with(1..=3);
        assert_eq!(read(&history, 3, 0), (vec![], frame(3)));
        assert_eq!(read(&history, 3, 1), (vec![(960, frame(2))], frame(3)));
        assert_eq!(read(&history, 3, 2), (vec![(960, frame(2)), (1_920, frame(1))], frame(3)));
        assert_eq!(read(&history, 3, 9), read(&history, 3, 2));
    }

    #[test]
    fn the_first_packets_have_what_there_is() {
        let history = with(1..=2);
        assert_eq!(read(&history, 1, 2), (vec![], frame(1)));
        assert_eq!(read(&history, 2, 2), (vec![(960, frame(1))], frame(2)));
    }

    #[test]
    fn content_stays_what_it_was_when_an_earlier_packet_comes_late() {
        let mut history = with([1, 3]);
        let before = read(&history, 3, 2);
        assert_eq!(before, (vec![], frame(3)), "a lost packet ends the copies");
        history.keep(position(2), 7, None, &frame(2));
        assert_eq!(read(&history, 3, 2), before);
        assert_eq!(read(&history, 2, 2), (vec![(960, frame(1))], frame(2)));
    }

    #[test]
    fn sixty_four_packets_are_kept() {
        let history = with(1..=200);
        assert!(history.get(136).is_none() && history.get(137).is_some() && history.get(200).is_some() && history.get(201).is_none());
        assert!(History::default().get(0).is_none() && history.get(0).is_none());
    }

    #[test]
    fn another_voice_is_not_copied() {
        let mut history = with(1..=2);
        history.keep(position(3), 8, None, &frame(3));
        history.keep(position(4), 8, None, &frame(4));
        assert_eq!(read(&history, 3, 2).0, []);
        assert_eq!(read(&history, 4, 2).0, [(960, frame(3))]);
    }

    #[test]
    fn frames_from_before_a_silence_are_not_copied() {
        let mut history = with(1..=2);
        let late = |index, timestamp| LanePosition { index, timestamp, marker: false };
        let second = position(2).timestamp;
        history.keep(late(3, second.wrapping_add(16_384)), 7, None, &frame(3));
        assert_eq!(read(&history, 3, 2).0, []);
        history.keep(late(4, second.wrapping_add(16_384 + 960)), 7, None, &frame(4));
        assert_eq!(read(&history, 4, 2).0, [(960, frame(3))]);
    }

    #[test]
    fn what_does_not_fit_has_fewer_copies() {
        let of_length = |len: usize| vec![5; len];
        for (len, copies) in [(383, 2), (384, 1), (577, 1), (578, 0), (1_275, 0)] {
            let mut history = History::default();
            for index in 1..=3 {
                history.keep(position(index), 7, None, &of_length(len));
            }
            let payload = history.get(3).expect("kept").payload(2);
            assert_eq!(payload.copies, copies, "{len} bytes a frame");
            assert!(copies == 0 || payload.len() <= 1_160);
        }
        let mut history = History::default();
        history.keep(position(1), 7, None, &of_length(1_024));
        history.keep(position(2), 7, None, &of_length(10));
        assert_eq!(history.get(2).expect("kept").payload(2).copies, 0, "no block is so long");
    }
}
