//! RTCP as written: sender reports to listeners, receiver reports to speakers (RFC 3550 section 6). What peers write: [`super::feedback`].

use std::time::{Duration, Instant};

pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
/// Names nobody: the engine's sessions share no identity across transports.
const CNAME: &[u8] = b"salon";
pub(crate) const CLOCK_RATE_HZ: u32 = 48_000;

/// The SSRC of the first packet's sender; in the clear even when encrypted.
pub(crate) fn rtcp_sender(packet: &[u8]) -> Option<u32> {
    let head = packet.first_chunk::<8>()?;
    (head[0] >> 6 == 2).then(|| u32::from_be_bytes([head[4], head[5], head[6], head[7]]))
}

/// What a sender report says of time (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderReport {
    pub ssrc: u32,
    /// The middle 32 bits of the NTP timestamp, to be returned as LSR.
    pub ntp_middle: u32,
}

impl SenderReport {
    /// From the whole packet. None if it is cut short.
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let fields = packet.first_chunk::<28>()?;
        Some(Self {
            ssrc: u32::from_be_bytes([fields[4], fields[5], fields[6], fields[7]]),
            ntp_middle: u32::from_be_bytes([fields[10], fields[11], fields[12], fields[13]]),
        })
    }
}

/// What one slot's sender report tells a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderInfo {
    pub ssrc: u32,
    /// 32.32 fixed point seconds since 1900.
    pub ntp: u64,
    /// The slot's RTP time at that moment.
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// Append SR and SDES; a compound packet begins with the report (RFC 3550 section 6.1).
pub(crate) fn write_sender_report(info: SenderInfo, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&[0x80, SENDER_REPORT, 0, 6]);
    buffer.extend_from_slice(&info.ssrc.to_be_bytes());
    buffer.extend_from_slice(&info.ntp.to_be_bytes());
    buffer.extend_from_slice(&info.timestamp.to_be_bytes());
    buffer.extend_from_slice(&info.packets.to_be_bytes());
    buffer.extend_from_slice(&info.octets.to_be_bytes());
    write_source_description(info.ssrc, buffer);
}

/// Append a receiver report about nobody: all that may be said where there is nothing to say (RFC 3550 section 6.4.2).
pub(crate) fn write_empty_report(ssrc: u32, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&[0x80, RECEIVER_REPORT, 0, 1]);
    buffer.extend_from_slice(&ssrc.to_be_bytes());
}

fn write_source_description(ssrc: u32, buffer: &mut Vec<u8>) {
    const ITEM_CNAME: u8 = 1;
    let chunk_len = (4 + 2 + CNAME.len() + 1).next_multiple_of(4); // at least one zero ends the items
    #[allow(clippy::cast_possible_truncation)] // CNAME is five letters.
    let (words, name_len) = ((chunk_len / 4) as u8, CNAME.len() as u8);
    buffer.extend_from_slice(&[0x81, SOURCE_DESCRIPTION, 0, words]);
    let start = buffer.len();
    buffer.extend_from_slice(&ssrc.to_be_bytes());
    buffer.extend_from_slice(&[ITEM_CNAME, name_len]);
    buffer.extend_from_slice(CNAME);
    buffer.resize(start + chunk_len, 0);
}

/// Counts one speaker's packets for the report blocks of RFC 3550 section 6.4.1 (algorithms of its appendix A).
#[derive(Debug, Clone)]
pub(crate) struct ReceptionStatistics {
    ssrc: u32,
    first: u64,
    highest: u64,
    received: u64,
    reported_expected: u64,
    reported_received: u64,
    /// In RTP time units, times 16.
    jitter_16: u32,
    last_arrival: Option<(Instant, u32)>,
    last_report: Option<(u32, Instant)>,
}

