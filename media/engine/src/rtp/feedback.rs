//! What peers report (RFC 3550 section 6.4) and ask for again (generic NACK, RFC 4585 section 6.2.1).

use std::time::Duration;

use super::rtcp::{RECEIVER_REPORT, SENDER_REPORT, SenderReport, write_empty_report};

/// Transport layer feedback and its format for generic NACK.
const TRANSPORT_FEEDBACK: u8 = 205;
const GENERIC_NACK: u8 = 1;
const BLOCK_LEN: usize = 24;
/// Packets that one entry names: its own, and 16 by a bit each.
const ENTRY_SPAN: u16 = 16;
/// Entries looked at in one packet: 16 name more packets than any history holds.
const MAX_ENTRIES: usize = 16;

/// One packet of a compound, as far as it is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback<'a> {
    /// A sender's own clock; its report blocks follow as [`Feedback::Reception`].
    Sender(SenderReport),
    Reception(ReportBlock),
    Nack(Nack<'a>),
}

/// How one of our streams arrives there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportBlock {
    /// Of our stream.
    pub ssrc: u32,
    /// Lost since their last report, 256ths.
    pub fraction_lost: u8,
    /// Since the start; negative if more came than were expected, by duplicates.
    pub cumulative_lost: i32,
    /// Extended by the rollovers they counted.
    pub highest_sequence: u32,
    /// RTP units.
    pub jitter: u32,
    /// The middle of our last report's NTP time, 0 if none came; and how long ago it came, 1/65536 s.
    pub last_report: u32,
    pub delay_since: u32,
}

impl ReportBlock {
    fn parse(block: &[u8; BLOCK_LEN]) -> Self {
        let word = |at: usize| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        Self {
            ssrc: word(0),
            fraction_lost: block[4],
            // 24 bits, signed.
            cumulative_lost: (word(4) << 8).cast_signed() >> 8,
            highest_sequence: word(8),
            jitter: word(12),
            last_report: word(16),
            delay_since: word(20),
        }
    }

    /// From our report to this one, less what it lay there (RFC 3550 section 6.4.1). None if it answers none of ours, or if by what it
    /// says it came before it was sent.
    ///
    /// arrived: the middle 32 bits of our NTP time.
    pub(crate) fn round_trip(&self, arrived: u32) -> Option<Duration> {
        let units = arrived.wrapping_sub(self.last_report).wrapping_sub(self.delay_since).cast_signed();
        let units = u64::try_from(units).ok().filter(|_| self.last_report != 0)?;
        Some(Duration::from_nanos(units * 1_000_000_000 / 65_536))
    }
}

/// Packets asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nack<'a> {
    /// The stream they are missing from.
    pub ssrc: u32,
    entries: &'a [u8],
}

impl Nack<'_> {
    /// The missing sequence numbers, each entry's in rising order. At most 272.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = u16> {
        self.entries.as_chunks::<4>().0.iter().take(MAX_ENTRIES).flat_map(|entry| {
            let (first, following) = (u16::from_be_bytes([entry[0], entry[1]]), u16::from_be_bytes([entry[2], entry[3]]));
            let others = (0..ENTRY_SPAN).filter(move |bit| following >> bit & 1 == 1).map(move |bit| first.wrapping_add(bit + 1));
            std::iter::once(first).chain(others)
        })
    }
}

/// Hand each part of a decrypted compound packet to `take`, up to the first that is cut short.
pub(crate) fn read_feedback<'a>(compound: &'a [u8], mut take: impl FnMut(Feedback<'a>)) {
    let mut rest = compound;
    while let Some(head) = rest.first_chunk::<4>() {
        let len = 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
        let Some((packet, following)) = rest.split_at_checked(len) else {
            return;
        };
        let (count, kind) = (head[0] & 0x1f, head[1]);
        match kind {
            SENDER_REPORT => {
                if let Some(report) = SenderReport::parse(packet) {
                    take(Feedback::Sender(report));
                }
                read_blocks(packet.get(28..), count, &mut take);
            }
            RECEIVER_REPORT => read_blocks(packet.get(8..), count, &mut take),
            TRANSPORT_FEEDBACK if count == GENERIC_NACK => {
                if let Some((fields, entries)) = packet.split_first_chunk::<12>() {
                    let ssrc = u32::from_be_bytes([fields[8], fields[9], fields[10], fields[11]]);
                    take(Feedback::Nack(Nack { ssrc, entries }));
                }
            }
            _ => {}
        }
        rest = following;
    }
}

