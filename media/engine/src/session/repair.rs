//! Repair on the way to one listener: how much is lost there, how many copies that asks for, and what may be sent again.

use std::time::{Duration, Instant};

use crate::rtp::ReportBlock;
use crate::sdp::MAX_SLOTS;
use crate::tally::Repaired;

/// Packets to be sent before a loss is estimated from them: one voice for a second.
const SAMPLE: u32 = 50;
/// Repeated packets a leg may have in hand; one more for each packet sent. So at most everything is sent twice.
const MAX_CREDIT: u32 = 64;
/// One copy from this loss on, two from that: see the table in docs/subsystems/media.md.
const DEPTH_AT: [f32; 2] = [0.02, 0.08];
/// A copy is given up below this part of the loss that brought it …
const RELIEF: f32 = 0.5;
/// … and after this time: copies cost bitrate, and changing one's mind costs speech.
const DEPTH_KEPT_FOR: Duration = Duration::from_secs(10);
/// An estimate from so many packets replaces the one before; from fewer, it moves it in proportion.
const WHOLE_SAMPLE: f32 = 200.0;
/// Nothing a report says counts for more packets than this.
const MAX_EXPECTED: u32 = 1_000;

/// State of one leg. A slot's own numbering is the listener's, the same through all changes of view.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    /// 0 to 1.
    loss: f32,
    window: Window,
    depth: Depth,
    credit: u32,
    tally: Repaired,
    slots: [Slot; MAX_SLOTS],
}

/// Since the last estimate.
#[derive(Debug, Default)]
struct Window {
    sent: u32,
    /// By reports.
    expected: u32,
    lost_256ths: u32,
    /// By requests.
    asked_for: u32,
}

#[derive(Debug, Default)]
struct Slot {
    /// By the last report.
    highest: Option<u32>,
    /// The highest own index asked for again.
    asked_for: u64,
    /// Left out of the numbers after the receiver had written the last report: it will come in the next.
    skipped: u32,
}

/// Copies in packets to this leg, as a function of the own index: what is sent again has as many as it had.
#[derive(Debug, Default, Clone, Copy)]
struct Depth {
    now: u8,
    before: u8,
    /// From which own index on, by slot: `now`, and `before`. What is older is not sent (again).
    now_since: [u64; MAX_SLOTS],
    before_since: [u64; MAX_SLOTS],
    changed: Option<Instant>,
}

impl Repair {
    /// The estimate, 0 to 1.
    pub(crate) fn loss(&self) -> f32 {
        self.loss
    }

    /// Since the leg began.
    pub(crate) fn tally(&self) -> Repaired {
        self.tally
    }

    /// Copies in new packets.
    pub(crate) fn depth(&self) -> u8 {
        self.depth.now
    }

    /// Copies in the packet of this own index. None: it is older than anybody remembers.
    pub(crate) fn depth_of(&self, slot: usize, index: u64) -> Option<u8> {
        let depth = &self.depth;
        if index >= depth.now_since[slot] { Some(depth.now) } else { (index >= depth.before_since[slot]).then_some(depth.before) }
    }

    pub(crate) fn on_sent(&mut self) {
        self.window.sent += 1;
        self.credit = (self.credit + 1).min(MAX_CREDIT);
    }

    /// Whether one more packet may be sent again.
    pub(crate) fn spend(&mut self) -> bool {
        let has_one = self.credit > 0;
        self.credit = self.credit.saturating_sub(1);
        self.tally.retransmitted += u64::from(has_one);
        has_one
    }

    /// What the listener reports of a slot.
    ///
    /// skipped: numbers that were left out since the last report, which the listener takes for lost.
    pub(crate) fn on_report(&mut self, slot: usize, block: &ReportBlock, skipped: i64) {
        let before = self.slots[slot].highest.replace(block.highest_sequence);
        let expected = before.map_or(self.window.sent, |before| block.highest_sequence.wrapping_sub(before)).min(MAX_EXPECTED);
        let lost_256ths = expected * u32::from(block.fraction_lost);
        let newly = u32::try_from(skipped.max(0)).unwrap_or(u32::MAX);
        let all_skipped = newly.saturating_add(self.slots[slot].skipped);
        let explained = all_skipped.min(lost_256ths.div_ceil(256)).min(expected);
        self.slots[slot].skipped = (all_skipped - explained).min(newly);
        self.window.expected = self.window.expected.saturating_add(expected - explained);
        self.tally.reported += u64::from(expected);
        self.tally.reported_lost_256ths += u64::from(expected) * u64::from(block.fraction_lost);
        self.window.lost_256ths = self.window.lost_256ths.saturating_add(lost_256ths.saturating_sub(explained * 256));
    }

