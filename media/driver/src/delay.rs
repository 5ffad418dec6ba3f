//! How long forwarding takes: a histogram of the last ten seconds, and a coarse one since the start.

use std::time::{Duration, Instant};

/// Buckets of 2^(1/4): each a fifth wider than the one before, from 1 µs to 16 s.
const BUCKETS: usize = 96;
const PER_OCTAVE: f64 = 4.0;
const SECONDS: usize = 10;

/// Upper ends of the buckets of [`Delays::counts`]. What took longer is in one more.
pub const DELAY_BOUNDS: [Duration; 9] = [
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
];

/// Since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delays {
    /// By bucket, each for itself.
    pub counts: [u64; DELAY_BOUNDS.len() + 1],
    /// Of all delays.
    pub sum: Duration,
}

impl Delays {
    fn record(&mut self, delay: Duration) {
        self.counts[DELAY_BOUNDS.partition_point(|bound| *bound < delay)] += 1;
        self.sum = self.sum.saturating_add(delay);
    }
}

/// One histogram per second, the oldest written over.
#[derive(Debug)]
pub(crate) struct DelayWindow {
    seconds: [[u32; BUCKETS]; SECONDS],
    current: usize,
    current_since: Option<Instant>,
    since_start: Delays,
}

impl Default for DelayWindow {
    fn default() -> Self {
        Self { seconds: [[0; BUCKETS]; SECONDS], current: 0, current_since: None, since_start: Delays::default() }
    }
}

impl DelayWindow {
    pub(crate) fn record(&mut self, now: Instant, delay: Duration) {
        self.advance(now);
        let micros = delay.as_secs_f64() * 1e6;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // Clamped to the buckets.
        let bucket = (micros.max(1.0).log2() * PER_OCTAVE).clamp(0.0, (BUCKETS - 1) as f64) as usize;
        self.seconds[self.current][bucket] += 1;
        self.since_start.record(delay);
    }

    pub(crate) fn since_start(&self) -> Delays {
        self.since_start
    }

    /// Forget what is older than the window.
    pub(crate) fn advance(&mut self, now: Instant) {
        let since = *self.current_since.get_or_insert(now);
        let elapsed = usize::try_from(now.saturating_duration_since(since).as_secs()).unwrap_or(SECONDS);
        for _ in 0..elapsed.min(SECONDS) {
            self.current = (self.current + 1) % SECONDS;
            self.seconds[self.current] = [0; BUCKETS];
        }
        if elapsed > 0 {
            self.current_since = Some(now);
        }
    }

    /// The upper edge of the bucket that holds this share of all delays; zero if there are none.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let count = |bucket: usize| self.seconds.iter().map(|second| u64::from(second[bucket])).sum::<u64>();
        let all: u64 = (0..BUCKETS).map(count).sum();
        let mut passed = 0;
        for bucket in 0..BUCKETS {
            passed += count(bucket);
            if all > 0 && passed as f64 >= share * all as f64 {
                return Duration::from_secs_f64(((bucket + 1) as f64 / PER_OCTAVE).exp2() / 1e6);
            }
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_bucket_of_the_truth() {
        let start = Instant::now();
        let mut window = DelayWindow::default();
        for micros in 1..=100 {
            window.record(start, Duration::from_micros(micros * 10));
        }
        let (p50, p99) = (window.percentile(0.5).as_micros(), window.percentile(0.99).as_micros());
        assert!((500..=610).contains(&p50), "{p50}");
        assert!((990..=1200).contains(&p99), "{p99}");
    }

    #[test]
    fn buckets_since_the_start_include_their_upper_ends_and_forget_nothing() {
        let start = Instant::now();
        let mut window = DelayWindow::default();
        for (after, micros) in [(0, 250), (1, 251), (30, 100_000), (60, 100_001)] {
            window.record(start + Duration::from_secs(after), Duration::from_micros(micros));
        }
        assert_eq!(window.since_start(), Delays { counts: [1, 1, 0, 0, 0, 0, 0, 0, 1, 1], sum: Duration::from_micros(200_502) });
    }

    #[test]
    fn delays_are_forgotten_after_ten_seconds() {
        let start = Instant::now();
        let mut window = DelayWindow::default();
        assert_eq!(window.percentile(0.5), Duration::ZERO);
        window.record(start, Duration::from_millis(5));
        window.advance(start + Duration::from_secs(9));
        assert_ne!(window.percentile(0.5), Duration::ZERO);
        window.advance(start + Duration::from_secs(10));
        assert_eq!(window.percentile(0.5), Duration::ZERO);
    }
}
