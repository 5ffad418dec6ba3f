//! One WHIP or WHEP session: its transport (ICE, DTLS, SRTP) and what it carries.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use is::stun::StunMessage;

use crate::certificate::Fingerprint;
use crate::dtls::{DtlsProgress, DtlsServer};
use crate::ice::IceLite;
use crate::rate::PacketBucket;
use crate::room::{LanePosition, Membership, Room, TalkMeter, Tap};
use crate::rtp::{
    ForwardedHeader, ReceptionStatistics, RtpHeader, SenderInfo, read_sender_report, write_receiver_report, write_sender_report,
};
use crate::sdp::Direction;
use crate::srtp::{Inbound, Outbound};
#[cfg(test)]
use crate::srtp::{MasterKeys, Profile};
use crate::transmit::Transmits;

/// Silence from a peer, or a handshake unfinished, for this long ends the session. RFC 7675 gives consent 30 s; peers check every 2–5 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// Sender reports tie RTP time to the wall clock; players need the first one soon and little afterwards.
const SENDER_REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// Encoders choose bitrate and in-band FEC by the loss that receiver reports tell.
const RECEIVER_REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// A stream's successor with another SSRC is believed once the first has been quiet for this long.
const STREAM_CHANGE_AFTER: Duration = Duration::from_millis(500);

/// Why a session ended; the words of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// A newer session of the same person, room and direction.
    TakenOver,
    /// Their place on the stage is gone.
    LeftStage,
    /// Nothing valid came for 15 s, or the handshake did not finish.
    TimedOut,
    /// The peer closed DTLS, its DTLS failed, or its certificate is not the one it announced.
    PeerClosed,
    /// A bug in the engine; this session alone ended.
    Internal,
    /// Whatever the caller of a command said, such as `deleted` or `removed`.
    Asked(String),
}

impl CloseReason {
    /// The word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::TakenOver => "taken_over",
            Self::LeftStage => "left_stage",
            Self::TimedOut => "timed_out",
            Self::PeerClosed => "peer_closed",
            Self::Internal => "internal",
            Self::Asked(reason) => reason,
        }
    }
}

/// What a step changed that the engine must act on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Nothing,
    Connected,
    Close(CloseReason),
}

#[derive(Debug)]
pub(crate) struct Session {
    pub id: Arc<str>,
    pub room: usize,
    pub person: Arc<str>,
    pub ice: IceLite,
    pub first_mid: String,
    pub media: Media,
    pub counters: Counters,
    pub is_connected: bool,
    /// The earliest entry of the engine's timer queue for this session.
    pub queued: Option<Instant>,
    opened_at: Instant,
    dtls: DtlsServer,
    expected_peer: Fingerprint,
    peer_verified: bool,
    srtp: Option<(Inbound, Outbound)>,
    next_report: Option<Instant>,
    #[cfg(test)]
    pub panics_on_purpose: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub last_in: Option<Instant>,
    pub last_out: Option<Instant>,
    pub packets_in: u64,
    pub packets_out: u64,
    pub packets_dropped: u64,
}

/// What the session is for.
#[derive(Debug)]
pub(crate) enum Media {
    Listen(Listening),
    Speak(Speaking),
}

#[derive(Debug)]
pub(crate) struct Listening {
    pub payload_type: u8,
    /// RFC 6464's extension id where negotiated.
    pub level_id: Option<u8>,
    pub taps: Vec<Tap>,
    /// (packets, octets of payload) sent per slot, for sender reports.
    pub sent: Vec<(u32, u32)>,
    /// None until connected.
    pub membership: Option<Membership>,
}

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

/// What opening a session takes.
pub(crate) struct NewSession {
    pub id: Arc<str>,
    pub room: usize,
    pub person: Arc<str>,
    pub ice: IceLite,
    pub first_mid: String,
    pub media: Media,
    pub dtls: DtlsServer,
    pub expected_peer: Fingerprint,
}