impl ReceptionStatistics {
    /// index: the 48-bit index of the first packet.
    pub(crate) fn new(ssrc: u32, index: u64) -> Self {
        Self {
            ssrc,
            first: index,
            highest: index,
            received: 0,
            reported_expected: 0,
            reported_received: 0,
            jitter_16: 0,
            last_arrival: None,
            last_report: None,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) fn on_packet(&mut self, now: Instant, index: u64, timestamp: u32) {
        self.received += 1;
        self.first = self.first.min(index);
        if index < self.highest {
            return; // Out of order, or asked for again: its way says nothing of the jitter.
        }
        self.highest = index;
        if let Some((before, timestamp_before)) = self.last_arrival {
            let arrival = to_rtp_units(now.duration_since(before));
            let transit = i64::from(arrival) - i64::from(timestamp.wrapping_sub(timestamp_before).cast_signed());
            // Appendix A.8; capped so that a nonsense timestamp does not stay for minutes.
            let difference = u32::try_from(transit.unsigned_abs()).unwrap_or(u32::MAX).min(CLOCK_RATE_HZ);
            self.jitter_16 = self.jitter_16 + difference - ((self.jitter_16 + 8) >> 4);
        }
        self.last_arrival = Some((now, timestamp));
    }

    pub(crate) fn on_sender_report(&mut self, now: Instant, report: SenderReport) {
        if report.ssrc == self.ssrc {
            self.last_report = Some((report.ntp_middle, now));
        }
    }

    /// The 24 bytes of a report block; also starts the next interval.
    ///
    /// elsewhere: what is lost behind us, 256ths: reported in place of our own loss where it is more.
    fn take_block(&mut self, now: Instant, elsewhere: u8) -> [u8; 24] {
        let expected = self.highest - self.first + 1;
        let interval_expected = expected.saturating_sub(self.reported_expected);
        let interval_received = self.received - self.reported_received;
        (self.reported_expected, self.reported_received) = (expected, self.received);
        let interval_lost = interval_expected.saturating_sub(interval_received);
        let fraction = (interval_lost * 256).checked_div(interval_expected).unwrap_or(0).min(255);
        let lost = expected.saturating_sub(self.received).min(0x7f_ffff);
        let (last_report, delay) = self.last_report.map_or((0, 0), |(ntp, at)| (ntp, to_short_ntp(now.duration_since(at))));
        let mut block = [0; 24];
        #[allow(clippy::cast_possible_truncation)]
        // Bounded just above; the extended sequence number is the index's low 32 bits.
        let (fraction, lost, highest) = ((fraction as u8).max(elsewhere), lost as u32, self.highest as u32);
        block[0..4].copy_from_slice(&self.ssrc.to_be_bytes());
        block[4..8].copy_from_slice(&lost.to_be_bytes());
        block[4] = fraction;
        block[8..12].copy_from_slice(&highest.to_be_bytes());
        block[12..16].copy_from_slice(&(self.jitter_16 >> 4).to_be_bytes());
        block[16..20].copy_from_slice(&last_report.to_be_bytes());
        block[20..24].copy_from_slice(&delay.to_be_bytes());
        block
    }
}

/// Append RR and SDES from `ssrc` about one stream.
///
/// elsewhere: what is lost behind us, 256ths: an encoder cannot tell, and need not, on which leg its packets are lost.
pub(crate) fn write_receiver_report(ssrc: u32, statistics: &mut ReceptionStatistics, now: Instant, elsewhere: u8, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&[0x81, RECEIVER_REPORT, 0, 7]);
    buffer.extend_from_slice(&ssrc.to_be_bytes());
    buffer.extend_from_slice(&statistics.take_block(now, elsewhere));
    write_source_description(ssrc, buffer);
}

/// A duration at the 48 kHz clock, modulo 2^32.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn to_rtp_units(duration: Duration) -> u32 {
    (duration.as_nanos() * u128::from(CLOCK_RATE_HZ) / 1_000_000_000) as u32
}

/// 1/65536 s, as DLSR has it.
#[allow(clippy::cast_possible_truncation)]
fn to_short_ntp(duration: Duration) -> u32 {
    (duration.as_nanos() * 65_536 / 1_000_000_000).min(u128::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_ms(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn sender_report_reads_back_and_not_when_cut_short() {
        let info = SenderInfo { ssrc: 9, ntp: 0x1122_3344_5566_7788, timestamp: 5, packets: 6, octets: 7 };
        let mut compound = Vec::new();
        write_sender_report(info, &mut compound);
        assert_eq!(compound.len() % 4, 0);
        assert_eq!(rtcp_sender(&compound), Some(9));
        assert_eq!(SenderReport::parse(&compound), Some(SenderReport { ssrc: 9, ntp_middle: 0x3344_5566 }));
        for cut in 0..28 {
            assert_eq!(SenderReport::parse(&compound[..cut]), None);
        }
    }

    #[test]
    fn report_block_counts_loss_per_interval_and_in_all() {
        let start = Instant::now();
        let mut statistics = ReceptionStatistics::new(1, 100);
        for (index, at) in [(100, 0), (101, 20), (103, 60)] {
            statistics.on_packet(after_ms(start, at), index, u32::try_from(index).expect("small") * 960);
        }
        let block = statistics.take_block(after_ms(start, 80), 0);
        assert_eq!(block[4], 64, "one of four lost: 64/256");
        assert_eq!(block[5..8], [0, 0, 1]);
        assert_eq!(block[8..12], 103_u32.to_be_bytes());
        assert_eq!(block[12..16], [0; 4], "packets came exactly as sent");
        let block = statistics.take_block(after_ms(start, 100), 0);
        assert_eq!((block[4], block[7]), (0, 1), "nothing new was lost");
    }

    #[test]
    fn jitter_grows_when_packets_come_unevenly() {
        let start = Instant::now();
        let mut statistics = ReceptionStatistics::new(1, 0);
        statistics.on_packet(start, 0, 0);
        statistics.on_packet(after_ms(start, 40), 1, 960); // 20 ms late: 960 units, of which 1/16 counts
        assert_eq!(statistics.take_block(start, 0)[12..16], 60_u32.to_be_bytes());
    }

    #[test]
    fn delay_since_last_report_is_in_65536ths() {
        let start = Instant::now();
        let mut statistics = ReceptionStatistics::new(7, 0);
        statistics.on_sender_report(start, SenderReport { ssrc: 8, ntp_middle: 1 });
        assert_eq!(statistics.take_block(start, 0)[16..24], [0; 8], "another SSRC's report");
        statistics.on_sender_report(start, SenderReport { ssrc: 7, ntp_middle: 0xabcd });
        let block = statistics.take_block(after_ms(start, 500), 0);
        assert_eq!(block[16..20], 0xabcd_u32.to_be_bytes());
        assert_eq!(block[20..24], 32_768_u32.to_be_bytes());
    }
}
