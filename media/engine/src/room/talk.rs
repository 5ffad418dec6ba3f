//! How long somebody has talked: their voice in the sound that was accepted, on a clock that never runs ahead of the wall's.
//!
//! Terms and worked numbers: docs/algorithms/speaker.md, "Talk time".

use std::time::{Duration, Instant};

/// RTP ticks of one packet where its neighbours do not say: 20 ms at Opus's 48 kHz (RFC 7587 section 4.1).
const USUAL_TICKS: u32 = 960;
/// Longest step from one packet to the next that counts as sound: 120 ms, the longest packet of Opus (RFC 6716 section 2.1.4), or a few
/// shorter ones of which some were lost. A longer one is a pause.
const LONGEST_TICKS: u32 = 5_760;
const TICKS_PER_MS: u64 = 48;
/// After a stall on the way, sound that comes all at once counts as if it had come in time, up to this much.
const LATEST: Duration = Duration::from_secs(1);

/// One speak session's. Sound is counted from where the counted sound ends, or from [`LATEST`] ago, and never beyond now: whatever
/// timestamps and however many packets a peer sends, a second on the wall holds at most a second of voice.
#[derive(Debug)]
pub(crate) struct TalkMeter {
    counted_until: Instant,
    last_timestamp: Option<u32>,
    /// Not yet taken.
    talked: Duration,
}

impl TalkMeter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { counted_until: now, last_timestamp: None, talked: Duration::ZERO }
    }

    /// Take note of an accepted packet with this RTP timestamp. is_voice: as speaker choice hears it.
    pub(crate) fn on_packet(&mut self, now: Instant, timestamp: u32, is_voice: bool) {
        // To the packet before; one that overtook another seems to lie most of 2³² ticks ahead.
        let step = self.last_timestamp.map_or(USUAL_TICKS, |last| timestamp.wrapping_sub(last));
        self.last_timestamp = Some(timestamp);
        if !is_voice {
            return;
        }
        let ticks = if (1..=LONGEST_TICKS).contains(&step) { step } else { USUAL_TICKS };
        let from = now.checked_sub(LATEST).map_or(self.counted_until, |earliest| self.counted_until.max(earliest));
        let until = (from + Duration::from_micros(u64::from(ticks) * 1_000 / TICKS_PER_MS)).min(now);
        self.talked += until.saturating_duration_since(from);
        self.counted_until = from.max(until);
    }

    /// Whole milliseconds talked since the last call; the rest stays for the next.
    pub(crate) fn take_ms(&mut self) -> u64 {
        let ms = u64::try_from(self.talked.as_millis()).unwrap_or(u64::MAX);
        self.talked -= Duration::from_millis(ms);
        ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// `count` packets of voice, one every `every`, each `step` ticks after the one before; what they come to in ms.
    fn talked(meter: &mut TalkMeter, from: Instant, count: u32, every: Duration, step: u32) -> u64 {
        for number in 1..=count {
            meter.on_packet(from + every * number, number.wrapping_mul(step), true);
        }
        meter.take_ms()
    }

    #[test]
    fn second_of_voice_is_a_second() {
        let start = Instant::now();
        for (packet_ms, step) in [(10, 480), (20, 960), (60, 2_880), (120, 5_760)] {
            let count = 1_200 / u32::try_from(packet_ms).expect("small");
            assert_eq!(talked(&mut TalkMeter::new(start), start, count, ms(packet_ms), step), 1_200 - packet_ms.saturating_sub(20));
        }
    }

    #[test]
    fn silence_counts_nothing_and_gives_no_credit() {
        let start = Instant::now();
        let mut meter = TalkMeter::new(start);
        for number in 1..=500 {
            meter.on_packet(start + ms(20) * number, number * 960, false);
        }
        assert_eq!(meter.take_ms(), 0);
        assert_eq!(talked(&mut meter, start + secs(10), 50, ms(20), 960), 1_000);
    }

    #[test]
    fn flood_and_fast_forward_hold_no_more_voice_than_the_wall_has_time() {
        let start = Instant::now();
        for step in [960, 5_760, 48_000, u32::MAX] {
            let mut meter = TalkMeter::new(start);
            assert_eq!(talked(&mut meter, start, 4_000, Duration::from_micros(2_500), step), 10_000, "{step}");
        }
        let mut meter = TalkMeter::new(start);
        assert_eq!(talked(&mut meter, start + secs(100), 4_000, Duration::from_micros(2_500), 960), 10_997, "a second of credit, once");
    }

    #[test]
    fn stall_on_the_way_costs_up_to_a_second_nothing() {
        let start = Instant::now();
        let mut meter = TalkMeter::new(start);
        assert_eq!(talked(&mut meter, start, 50, ms(20), 960), 1_000);
        for number in 51..=100 {
            meter.on_packet(start + secs(2), number * 960, true);
        }
        assert_eq!(meter.take_ms(), 1_000);
    }

    #[test]
    fn sparse_packets_count_as_one_each() {
        let start = Instant::now();
        let mut meter = TalkMeter::new(start);
        assert_eq!(talked(&mut meter, start, 10, ms(400), 19_200), 200, "20 ms each, as in a silence with DTX");
    }

    #[test]
    fn part_of_a_millisecond_is_kept_for_the_next_taking() {
        let start = Instant::now();
        let mut meter = TalkMeter::new(start);
        let taken: Vec<u64> = (1..=4)
            .map(|number| {
                meter.on_packet(start + Duration::from_micros(2_500) * number, number * 120, true);
                meter.take_ms()
            })
            .collect();
        assert_eq!(taken, [2, 3, 2, 3]);
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }
}