    /// A packet was asked for. A second request for it is no second loss.
    pub(crate) fn on_request(&mut self, slot: usize, index: u64) {
        self.tally.nacked += 1;
        let slot = &mut self.slots[slot];
        if index > slot.asked_for {
            slot.asked_for = index;
            self.window.asked_for += 1;
        }
    }

    /// Estimate the loss, if enough was sent since, and choose the depth.
    ///
    /// next: the own index to be given next, by slot. has_red: whether copies were agreed on. True if the estimate is new.
    pub(crate) fn estimate(&mut self, now: Instant, has_red: bool, next: [u64; MAX_SLOTS]) -> bool {
        if self.window.sent < SAMPLE {
            return false;
        }
        let window = std::mem::take(&mut self.window);
        #[allow(clippy::cast_precision_loss)] // Some thousands at most.
        let share = |part: u32, whole: u32| if whole == 0 { 0.0 } else { (part as f32 / whole as f32).min(1.0) };
        // What came when it was asked for again is not lost in reports; what was not asked for is not in requests.
        let sample = share(window.lost_256ths, window.expected.saturating_mul(256)).max(share(window.asked_for, window.sent));
        #[allow(clippy::cast_precision_loss)]
        let weight = (window.sent as f32 / WHOLE_SAMPLE).min(1.0);
        self.loss += (sample - self.loss) * weight;
        if has_red {
            self.depth.choose(now, self.loss, next);
        }
        true
    }
}

