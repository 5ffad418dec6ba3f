//! How many packets a speaker may send: a token bucket per speak session.
//!
//! Each accepted packet costs one encryption per listener, so one peer's flood would take the time of every room.

use std::time::{Duration, Instant};

/// A token comes back this often: 100 packets a second, twice what browsers send. Frames shorter than 10 ms (RFC 6716 section 2.1.4 has
/// 5 and 2.5) are more headers than sound, and every one of them costs each listener as much as a long one.
const REFILL_INTERVAL: Duration = Duration::from_millis(10);
/// What may come at once after a stall on the way: 2 s of 20 ms frames.
const BURST: u32 = 100;

/// Tokens, one per packet, full at first.
#[derive(Debug)]
pub(crate) struct PacketBucket {
    tokens: u32,
    refilled_at: Instant,
}

impl PacketBucket {
    pub(crate) fn new(now: Instant) -> Self {
        Self { tokens: BURST, refilled_at: now }
    }

    /// Take a token for a packet. False: none is left, the packet is one too many.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        let has_one = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        has_one
    }

    /// Whether a packet would be one too many, whatever is in it.
    pub(crate) fn is_empty(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens == 0
    }

    fn refill(&mut self, now: Instant) {
        let due = now.duration_since(self.refilled_at).as_nanos() / REFILL_INTERVAL.as_nanos();
        match u32::try_from(due) {
            // Part of an interval counts towards the next token.
            Ok(due) if due < BURST - self.tokens => {
                self.tokens += due;
                self.refilled_at += due * REFILL_INTERVAL;
            }
            _ => (self.tokens, self.refilled_at) = (BURST, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(bucket: &mut PacketBucket, now: Instant) -> usize {
        std::iter::repeat_with(|| bucket.take(now)).take_while(|taken| *taken).count()
    }

    #[test]
    fn burst_is_granted_once_and_comes_back_in_a_second() {
        let now = Instant::now();
        let mut bucket = PacketBucket::new(now);
        assert_eq!(take_all(&mut bucket, now), 100);
        assert_eq!(take_all(&mut bucket, now + Duration::from_micros(9_999)), 0);
        assert_eq!(take_all(&mut bucket, now + Duration::from_millis(10)), 1);
        assert_eq!(take_all(&mut bucket, now + Duration::from_micros(1_009_999)), 99);
        assert_eq!(take_all(&mut bucket, now + Duration::from_secs(3_600)), 100, "never more than the burst");
    }

    #[test]
    fn looking_whether_it_is_empty_takes_nothing_and_hinders_no_refill() {
        let now = Instant::now();
        let mut bucket = PacketBucket::new(now);
        assert!((0..200).all(|_| !bucket.is_empty(now)));
        assert_eq!(take_all(&mut bucket, now), 100);
        let looks = (0..10_000_u32).map(|micros| bucket.is_empty(now + Duration::from_micros(micros.into())));
        assert!(looks.collect::<Vec<_>>().into_iter().all(|is_empty| is_empty));
        assert!(!bucket.is_empty(now + Duration::from_millis(10)));
        assert_eq!(take_all(&mut bucket, now + Duration::from_millis(10)), 1);
    }

    #[test]
    fn frames_of_ten_milliseconds_pass_for_as_long_as_they_come() {
        let now = Instant::now();
        let mut bucket = PacketBucket::new(now);
        assert!((0..40_000_u32).all(|frame| bucket.take(now + frame * REFILL_INTERVAL)));
    }
}
