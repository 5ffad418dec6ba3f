//! One WHIP or WHEP session: its transport (ICE, DTLS, SRTP), and what it carries: listening or speaking.

mod listening;
mod speaking;

use std::sync::Arc;
use std::time::{Duration, Instant};

use is::stun::StunMessage;

use crate::certificate::Fingerprint;
use crate::dtls::{DtlsProgress, DtlsServer};
use crate::ice::IceLite;
use crate::room::Room;
use crate::route::Route;
use crate::sdp::Direction;
use crate::srtp::{Inbound, Outbound};
#[cfg(test)]
use crate::srtp::{MasterKeys, Profile};
use crate::transmit::Transmits;
pub(crate) use listening::{ForwardedPacket, Listening};
pub(crate) use speaking::{Speaking, Uplink};

/// Silence from a peer, or a handshake unfinished, for this long ends the session. RFC 7675 gives consent 30 s; peers check every 2–5 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// Sender reports tie RTP time to the wall clock; players need the first one soon and little afterwards.
const SENDER_REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// Encoders choose bitrate and in-band FEC by the loss that receiver reports tell.
const RECEIVER_REPORT_INTERVAL: Duration = Duration::from_secs(1);

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

    /// As if checks and the handshake with the peer at `route` were done.
    #[cfg(test)]
    pub(crate) fn pretend_connected(&mut self, route: Route) {
        let keys = MasterKeys::new(&[1; 16], &[2; 14]);
        let profile = Profile::Aes128CmSha1;
        self.srtp = Some((Inbound::new(profile, &keys), Outbound::new(profile, &keys)));
        self.ice.validate(route, true);
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
    pub(crate) fn on_check(&mut self, now: Instant, message: &StunMessage<'_>, from: Route, transmits: &mut Transmits) -> bool {
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

    /// Authenticate, decrypt in place and judge an RTP packet from the selected route.
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
        speaking.accept(now, unprotected.header, unprotected.index, packet)
    }

    /// Authenticate an RTCP packet from the selected route and take from it what is of use.
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
        match &mut self.media {
            Media::Speak(speaking) => speaking.on_rtcp(now, &packet[..len]),
            Media::Listen(_) => {}
        }
    }

    /// Send a listener one packet of one of its slots.
    pub(crate) fn forward(&mut self, now: Instant, packet: ForwardedPacket<'_>, transmits: &mut Transmits) -> bool {
        let (Some((_, outbound)), Some(to), Media::Listen(listening)) = (&self.srtp, self.ice.selected(), &mut self.media) else {
            return false;
        };
        #[cfg(test)]
        assert!(!self.panics_on_purpose, "as the test asked");
        if !listening.forward(packet, outbound, to, transmits) {
            return false;
        }
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
            Media::Speak(speaking) => speaking.send_report(now, outbound, to, transmits),
            Media::Listen(listening) => {
                if let Some(room) = room {
                    listening.send_reports(now, room, clock, outbound, to, transmits);
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
    pub(crate) fn ntp_at(self, now: Instant) -> u64 {
        const SECONDS_1900_TO_1970: u128 = 2_208_988_800;
        let nanos = self.unix_nanos + now.duration_since(self.at).as_nanos();
        let seconds = nanos / 1_000_000_000 + SECONDS_1900_TO_1970;
        let fraction = ((nanos % 1_000_000_000) << 32) / 1_000_000_000;
        ((seconds << 32) | fraction) as u64
    }
}