/// A genuine RTP packet of a speaker, for the fan-out.
pub(crate) struct Uplink {
    pub header: RtpHeader,
    pub index: u64,
    /// RFC 6464's byte, voice flag included, if the packet carries one.
    pub level: Option<u8>,
}

impl Session {
    pub(crate) fn new(now: Instant, new: NewSession) -> Self {
        Self {
            id: new.id,
            room: new.room,
            person: new.person,
            ice: new.ice,
            first_mid: new.first_mid,
            media: new.media,
            counters: Counters::default(),
            is_connected: false,
            queued: None,
            opened_at: now,
            dtls: new.dtls,
            expected_peer: new.expected_peer,
            peer_verified: false,
            srtp: None,
            next_report: None,
            #[cfg(test)]
            panics_on_purpose: false,
        }
    }

    /// As if checks and the handshake with the peer at `address` were done.
    #[cfg(test)]
    pub(crate) fn pretend_connected(&mut self, address: SocketAddr) {
        let keys = MasterKeys::new(&[1; 16], &[2; 14]);
        let profile = Profile::Aes128CmSha1;
        self.srtp = Some((Inbound::new(profile, &keys), Outbound::new(profile, &keys)));
        self.ice.validate(address, true);
        self.is_connected = true;
    }

    pub(crate) fn direction(&self) -> Direction {
        match self.media {
            Media::Listen(_) => Direction::Listen,
            Media::Speak(_) => Direction::Speak,
        }
    }

    /// When [`Self::on_timeout`] is due next.
    pub(crate) fn deadline(&self) -> Instant {
        let report = self.next_report.unwrap_or(self.gives_up_at());
        self.gives_up_at().min(self.dtls.deadline()).min(report)
    }

    fn gives_up_at(&self) -> Instant {
        let since = if self.is_connected { self.counters.last_in.unwrap_or(self.opened_at) } else { self.opened_at };
        since + PATIENCE
    }

    pub(crate) fn was_active_within(&self, now: Instant, duration: Duration) -> bool {
        self.counters.last_in.is_some_and(|at| now.duration_since(at) <= duration)
    }

    /// Answer a check addressed to this session. False, and nothing is sent, unless it is authentic.
    pub(crate) fn on_check(&mut self, now: Instant, message: &StunMessage<'_>, from: SocketAddr, transmits: &mut Transmits) -> bool {
        #[cfg(test)]
        assert!(!self.panics_on_purpose, "as the test asked");
        let Some(answer) = self.ice.answer_check(message, from) else {
            self.counters.packets_dropped += 1;
            return false;
        };
        self.counters.last_in = Some(now);
        transmits.push(from, &answer.bytes);
        answer.validates
    }

    pub(crate) fn on_dtls(&mut self, now: Instant, datagram: &[u8], transmits: &mut Transmits) -> Outcome {
        let Some(to) = self.ice.selected() else {
            return Outcome::Nothing;
        };
        let progress = self.dtls.handle_datagram(now, datagram, |bytes| transmits.push(to, bytes));
        self.advance(now, progress)
    }

    fn advance(&mut self, now: Instant, progress: DtlsProgress) -> Outcome {
        if let Some(peer) = progress.peer {
            if peer != self.expected_peer {
                return Outcome::Close(CloseReason::PeerClosed);
            }
            self.peer_verified = true;
        }
        if let Some((profile, theirs, ours)) = progress.keys {
            self.srtp = Some((Inbound::new(profile, &theirs), Outbound::new(profile, &ours)));
        }
        if progress.closed {
            return Outcome::Close(CloseReason::PeerClosed);
        }
        if !self.is_connected && self.peer_verified && self.srtp.is_some() {
            self.is_connected = true;
            self.counters.last_in = Some(now);
            self.next_report = Some(now + self.report_interval());
            return Outcome::Connected;
        }
        Outcome::Nothing
    }

