//! What is missing from a speaker's stream, and when to ask for it again.
//!
//! A gap is noticed when a later packet comes. What the packet's redundant copies do not fill is asked for at once, and again after
//! a round trip, until nobody could use it any more. Silence that was never sent (DTX) leaves no gap in the numbering.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Asked for until this long after the gap was noticed; what is asked for later comes after the playout of most receivers.
const ASKED_FOR: Duration = Duration::from_millis(200);
/// A place is kept for this long: browsers' jitter buffers hold up to a few hundred milliseconds on such a path.
const AWAITED_FOR: Duration = Duration::from_millis(400);
/// Times a packet is asked for: with one packet in five lost each way, three leave 5 % of the gaps.
const MAX_TRIES: u8 = 3;
/// Missing packets remembered: more is an outage, and its speech is over when it ends.
const MAX_MISSING: u64 = 64;
/// Assumed until a repeated packet has shown it.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(80);
/// What one repetition may make of the estimate; a packet that was only late would else pass for a short round trip.
const ROUND_TRIPS: std::ops::RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(150);

#[derive(Debug, Clone)]
pub(super) struct Gaps {
    /// None before the first packet.
    highest: Option<u64>,
    /// Rising.
    missing: VecDeque<Missing>,
    /// Smoothed, from the first request for a packet to its coming.
    round_trip: Duration,
    /// The last one seen.
    seen_round_trip: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Missing {
    index: u64,
    noticed: Instant,
    tries: u8,
    /// When to ask (again), and when it was last done.
    next_try: Instant,
    asked: Option<Instant>,
}

impl Gaps {
    pub(super) fn new() -> Self {
        Self { highest: None, missing: VecDeque::new(), round_trip: FIRST_ROUND_TRIP, seen_round_trip: None }
    }

    /// From the last packet that came after being asked for once. None before there is one.
    pub(super) fn seen_round_trip(&self) -> Option<Duration> {
        self.seen_round_trip
    }

    /// Whether a packet is newer than all that came.
    pub(super) fn is_newest(&self, index: u64) -> bool {
        self.highest.is_none_or(|highest| index > highest)
    }

    /// Take note of a packet (48-bit index) that came. False if nobody waits for it: it was before the first, came by a copy, or is too late.
    pub(super) fn on_packet(&mut self, now: Instant, index: u64) -> bool {
        self.forget_old(now);
        if self.is_newest(index) {
            let from = self.highest.map_or(index, |highest| highest + 1).max(index.saturating_sub(MAX_MISSING));
            self.missing.extend((from..index).map(|index| Missing { index, noticed: now, tries: 0, next_try: now, asked: None }));
            while self.missing.len() as u64 > MAX_MISSING {
                self.missing.pop_front();
            }
            self.highest = Some(index);
            return true;
        }
        let Some(filled) = self.fill(index) else {
            return false;
        };
        // Only the first request tells the round trip: after two nobody knows which was answered (Karn and Partridge, SIGCOMM 1987).
        if let (1, Some(asked)) = (filled.tries, filled.asked) {
            let seen = now.duration_since(asked);
            self.seen_round_trip = Some(seen);
            self.round_trip = (self.round_trip * 3 + seen.clamp(*ROUND_TRIPS.start(), *ROUND_TRIPS.end())) / 4;
        }
        true
    }

    /// Take note of a packet that came as a copy. False if it is not missing.
    pub(super) fn on_copy(&mut self, index: u64) -> bool {
        self.fill(index).is_some()
    }

    fn fill(&mut self, index: u64) -> Option<Missing> {
        let at = self.missing.binary_search_by_key(&index, |missing| missing.index).ok()?;
        self.missing.remove(at)
    }

    fn forget_old(&mut self, now: Instant) {
        while self.missing.front().is_some_and(|missing| now.duration_since(missing.noticed) > AWAITED_FOR) {
            self.missing.pop_front();
        }
    }

    /// When [`Self::take_due`] has something to ask for.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.missing.iter().filter(|missing| missing.may_be_asked_for()).map(|missing| missing.next_try).min()
    }

    /// Write the sequence numbers to be asked for now into `due`, which is cleared.
    pub(super) fn take_due(&mut self, now: Instant, due: &mut Vec<u16>) {
        due.clear();
        self.forget_old(now);
        // A little more than a round trip, for its jitter.
        let pause = self.round_trip + self.round_trip / 4;
        for missing in self.missing.iter_mut().filter(|missing| missing.may_be_asked_for() && missing.next_try <= now) {
            #[allow(clippy::cast_possible_truncation)] // The sequence number is the index's low 16 bits.
            due.push(missing.index as u16);
            missing.tries += 1;
            missing.asked = Some(now);
            missing.next_try = now + pause;
        }
    }
}