fn read_blocks<'a>(blocks: Option<&[u8]>, count: u8, take: &mut impl FnMut(Feedback<'a>)) {
    let blocks = blocks.unwrap_or_default().as_chunks::<BLOCK_LEN>().0;
    for block in blocks.iter().take(count.into()) {
        take(Feedback::Reception(ReportBlock::parse(block)));
    }
}

/// Append a compound packet from `ssrc` that asks for packets of `media_ssrc` again: an empty receiver report, since not every peer
/// takes feedback alone (RFC 5506), and the NACK.
///
/// missing: sequence numbers in rising order, modulo 2^16; not empty.
pub(crate) fn write_nack(ssrc: u32, media_ssrc: u32, missing: &[u16], buffer: &mut Vec<u8>) {
    write_empty_report(ssrc, buffer);
    let start = buffer.len();
    buffer.extend_from_slice(&[0x80 | GENERIC_NACK, TRANSPORT_FEEDBACK, 0, 0]);
    buffer.extend_from_slice(&ssrc.to_be_bytes());
    buffer.extend_from_slice(&media_ssrc.to_be_bytes());
    let mut rest = missing;
    while let Some((first, others)) = rest.split_first() {
        let near = others.iter().take_while(|other| (1..=ENTRY_SPAN).contains(&other.wrapping_sub(*first))).count();
        let following = others[..near].iter().fold(0_u16, |bits, other| bits | 1 << (other.wrapping_sub(*first) - 1));
        buffer.extend_from_slice(&first.to_be_bytes());
        buffer.extend_from_slice(&following.to_be_bytes());
        rest = &others[near..];
    }
    #[allow(clippy::cast_possible_truncation)] // At most 2^16 entries would fit, and nobody misses so many.
    let words = ((buffer.len() - start) / 4 - 1) as u16;
    buffer[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::rtcp::{ReceptionStatistics, SenderInfo, write_receiver_report, write_sender_report};
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, RngExt, SeedableRng};
    use std::time::Instant;

    fn all(compound: &[u8]) -> Vec<Feedback<'_>> {
        let mut parts = Vec::new();
        read_feedback(compound, |part| parts.push(part));
        parts
    }

    fn asked_for(compound: &[u8]) -> (u32, Vec<u16>) {
        match all(compound)[..] {
            [Feedback::Nack(nack)] => (nack.ssrc, nack.sequences().collect()),
            ref other => panic!("one NACK, not {other:?}"),
        }
    }

    #[test]
    fn round_trip_is_what_is_left_of_the_time_between_two_reports() {
        let block = |last_report, delay_since| ReportBlock {
            ssrc: 1,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_report,
            delay_since,
        };
        // RFC 3550's own example, figure 2: sent at b705:2000, lay there for 5.250 s, came back at b710:8000.
        assert_eq!(block(0xb705_2000, 0x0005_4000).round_trip(0xb710_8000), Some(Duration::from_millis(6_125)));
        assert_eq!(
            block(0xffff_ff00, 0x80).round_trip(0x80),
            Some(Duration::from_nanos(0x100 * 1_000_000_000 / 65_536)),
            "the clock wraps"
        );
        assert_eq!(block(0, 0).round_trip(5), None, "no report of ours has come there");
        assert_eq!(block(0xb705_2000, 0x000c_0000).round_trip(0xb710_8000), None, "it says that it lay there longer than it was away");
    }

    #[test]
    fn nack_is_laid_out_as_the_rfc_says() {
        let mut compound = Vec::new();
        write_nack(1, 2, &[100, 101, 116, 117], &mut compound);
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        let nack = [0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 100, 0x80, 0x01, 0, 117, 0, 0];
        assert_eq!(compound, [&report[..], &nack].concat());
    }

    #[test]
    fn nack_reads_back_across_the_rollover() {
        let missing = [65_530, 65_535, 0, 3, 500];
        let mut compound = Vec::new();
        write_nack(1, 0xaabb_ccdd, &missing, &mut compound);
        assert_eq!(asked_for(&compound), (0xaabb_ccdd, missing.to_vec()));
    }

    #[test]
    fn any_set_of_missing_packets_reads_back() {
        let mut random = StdRng::seed_from_u64(4585);
        for _ in 0..5_000 {
            let first: u16 = random.random();
            let missing: Vec<u16> = (0..64_u16).filter(|_| random.random_bool(0.3)).map(|ahead| first.wrapping_add(ahead)).collect();
            if missing.is_empty() {
                continue;
            }
            let mut compound = Vec::new();
            write_nack(1, 2, &missing, &mut compound);
            assert_eq!(asked_for(&compound), (2, missing));
        }
    }

    #[test]
    fn a_nack_of_a_thousand_entries_names_a_few_packets_only() {
        let mut compound = vec![0x81, 205, 0x03, 0xea, 0, 0, 0, 1, 0, 0, 0, 2];
        compound.resize(12 + 4_000, 0xff);
        assert_eq!(asked_for(&compound).1.len(), MAX_ENTRIES * 17);
    }

    #[test]
    fn report_block_reads_back_from_both_kinds_of_report() {
        let start = Instant::now();
        let mut statistics = ReceptionStatistics::new(7, 0x1_fffe);
        for index in [0x1_fffe, 0x2_0001] {
            statistics.on_packet(start, index, 0);
        }
        statistics.on_sender_report(start, SenderReport { ssrc: 7, ntp_middle: 0x0010_0000 });
        let mut compound = Vec::new();
        write_receiver_report(9, &mut statistics, start + Duration::from_millis(250), 0, &mut compound);
        let [Feedback::Reception(block)] = all(&compound)[..] else { panic!("one block") };
        assert_eq!((block.ssrc, block.fraction_lost, block.cumulative_lost), (7, 128, 2));
        assert_eq!((block.highest_sequence, block.last_report, block.delay_since), (0x2_0001, 0x0010_0000, 16_384));

        let mut sender = Vec::new();
        write_sender_report(SenderInfo { ssrc: 9, ntp: 0x1122_3344_5566_7788, timestamp: 5, packets: 6, octets: 7 }, &mut sender);
        sender[0] |= 1;
        sender[3] += 6;
        sender.splice(28..28, compound[8..32].iter().copied());
        let report = SenderReport { ssrc: 9, ntp_middle: 0x3344_5566 };
        assert_eq!(all(&sender), [Feedback::Sender(report), Feedback::Reception(block)]);
    }

    #[test]
    fn negative_loss_is_understood() {
        let mut block = [0; BLOCK_LEN];
        block[5..8].copy_from_slice(&[0xff, 0xff, 0xfe]);
        assert_eq!(ReportBlock::parse(&block).cumulative_lost, -2);
    }

    #[test]
    fn noise_and_cut_packets_give_nothing_beyond_their_bytes() {
        let mut random = StdRng::seed_from_u64(3550);
        for _ in 0..200_000 {
            let mut noise = vec![0; random.random_range(0..=80)];
            random.fill_bytes(&mut noise);
            if noise.len() > 3 {
                noise[1] = [SENDER_REPORT, RECEIVER_REPORT, TRANSPORT_FEEDBACK, 202][random.random_range(0..4)];
                noise[2] = 0;
                noise[3] %= 24;
            }
            read_feedback(&noise, |part| {
                if let Feedback::Nack(nack) = part {
                    assert!(nack.sequences().count() <= 17 * noise.len() / 4);
                }
            });
        }
        let mut compound = Vec::new();
        write_nack(1, 2, &[3], &mut compound);
        for cut in 0..compound.len() {
            assert_eq!(all(&compound[..cut]), [], "{cut} bytes");
        }
    }
}