    fn report_interval(&self) -> Duration {
        match self.media {
            Media::Listen(_) => SENDER_REPORT_INTERVAL,
            Media::Speak(_) => RECEIVER_REPORT_INTERVAL,
        }
    }

    /// Authenticate, decrypt in place and judge an RTP packet from the selected address.
    pub(crate) fn on_rtp(&mut self, now: Instant, packet: &mut Vec<u8>) -> Option<Uplink> {
        #[cfg(test)]
        assert!(!self.panics_on_purpose, "as the test asked");
        let accepted = self.accept_rtp(now, packet);
        if accepted.is_none() {
            self.counters.packets_dropped += 1;
        }
        accepted
    }

    fn accept_rtp(&mut self, now: Instant, packet: &mut Vec<u8>) -> Option<Uplink> {
        if !self.is_connected {
            return None;
        }
        let unprotected = self.srtp.as_mut()?.0.unprotect_rtp(packet).ok()?;
        packet.truncate(unprotected.len);
        self.counters.last_in = Some(now);
        self.counters.packets_in += 1;
        let Media::Speak(speaking) = &mut self.media else {
            return None; // Listeners that offered sendrecv may send; nobody hears it.
        };
        let header = unprotected.header;
        // After the replay window has moved on, so that a refused packet cannot be sent again; before the statistics, so that receiver
        // reports tell the loss.
        if !speaking.bucket.take(now) {
            return None;
        }
        if header.payload_type != speaking.payload_type || !speaking.belongs(now, &header, unprotected.index) {
            return None;
        }
        let level = speaking.level_id.and_then(|id| header.extension_byte(packet, id));
        Some(Uplink { header, index: unprotected.index, level })
    }

    /// Authenticate an RTCP packet from the selected address and take from it what is of use.
    pub(crate) fn on_rtcp(&mut self, now: Instant, packet: &mut [u8]) {
        let unprotected = match self.srtp.as_mut() {
            Some((inbound, _)) if self.is_connected => inbound.unprotect_rtcp(packet),
            _ => return,
        };
        let Ok(len) = unprotected else {
            self.counters.packets_dropped += 1;
            return;
        };
        self.counters.last_in = Some(now);
        if let Media::Speak(Speaking { statistics: Some(statistics), .. }) = &mut self.media
            && let Some(report) = read_sender_report(&packet[..len])
        {
            statistics.on_sender_report(now, report);
        }
    }

    /// Send a listener one packet of one of its slots.
    ///
    /// level: RFC 6464's byte as the speaker sent it.
    pub(crate) fn forward(&mut self, now: Instant, packet: ForwardedPacket<'_>, transmits: &mut Transmits) -> bool {
        let (Some((_, outbound)), Some(to), Media::Listen(listening)) = (&self.srtp, self.ice.selected(), &mut self.media) else {
            return false;
        };
        #[cfg(test)]
        assert!(!self.panics_on_purpose, "as the test asked");
        let tap = &listening.taps[packet.lane];
        let Some((index, timestamp)) = tap.place(packet.position) else {
            return false;
        };
        #[allow(clippy::cast_possible_truncation)]
        // The sequence number is the index's low 16 bits.
        let header = ForwardedHeader {
            marker: packet.position.marker,
            payload_type: listening.payload_type,
            sequence: index as u16,
            timestamp,
            ssrc: tap.ssrc,
            csrc: packet.csrc,
            level: listening.level_id.zip(packet.level),
        };
        transmits.push_with(to, |buffer, start| {
            let header_len = header.write(buffer);
            buffer.extend_from_slice(packet.payload);
            outbound.protect_rtp(buffer, start, header_len, header.ssrc, index);
        });
        let (packets, octets) = &mut listening.sent[packet.lane];
        *packets = packets.wrapping_add(1);
        #[allow(clippy::cast_possible_truncation)] // A datagram's length.
        let payload_len = packet.payload.len() as u32;
        *octets = octets.wrapping_add(payload_len);
        self.counters.packets_out += 1;
        self.counters.last_out = Some(now);
        true
    }

