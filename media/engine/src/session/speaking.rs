//! What a speaker sends: which packets are speech to be forwarded, and the reports their encoder goes by.

use std::time::{Duration, Instant};

use crate::rate::PacketBucket;
use crate::room::TalkMeter;
use crate::route::Route;
use crate::rtp::{ReceptionStatistics, RtpHeader, read_sender_report, write_receiver_report};
use crate::srtp::Outbound;
use crate::transmit::Transmits;

/// A stream's successor with another SSRC is believed once the first has been quiet for this long.
const STREAM_CHANGE_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Speaking {
    pub payload_type: u8,
    pub level_id: Option<u8>,
    /// Our SSRC in receiver reports.
    pub report_ssrc: u32,
    /// The stream being heard.
    pub statistics: Option<ReceptionStatistics>,
    pub last_packet: Option<Instant>,
    pub bucket: PacketBucket,
    pub talk: TalkMeter,
}

/// A genuine RTP packet of a speaker, for the fan-out.
pub(crate) struct Uplink {
    pub header: RtpHeader,
    pub index: u64,
    /// RFC 6464's byte, voice flag included, if the packet carries one.
    pub level: Option<u8>,
}

impl Speaking {
    /// Judge a genuine packet, decrypted. None if it is not to be forwarded.
    pub(super) fn accept(&mut self, now: Instant, header: RtpHeader, index: u64, packet: &[u8]) -> Option<Uplink> {
        // After the replay window has moved on, so that a refused packet cannot be sent again; before the statistics, so that receiver
        // reports tell the loss.
        if !self.bucket.take(now) {
            return None;
        }
        if header.payload_type != self.payload_type || !self.belongs(now, &header, index) {
            return None;
        }
        let level = self.level_id.and_then(|id| header.extension_byte(packet, id));
        Some(Uplink { header, index, level })
    }

    /// Whether a genuine packet is of the stream being heard; a successor with another SSRC is taken up once the first is quiet.
    fn belongs(&mut self, now: Instant, header: &RtpHeader, index: u64) -> bool {
        let is_quiet = self.last_packet.is_none_or(|at| now.duration_since(at) >= STREAM_CHANGE_AFTER);
        match &mut self.statistics {
            Some(statistics) if statistics.ssrc() == header.ssrc => statistics.on_packet(now, index, header.timestamp),
            Some(_) if !is_quiet => return false,
            other => {
                let mut statistics = ReceptionStatistics::new(header.ssrc, index);
                statistics.on_packet(now, index, header.timestamp);
                *other = Some(statistics);
            }
        }
        self.last_packet = Some(now);
        true
    }

    /// Take what is of use from a genuine compound packet: a sender report, for the round trip.
    pub(super) fn on_rtcp(&mut self, now: Instant, packet: &[u8]) {
        if let (Some(statistics), Some(report)) = (&mut self.statistics, read_sender_report(packet)) {
            statistics.on_sender_report(now, report);
        }
    }

    /// A receiver report, once anything has been heard.
    pub(super) fn send_report(&mut self, now: Instant, outbound: &mut Outbound, to: Route, transmits: &mut Transmits) {
        let Some(statistics) = &mut self.statistics else {
            return;
        };
        transmits.push_with(to, |buffer, start| {
            write_receiver_report(self.report_ssrc, statistics, now, buffer);
            outbound.protect_rtcp(buffer, start, self.report_ssrc);
        });
    }
}
