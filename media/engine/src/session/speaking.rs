//! What a speaker sends: which packets are speech to be forwarded, and the reports their encoder goes by.

mod gaps;

use std::ops::Range;
use std::time::{Duration, Instant};

use super::Formats;
use crate::rate::{PACKETS, TokenBucket};
use crate::room::TalkMeter;
use crate::route::Route;
use crate::rtp::red::Redundant;
use crate::rtp::{Feedback, ReceptionStatistics, RtpHeader, read_feedback, write_nack, write_receiver_report};
use crate::srtp::Outbound;
use crate::transmit::Transmits;
use gaps::Gaps;

/// A stream's successor with another SSRC is believed once the first has been quiet for this long.
const STREAM_CHANGE_AFTER: Duration = Duration::from_millis(500);

/// Longest frame forwarded: Opus's have at most 1275 bytes (RFC 6716 section 3.2.1), a little more is forgiven. With our header, the
/// tag, UDP and IP it still fits into a frame of Ethernet, as the sockets may not fragment.
pub(crate) const MAX_FRAME_LEN: usize = 1_400;

#[derive(Debug)]
pub(crate) struct Speaking {
    pub formats: Formats,
    pub level_id: Option<u8>,
    /// Our SSRC in receiver reports.
    pub report_ssrc: u32,
    /// The stream being heard.
    stream: Option<Stream>,
    pub last_packet: Option<Instant>,
    pub bucket: TokenBucket,
    pub talk: TalkMeter,
    /// Sequence numbers on their way into a NACK; kept for its memory.
    due: Vec<u16>,
    /// How many were asked for again.
    requested: u64,
}

#[derive(Debug)]
struct Stream {
    statistics: ReceptionStatistics,
    gaps: Gaps,
    /// RTP time of the packet with the highest index.
    newest: u32,
}

/// What one genuine packet of a speaker brought, for the fan-out.
pub(crate) struct Uplink {
    pub ssrc: u32,
    pub marker: bool,
    /// The packet fills a gap: later ones came before it.
    pub is_late: bool,
    /// RFC 6464's byte, voice flag included, if the packet carries one; of the newest frame.
    pub level: Option<u8>,
    pub newest: Frame,
    /// Lost frames that it brings copies of, oldest first.
    pub recovered: Vec<Frame>,
}

/// A frame of Opus in the packet at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// 48 bits, of the packet it was first sent in.
    pub index: u64,
    pub timestamp: u32,
    /// Where it lies in the decrypted packet.
    pub bytes: Range<usize>,
}

impl Speaking {
    pub(crate) fn new(now: Instant, formats: Formats, level_id: Option<u8>, report_ssrc: u32) -> Self {
        Self {
            formats,
            level_id,
            report_ssrc,
            stream: None,
            last_packet: None,
            bucket: TokenBucket::new(PACKETS, now),
            talk: TalkMeter::new(now),
            due: Vec::new(),
            requested: 0,
        }
    }

    /// Whether any packet would be one too many: none is worth decrypting then.
    ///
    /// Only genuine packets empty the bucket, so nobody silences a speaker from outside. What is dropped here is not noted in the replay
    /// window: sent again by somebody who saw it, it may be taken, once, as if it had been late on its way. The rollover is not lost
    /// below 32,768 packets between two tokens, 3 million a second.
    pub(super) fn is_clipped(&mut self, now: Instant) -> bool {
        self.bucket.is_empty(now)
    }

    /// Judge a genuine packet, decrypted. None if there is nothing in it to be forwarded.
    pub(super) fn accept(&mut self, now: Instant, header: &RtpHeader, index: u64, packet: &[u8]) -> Option<Uplink> {
        // Before the statistics, so that receiver reports tell the loss.
        if !self.bucket.take(now) {
            return None;
        }
        let payload = header.payload(packet)?;
        let (frame, copies) = self.formats.take_apart(header.payload_type, payload)?;
        if frame.len() > MAX_FRAME_LEN || !self.belongs(now, header, index) {
            return None;
        }
        let stream = self.stream.as_mut()?;
        let is_late = !stream.gaps.is_newest(index);
        let after = (!is_late).then_some(stream.newest);
        if !stream.gaps.on_packet(now, index) {
            return None; // Its copy came before it, or it comes too late for everybody.
        }
        if !is_late {
            stream.newest = header.timestamp;
        }
        let place_of = |bytes: &[u8]| {
            let start = bytes.as_ptr().addr() - packet.as_ptr().addr();
            start..start + bytes.len()
        };
        // A frame from a copy costs each listener as much as a packet of its own.
        let may_pass = || self.bucket.take(now);
        let recovered = copies.map(|copies| stream.recover(after, index, header.timestamp, &copies, self.formats.opus, place_of, may_pass));
        Some(Uplink {
            ssrc: header.ssrc,
            marker: header.marker,
            is_late,
            level: self.level_id.and_then(|id| header.extension_byte(packet, id)),
            newest: Frame { index, timestamp: header.timestamp, bytes: place_of(frame) },
            recovered: recovered.unwrap_or_default(),
        })
    }