    /// Time passed: DTLS retransmissions, reports, giving up.
    pub(crate) fn on_timeout(&mut self, now: Instant, room: Option<&Room>, clock: NtpClock, transmits: &mut Transmits) -> Outcome {
        if now >= self.gives_up_at() {
            return Outcome::Close(CloseReason::TimedOut);
        }
        if now >= self.dtls.deadline() {
            let to = self.ice.selected();
            let progress = self.dtls.handle_timeout(now, |bytes| {
                if let Some(to) = to {
                    transmits.push(to, bytes);
                }
            });
            let outcome = self.advance(now, progress);
            if outcome != Outcome::Nothing {
                return outcome;
            }
        }
        if self.next_report.is_some_and(|at| now >= at) {
            self.next_report = Some(now + self.report_interval());
            self.send_report(now, room, clock, transmits);
        }
        Outcome::Nothing
    }

    fn send_report(&mut self, now: Instant, room: Option<&Room>, clock: NtpClock, transmits: &mut Transmits) {
        let (Some((_, outbound)), Some(to)) = (&mut self.srtp, self.ice.selected()) else {
            return;
        };
        match &mut self.media {
            Media::Speak(Speaking { report_ssrc, statistics: Some(statistics), .. }) => transmits.push_with(to, |buffer, start| {
                write_receiver_report(*report_ssrc, statistics, now, buffer);
                outbound.protect_rtcp(buffer, start, *report_ssrc);
            }),
            Media::Speak(_) => {}
            Media::Listen(listening) => {
                let (Some(room), Some(membership)) = (room, listening.membership) else {
                    return;
                };
                let lanes = &room.view(membership.view).lanes;
                for ((tap, lane), (packets, octets)) in listening.taps.iter().zip(lanes).zip(&listening.sent) {
                    if *packets == 0 {
                        continue;
                    }
                    let timestamp = tap.timestamp_at(lane, now);
                    let info = SenderInfo { ssrc: tap.ssrc, ntp: clock.ntp_at(now), timestamp, packets: *packets, octets: *octets };
                    transmits.push_with(to, |buffer, start| {
                        write_sender_report(info, buffer);
                        outbound.protect_rtcp(buffer, start, tap.ssrc);
                    });
                }
            }
        }
    }

    /// Say goodbye over DTLS; nothing may be sent afterwards.
    pub(crate) fn close(&mut self, transmits: &mut Transmits) {
        self.srtp = None;
        if let Some(to) = self.ice.selected() {
            self.dtls.close(|bytes| transmits.push(to, bytes));
        }
    }
}

impl Speaking {
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
}

/// A speaker's packet on its way to one listener.
#[derive(Clone, Copy)]
pub(crate) struct ForwardedPacket<'a> {
    pub lane: usize,
    pub position: LanePosition,
    pub csrc: u32,
    pub level: Option<u8>,
    pub payload: &'a [u8],
}

/// Wall time without a clock: what it was at one moment, told by the driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NtpClock {
    at: Instant,
    unix_nanos: u128,
}

impl NtpClock {
    pub(crate) fn new(at: Instant, unix: Duration) -> Self {
        Self { at, unix_nanos: unix.as_nanos() }
    }

    /// 32.32 fixed point seconds since 1900 (RFC 3550 section 4).
    #[allow(clippy::cast_possible_truncation)] // Wraps in 2036, as NTP does.
    fn ntp_at(self, now: Instant) -> u64 {
        const SECONDS_1900_TO_1970: u128 = 2_208_988_800;
        let nanos = self.unix_nanos + now.duration_since(self.at).as_nanos();
        let seconds = nanos / 1_000_000_000 + SECONDS_1900_TO_1970;
        let fraction = ((nanos % 1_000_000_000) << 32) / 1_000_000_000;
        ((seconds << 32) | fraction) as u64
    }
}
