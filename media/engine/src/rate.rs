//! How much of something a speaker may cause: token buckets.

use std::time::{Duration, Instant};

/// Packets that a speaker sends, since each one accepted costs one encryption per listener, and one peer's flood would take the time of
/// every room: 75 a second, one and a half times what browsers send, and at once what comes after a stall on the way, 2 s of 20 ms frames.
/// Frames shorter than that are more headers than sound, and every one of them costs each listener as much as a long one: answers ask for
/// 20 ms, and a peer that sends 10 ms all the same loses every fourth.
pub(crate) const PACKETS: Rate = Rate { interval: Duration::from_nanos(1_000_000_000 / 75), burst: 100 };

/// Numbers that a speaker's stream leaves out and listeners see as loss: as many as one who says a packet every 20 ms can lose, and no more
/// at once than could still be filled.
pub(crate) const MISSING: Rate = Rate { interval: Duration::from_millis(20), burst: 64 };

/// How fast tokens come back, and how many there are at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub interval: Duration,
    pub burst: u32,
}

/// Tokens, full at first.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    rate: Rate,
    tokens: u32,
    refilled_at: Instant,
}

impl TokenBucket {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, tokens: rate.burst, refilled_at: now }
    }

    /// Take a token. False: none is left, this is one too many.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.take_many(now, 1)
    }

    /// Take so many tokens, or none of them if there are not as many.
    pub(crate) fn take_many(&mut self, now: Instant, count: u64) -> bool {
        self.refill(now);
        let left = u64::from(self.tokens).checked_sub(count).and_then(|left| u32::try_from(left).ok());
        self.tokens = left.unwrap_or(self.tokens);
        left.is_some()
    }

    /// How many tokens there are.
    pub(crate) fn available(&self, now: Instant) -> u64 {
        let due = u32::try_from(self.due(now)).unwrap_or(u32::MAX);
        self.tokens.saturating_add(due).min(self.rate.burst).into()
    }

    /// Whether a packet would be one too many, whatever is in it.
    pub(crate) fn is_empty(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens == 0
    }

    fn refill(&mut self, now: Instant) {
        match u32::try_from(self.due(now)) {
            // Part of an interval counts towards the next token.
            Ok(due) if due < self.rate.burst - self.tokens => {
                self.tokens += due;
                self.refilled_at += due * self.rate.interval;
            }
            _ => (self.tokens, self.refilled_at) = (self.rate.burst, now),
        }
    }

    /// Tokens that have come since the last refill.
    fn due(&self, now: Instant) -> u128 {
        now.duration_since(self.refilled_at).as_nanos() / self.rate.interval.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(bucket: &mut TokenBucket, now: Instant) -> usize {
        std::iter::repeat_with(|| bucket.take(now)).take_while(|taken| *taken).count()
    }

    fn bucket(now: Instant) -> TokenBucket {
        TokenBucket::new(Rate { interval: Duration::from_millis(10), burst: 100 }, now)
    }

    #[test]
    fn burst_is_granted_once_and_comes_back_in_a_second() {
        let now = Instant::now();
        let mut bucket = bucket(now);
        assert_eq!(take_all(&mut bucket, now), 100);
        assert_eq!(take_all(&mut bucket, now + Duration::from_micros(9_999)), 0);
        assert_eq!(take_all(&mut bucket, now + Duration::from_millis(10)), 1);
        assert_eq!(take_all(&mut bucket, now + Duration::from_micros(1_009_999)), 99);
        assert_eq!(take_all(&mut bucket, now + Duration::from_secs(3_600)), 100, "never more than the burst");
    }

    #[test]
    fn looking_at_it_takes_nothing_and_hinders_no_refill() {
        let now = Instant::now();
        let mut bucket = bucket(now);
        assert!((0..200).all(|_| !bucket.is_empty(now) && bucket.available(now) == 100));
        assert_eq!(take_all(&mut bucket, now), 100);
        let looks = (0..10_000_u32).map(|micros| bucket.is_empty(now + Duration::from_micros(micros.into())));
        assert!(looks.collect::<Vec<_>>().into_iter().all(|is_empty| is_empty));
        assert_eq!([9, 10, 29, 3_600_000].map(|ms| bucket.available(now + Duration::from_millis(ms))), [0, 1, 2, 100]);
        assert!(!bucket.is_empty(now + Duration::from_millis(10)));
        assert_eq!(take_all(&mut bucket, now + Duration::from_millis(10)), 1);
    }

    #[test]
    fn bucket_that_is_partly_empty_fills_up_to_the_burst_and_no_further() {
        let now = Instant::now();
        let mut bucket = bucket(now);
        assert!(bucket.take_many(now, 10));
        assert_eq!(take_all(&mut bucket, now + Duration::from_millis(500)), 100, "50 have come, 10 were missing");
    }

    #[test]
    fn many_are_taken_together_or_not_at_all() {
        let now = Instant::now();
        let mut bucket = bucket(now);
        assert!(bucket.take_many(now, 0) && bucket.take_many(now, 60));
        assert!(!bucket.take_many(now, 41) && !bucket.take_many(now, u64::MAX));
        assert!(bucket.take_many(now, 40) && !bucket.take(now));
    }

    #[test]
    fn speech_passes_for_as_long_as_it_comes_and_twice_as_much_does_not() {
        let (now, frame) = (Instant::now(), Duration::from_millis(20));
        let mut bucket = TokenBucket::new(PACKETS, now);
        assert!((0..40_000_u32).all(|number| bucket.take(now + number * frame)));
        let mut bucket = TokenBucket::new(PACKETS, now);
        let taken = (0..20_000_u32).filter(|number| bucket.take(now + *number * frame / 2)).count();
        assert_eq!(taken, 100 + 200 * 75 - 1, "of 200 s");
    }
}