    /// Whether a genuine packet is of the stream being heard; a successor with another SSRC is taken up once the first is quiet.
    fn belongs(&mut self, now: Instant, header: &RtpHeader, index: u64) -> bool {
        let is_quiet = self.last_packet.is_none_or(|at| now.duration_since(at) >= STREAM_CHANGE_AFTER);
        match &mut self.stream {
            Some(stream) if stream.statistics.ssrc() == header.ssrc => stream.statistics.on_packet(now, index, header.timestamp),
            Some(_) if !is_quiet => return false,
            other => {
                let mut statistics = ReceptionStatistics::new(header.ssrc, index);
                statistics.on_packet(now, index, header.timestamp);
                *other = Some(Stream { statistics, gaps: Gaps::new(), newest: header.timestamp });
            }
        }
        self.last_packet = Some(now);
        true
    }

    /// To the speaker and back, as far as lost packets have shown it.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.stream.as_ref()?.gaps.seen_round_trip()
    }

    /// How many packets were asked for again.
    pub(super) fn requested(&self) -> u64 {
        self.requested
    }

    /// When [`Self::ask_again`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.stream.as_ref().filter(|_| self.formats.nack)?.gaps.deadline()
    }

    /// Ask for missing packets, where the time has come.
    pub(super) fn ask_again(&mut self, now: Instant, outbound: &mut Outbound, to: Route, transmits: &mut Transmits) {
        let Some(stream) = self.stream.as_mut().filter(|_| self.formats.nack) else {
            return;
        };
        stream.gaps.take_due(now, &mut self.due);
        self.requested += self.due.len() as u64;
        if !self.due.is_empty() {
            transmits.push_with(to, |buffer, start| {
                write_nack(self.report_ssrc, stream.statistics.ssrc(), &self.due, buffer);
                outbound.protect_rtcp(buffer, start, self.report_ssrc);
            });
        }
    }

    /// Take what is of use from a genuine compound packet: a sender report, for the round trip.
    pub(super) fn on_rtcp(&mut self, now: Instant, packet: &[u8]) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        read_feedback(packet, |part| {
            if let Feedback::Sender(report) = part {
                stream.statistics.on_sender_report(now, report);
            }
        });
    }

    /// A receiver report, once anything has been heard.
    ///
    /// elsewhere: the loss among listeners, 256ths.
    pub(super) fn send_report(&mut self, now: Instant, elsewhere: u8, outbound: &mut Outbound, to: Route, transmits: &mut Transmits) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        transmits.push_with(to, |buffer, start| {
            write_receiver_report(self.report_ssrc, &mut stream.statistics, now, elsewhere, buffer);
            outbound.protect_rtcp(buffer, start, self.report_ssrc);
        });
    }
}

impl Formats {
    /// The newest frame of a payload, and what brings copies. None for anything but the formats agreed on.
    fn take_apart<'a>(self, payload_type: u8, payload: &'a [u8]) -> Option<(&'a [u8], Option<Redundant<'a>>)> {
        if payload_type == self.opus {
            return Some((payload, None));
        }
        if Some(payload_type) != self.red {
            return None;
        }
        let redundant = Redundant::parse(payload).filter(|redundant| redundant.payload_type == self.opus)?;
        Some((redundant.newest, Some(redundant)))
    }
}

impl Stream {
    /// The missing frames among `copies`, oldest first.
    ///
    /// RFC 2198 tells the copies' times and not their numbers. Senders copy the frames just before the newest one, so that counting
    /// back numbers them; a copy whose time is not between its neighbours' shows that this sender does not, and nothing is taken.
    ///
    /// after: RTP time of the packet that was newest before this one; None if this one comes late itself. may_pass: asked for each
    /// missing frame.
    #[allow(clippy::too_many_arguments)] // A packet's place, its copies, and what to make of them.
    fn recover(
        &mut self,
        after: Option<u32>,
        index: u64,
        timestamp: u32,
        copies: &Redundant<'_>,
        opus: u8,
        place_of: impl Fn(&[u8]) -> Range<usize>,
        mut may_pass: impl FnMut() -> bool,
    ) -> Vec<Frame> {
        let mut recovered = Vec::new();
        let mut later = timestamp;
        for (copy, behind) in copies.copies_newest_first().zip(1..) {
            let at = timestamp.wrapping_sub(copy.offset);
            let Some(index) = index.checked_sub(behind).filter(|_| is_after(later, at) && after.is_none_or(|after| is_after(at, after)))
            else {
                break;
            };
            later = at;
            let is_frame = copy.payload_type == opus && !copy.payload.is_empty();
            if is_frame && self.gaps.on_copy(index) && may_pass() {
                recovered.push(Frame { index, timestamp: at, bytes: place_of(copy.payload) });
            }
        }
        recovered.reverse();
        recovered
    }
}

/// In RTP time, which wraps.
fn is_after(later: u32, earlier: u32) -> bool {
    later.wrapping_sub(earlier).cast_signed() > 0
}

#[cfg(test)]
mod tests;