impl Depth {
    fn choose(&mut self, now: Instant, loss: f32, next: [u64; MAX_SLOTS]) {
        let called_for = |relief: f32| (1..).zip(DEPTH_AT).filter(|(_, at)| loss >= at * relief).map(|(depth, _)| depth).max().unwrap_or(0);
        let (rise, keep): (u8, u8) = (called_for(1.0), called_for(RELIEF));
        let may_fall = self.changed.is_none_or(|at| now.duration_since(at) >= DEPTH_KEPT_FOR);
        let chosen = if rise > self.now {
            rise
        } else if keep < self.now && may_fall {
            keep
        } else {
            return;
        };
        *self = Self { now: chosen, before: self.now, now_since: next, before_since: self.now_since, changed: Some(now) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Leg {
        repair: Repair,
        now: Instant,
        next: u64,
        reported: u32,
    }

    impl Leg {
        fn new() -> Self {
            Self { repair: Repair::default(), now: Instant::now(), next: 500, reported: 500 }
        }

        /// A second of speech, of which so much is reported lost and asked for.
        fn second(&mut self, reported: f32, asked_for: u64) -> u8 {
            for _ in 0..50 {
                self.repair.on_sent();
            }
            for ahead in 0..asked_for {
                self.repair.on_request(0, self.next + ahead);
                self.repair.on_request(0, self.next + ahead);
            }
            self.next += 50;
            self.now += Duration::from_secs(1);
            self.reported += 50;
            self.repair.on_report(0, &block(reported, self.reported), 0);
            assert!(self.repair.estimate(self.now, true, [self.next; MAX_SLOTS]));
            self.repair.depth()
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn block(fraction: f32, highest_sequence: u32) -> ReportBlock {
        let fraction_lost = (fraction * 256.0) as u8;
        ReportBlock { ssrc: 1, fraction_lost, cumulative_lost: 0, highest_sequence, jitter: 0, last_report: 0, delay_since: 0 }
    }

    #[test]
    fn copies_follow_the_loss_up_at_once_and_down_after_a_while() {
        let mut leg = Leg::new();
        assert_eq!((leg.second(0.0, 0), leg.second(0.01, 0)), (0, 0));
        assert_eq!([0.05; 4].map(|loss| leg.second(loss, 0)), [0, 1, 1, 1], "after two seconds");
        assert_eq!([0.2; 3].map(|loss| leg.second(loss, 0)), [1, 2, 2]);
        let falls: Vec<u8> = (0..40).map(|_| leg.second(0.0, 0)).collect();
        assert_eq!(falls[..7], [2; 7], "ten seconds after the last change at the earliest");
        assert!(falls.is_sorted_by(|a, b| a >= b) && falls[39] == 0, "{falls:?}");
        assert!(falls.iter().filter(|depth| **depth == 1).count() == 0 || falls.iter().filter(|depth| **depth == 1).count() >= 10);
    }

    #[test]
    fn loss_that_swings_around_a_threshold_changes_nothing() {
        let mut leg = Leg::new();
        for _ in 0..5 {
            leg.second(0.03, 0);
        }
        for step in 0..60 {
            assert_eq!(leg.second(if step % 2 == 0 { 0.015 } else { 0.025 }, 0), 1);
        }
    }

    #[test]
    fn requests_count_as_loss_once_each() {
        let mut leg = Leg::new();
        for _ in 0..20 {
            leg.second(0.0, 5);
        }
        assert!((0.095..0.105).contains(&leg.repair.loss()), "{}", leg.repair.loss());
        assert_eq!(leg.repair.depth(), 2);
    }

    #[test]
    fn numbers_that_were_left_out_are_no_loss_of_the_leg() {
        let mut leg = Leg::new();
        for second in 0..21 {
            (0..50).for_each(|_| leg.repair.on_sent());
            leg.now += Duration::from_secs(1);
            leg.reported += 100;
            // 50 of 100 were never sent; those of every third second are left out just after the listener has written its report.
            let skipped = [50, 100, 0][second % 3];
            leg.repair.on_report(0, &block(0.5, leg.reported), skipped);
            leg.repair.estimate(leg.now, true, [leg.next; MAX_SLOTS]);
            assert_eq!((leg.repair.loss(), leg.repair.depth()), (0.0, 0), "second {second}");
        }
        leg.second(0.3, 0);
        assert!(leg.repair.loss() > 0.05, "and what is lost besides is: {}", leg.repair.loss());
    }

    #[test]
    fn numbers_left_out_explain_no_later_loss() {
        let mut leg = Leg::new();
        leg.repair.on_report(0, &block(0.0, 500), 64);
        for _ in 0..10 {
            leg.second(0.2, 0);
        }
        assert!(leg.repair.loss() > 0.18, "{}", leg.repair.loss());
    }

    #[test]
    fn estimate_waits_for_a_second_of_speech() {
        let mut repair = Repair::default();
        (0..49).for_each(|_| repair.on_sent());
        repair.on_report(0, &block(0.9, 49), 0);
        assert!(!repair.estimate(Instant::now(), true, [1; MAX_SLOTS]));
        repair.on_sent();
        assert!(repair.estimate(Instant::now(), true, [1; MAX_SLOTS]));
    }

    #[test]
    fn without_red_there_are_no_copies_whatever_is_lost() {
        let mut repair = Repair::default();
        (0..500).for_each(|_| repair.on_sent());
        repair.on_report(0, &block(0.9, 500), 0);
        assert!(repair.estimate(Instant::now(), false, [1; MAX_SLOTS]));
        assert_eq!((repair.depth(), repair.loss() > 0.8), (0, true));
    }

    #[test]
    fn depth_is_a_function_of_the_index() {
        let mut leg = Leg::new();
        leg.second(0.0, 0);
        assert_eq!(leg.repair.depth_of(0, 1), Some(0), "nothing has changed yet");
        leg.second(0.1, 0);
        let first = leg.next;
        leg.second(0.0, 0);
        assert_eq!((leg.repair.depth_of(0, first - 1), leg.repair.depth_of(0, first)), (Some(0), Some(1)));
        leg.second(0.5, 0);
        let second = leg.next;
        let depths = [first - 1, first, second - 1, second].map(|index| leg.repair.depth_of(0, index));
        assert_eq!(depths, [None, Some(1), Some(1), Some(2)], "from before the change before the last nothing is sent again");
    }

    #[test]
    fn at_most_everything_is_sent_twice() {
        let mut repair = Repair::default();
        assert!(!repair.spend());
        (0..10).for_each(|_| repair.on_sent());
        assert_eq!((0..100).filter(|_| repair.spend()).count(), 10);
        (0..1_000).for_each(|_| repair.on_sent());
        assert_eq!((0..100).filter(|_| repair.spend()).count(), 64);
    }

    #[test]
    fn nonsense_in_reports_stays_nonsense_of_one_leg() {
        let mut repair = Repair::default();
        (0..50).for_each(|_| repair.on_sent());
        for highest in [0, u32::MAX, 5, u32::MAX / 2] {
            repair.on_report(0, &block(0.999, highest), 0);
        }
        assert!(repair.estimate(Instant::now(), true, [1; MAX_SLOTS]));
        assert!((0.0..=1.0).contains(&repair.loss()));
    }
}