impl Missing {
    fn may_be_asked_for(&self) -> bool {
        self.tries < MAX_TRIES && self.next_try.duration_since(self.noticed) < ASKED_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stream {
        start: Instant,
        gaps: Gaps,
    }

    impl Stream {
        fn new() -> Self {
            let mut stream = Self { start: Instant::now(), gaps: Gaps::new() };
            assert!(stream.comes(0, 65_534), "the first one");
            stream
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn comes(&mut self, ms: u64, index: u64) -> bool {
            self.gaps.on_packet(self.at(ms), index)
        }

        fn due(&mut self, ms: u64) -> Vec<u16> {
            let mut due = vec![9];
            let now = self.at(ms);
            self.gaps.take_due(now, &mut due);
            due
        }
    }

    #[test]
    fn unbroken_stream_asks_for_nothing() {
        let mut stream = Stream::new();
        for step in 1..100 {
            assert!(stream.comes(20 * step, 65_534 + step));
        }
        assert_eq!((stream.gaps.deadline(), stream.due(2_000)), (None, vec![]));
    }

    #[test]
    fn silence_that_was_not_sent_is_no_gap() {
        let mut stream = Stream::new();
        assert!(stream.comes(20, 65_535));
        assert!(stream.comes(4_000, 65_536), "four seconds without a packet, the next number");
        assert_eq!(stream.gaps.deadline(), None);
    }

    #[test]
    fn gap_is_asked_for_at_once_and_three_times_in_all() {
        let mut stream = Stream::new();
        stream.comes(60, 65_537);
        assert_eq!(stream.gaps.deadline(), Some(stream.at(60)));
        assert_eq!(stream.due(60), [65_535, 0]);
        assert_eq!(stream.due(159), []);
        assert_eq!(stream.due(160), [65_535, 0]);
        assert_eq!((stream.due(259), stream.gaps.deadline()), (vec![], None), "200 ms are over");
        assert_eq!(stream.due(460), []);
    }

    #[test]
    fn short_round_trips_allow_three_tries_and_no_more() {
        let mut stream = Stream::new();
        for step in 0..30 {
            let (lost, ms) = (65_535 + 2 * step, 40 * step);
            stream.comes(ms, lost + 1);
            stream.due(ms);
            assert!(stream.comes(ms + 20, lost));
        }
        stream.comes(2_000, 65_600);
        let tries = (2_000..2_400).filter(|ms| !stream.due(*ms).is_empty()).count();
        assert_eq!(tries, 3);
    }

    #[test]
    fn what_came_by_a_copy_is_neither_asked_for_nor_taken_again() {
        let mut stream = Stream::new();
        stream.comes(40, 65_536);
        assert!(stream.gaps.on_copy(65_535));
        assert!(!stream.gaps.on_copy(65_535) && !stream.gaps.on_copy(65_536) && !stream.gaps.on_copy(65_537));
        assert_eq!(stream.due(40), []);
        assert!(!stream.comes(90, 65_535), "the packet itself, late");
    }

    #[test]
    fn late_packet_is_taken_while_its_place_is_kept_and_not_after() {
        for (ms, taken) in [(450, true), (460, false)] {
            let mut stream = Stream::new();
            stream.comes(50, 65_537);
            assert_eq!(stream.comes(ms + 1 - u64::from(taken), 65_535), taken, "{ms} ms");
        }
    }

    #[test]
    fn packets_from_before_the_first_are_not_taken() {
        assert!(!Stream::new().comes(5, 65_533));
    }

    #[test]
    fn outage_is_not_asked_for_as_a_whole() {
        let mut stream = Stream::new();
        stream.comes(20, 65_534 + 10_000);
        assert_eq!(stream.due(20).len(), 64);
        stream.comes(40, 65_534 + 11_000);
        assert_eq!(stream.due(40).len(), 64);
    }

    #[test]
    fn round_trip_is_learned_from_first_answers_only() {
        let mut stream = Stream::new();
        for step in 0..40 {
            let (lost, ms) = (65_535 + 2 * step, 500 * step);
            stream.comes(ms, lost + 1);
            stream.due(ms);
            stream.comes(ms + 40, lost);
        }
        assert!((40..42).contains(&stream.gaps.round_trip.as_millis()), "{:?}", stream.gaps.round_trip);
        stream.comes(30_000, 65_700);
        stream.due(30_000);
        stream.due(30_100);
        stream.comes(30_101, 65_699);
        assert!((40..42).contains(&stream.gaps.round_trip.as_millis()), "which request was answered is unknown");
    }
}
