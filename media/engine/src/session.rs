//! One WHIP or WHEP session: its transport (ICE, DTLS, SRTP), and what it carries: listening or speaking.

mod listening;
mod repair;
mod speaking;

use std::sync::Arc;
use std::time::{Duration, Instant};

use is::stun::StunMessage;
use rand::rngs::StdRng;

use crate::certificate::Fingerprint;
use crate::dtls::{DtlsProgress, DtlsServer};
use crate::ice::{Checked, IceLite};
use crate::record::{MediaRecord, RTCP_RESERVE, SessionRecord, SrtpRecord};
use crate::room::Room;
use crate::route::Route;
use crate::rtp::write_empty_report;
use crate::sdp::Direction;
use crate::srtp::{Inbound, MasterKeys, Outbound, OutboundRtp, Profile};
use crate::tally::Repaired;
use crate::transmit::Transmits;
pub(crate) use listening::Listening;
pub(crate) use repair::Repair;
pub(crate) use speaking::{Frame, MAX_FRAME_LEN, Speaking, Uplink};

/// A handshake unfinished for this long ends the session: a second less than the 15 that are promised, as they are seen from outside.
pub(crate) const PATIENCE: Duration = Duration::from_secs(14);
/// Silence from a connected peer for this long ends the session, if it was asked in vain: whoever has vanished shall be off the roster
/// within seconds. Peers check every 2.5 s (Chromium) to 6 s (RFC 7675 section 5.1) by themselves, so one lost packet could look like an
/// end: that is why they are asked.
const SILENCE: Duration = Duration::from_secs(7);
/// Silent for so long, a peer is asked whether it is there, by a check of ours, which every peer must answer at once …
const ASK_AFTER: Duration = Duration::from_secs(3);
/// … and again and again, so often.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
/// In vain so many times, it is gone. Counted, because when this engine stood still nobody was asked.
const QUESTIONS: u32 = 4;
/// Sender reports tie RTP time to the wall clock; players need the first one soon and little afterwards.
const SENDER_REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// Encoders choose bitrate and in-band FEC by the loss that receiver reports tell.
const RECEIVER_REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// A speaker gets a sign that the path works this often, and a listener whose sound has paused for so long.
pub(crate) const SIGN_INTERVAL: Duration = Duration::from_millis(250);
/// After its last sound a listener gets signs for so long. An audience that hears nothing for longer costs nothing.
pub(crate) const SIGNS_AFTER_SOUND: Duration = Duration::from_secs(15);

/// What may be a little late waits for the next multiple of this, for company: being woken costs more than a report, and thousands of
/// listeners have one due each millisecond.
const COMPANY: Duration = Duration::from_millis(20);

/// Why a session ended; the words of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// A newer session of the same person, room and direction.
    TakenOver,
    /// Their place on the stage is gone.
    LeftStage,
    /// Nothing valid came for 7 s, questions unanswered, or the handshake did not finish.
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
    /// The caller's own words about it, kept in the record.
    pub tag: Arc<[u8]>,
    /// Of its record in the book.
    pub slot: Option<u32>,
    /// Where the book has a speaker's highest index accepted.
    pub inbound_cell: Option<u32>,
    opened_at: Instant,
    /// When the peer was last asked whether it is there, and how often in a row.
    asked: Option<(Instant, u32)>,
    /// None in a session that another process began: DTLS cannot be taken over, and is needed no more.
    handshake: Option<Handshake>,
    srtp: Option<Srtp>,
    next_report: Option<Instant>,
    /// When a speaker gets a sign of life; listeners' are seen to by their views.
    next_sign: Option<Instant>,
    #[cfg(test)]
    pub panics_on_purpose: bool,
}

#[derive(Debug)]
struct Handshake {
    dtls: DtlsServer,
    expected_peer: Fingerprint,
    peer_verified: bool,
}

/// What the handshake agreed on.
#[derive(Debug)]
struct Srtp {
    inbound: Inbound,
    outbound: Outbound,
    keys: SrtpKeys,
}

/// Kept for the record.
struct SrtpKeys {
    profile: Profile,
    theirs: MasterKeys,
    ours: MasterKeys,
}

impl std::fmt::Debug for SrtpKeys {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SrtpKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl Srtp {
    fn new(profile: Profile, theirs: MasterKeys, ours: MasterKeys) -> Self {
        let (inbound, outbound) = (Inbound::new(profile, &theirs), Outbound::new(profile, &ours));
        Self { inbound, outbound, keys: SrtpKeys { profile, theirs, ours } }
    }

    fn restored(record: SrtpRecord) -> Self {
        let SrtpRecord { profile, theirs, ours, rtcp_index, rtp_streams, rtcp_streams } = record;
        let inbound = Inbound::restored(profile, &theirs, &rtp_streams, &rtcp_streams);
        let outbound = Outbound::restored(profile, &ours, rtcp_index + RTCP_RESERVE);
        Self { inbound, outbound, keys: SrtpKeys { profile, theirs, ours } }
    }

    fn record(&self) -> SrtpRecord {
        SrtpRecord {
            profile: self.keys.profile,
            theirs: self.keys.theirs.clone(),
            ours: self.keys.ours.clone(),
            rtcp_index: self.outbound.rtcp_index(),
            rtp_streams: self.inbound.rtp_streams(),
            rtcp_streams: self.inbound.rtcp_streams(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub last_in: Option<Instant>,
    pub packets_in: u64,
    pub packets_dropped: u64,
}

/// What the session is for.
#[derive(Debug)]
pub(crate) enum Media {
    Listen(Listening),
    Speak(Box<Speaking>),
}

pub(crate) fn report_interval(media: &Media) -> Duration {
    match media {
        Media::Listen(_) => SENDER_REPORT_INTERVAL,
        Media::Speak(_) => RECEIVER_REPORT_INTERVAL,
    }
}

/// The payload types agreed on, and whether missing packets may be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Formats {
    pub opus: u8,
    /// Redundant audio data.
    pub red: Option<u8>,
    pub nack: bool,
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
            tag: Arc::default(),
            slot: None,
            inbound_cell: None,
            opened_at: now,
            asked: None,
            handshake: Some(Handshake { dtls: new.dtls, expected_peer: new.expected_peer, peer_verified: false }),
            srtp: None,
            next_report: None,
            next_sign: None,
            #[cfg(test)]
            panics_on_purpose: false,
        }
    }

    /// Go on where another process stopped, connected.
    ///
    /// media: what becomes of the record's. report_at: when to report first.
    pub(crate) fn restored(now: Instant, record: SessionRecord, room: usize, mut media: Media, report_at: Instant) -> Self {
        let is_speaker = matches!(media, Media::Speak(_));
        if let Media::Listen(listening) = &mut media {
            listening.set_cipher(OutboundRtp::new(record.srtp.profile, &record.srtp.ours));
        }
        Self {
            id: record.session,
            room,
            person: record.person,
            ice: IceLite::restored(record.ice),
            first_mid: record.first_mid,
            media,
            // Whoever is there will be heard of within the patience for silence.
            counters: Counters { last_in: Some(now), ..Counters::default() },
            is_connected: true,
            queued: None,
            tag: record.tag,
            slot: None,
            inbound_cell: None,
            opened_at: now,
            asked: None,
            handshake: None,
            srtp: Some(Srtp::restored(record.srtp)),
            next_report: Some(report_at),
            next_sign: is_speaker.then_some(report_at),
            #[cfg(test)]
            panics_on_purpose: false,
        }
    }

    /// None before SRTP has its keys. media: as its numbers stand.
    pub(crate) fn record(&self, room: Arc<str>, media: MediaRecord) -> Option<SessionRecord> {
        Some(SessionRecord {
            session: self.id.clone(),
            room,
            person: self.person.clone(),
            tag: self.tag.clone(),
            first_mid: self.first_mid.clone(),
            ice: self.ice.record(),
            srtp: self.srtp.as_ref()?.record(),
            media,
        })
    }

    /// The number of the stream that the peer's last packet belongs to, and its highest index.
    pub(crate) fn newest_inbound(&self) -> Option<(usize, u64)> {
        self.srtp.as_ref()?.inbound.newest()
    }

    /// As if checks and the handshake with the peer at `route` were done.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn pretend_connected(&mut self, route: Route, profile: Profile, keys: &MasterKeys) {
        self.set_keys(profile, keys.clone(), keys.clone());
        self.ice.pretend_selected(route);
        self.is_connected = true;
    }

    /// As if so many RTCP packets had been sent.
    #[cfg(test)]
    pub(crate) fn pretend_rtcp_sent(&mut self, count: u32) {
        if let Some(Srtp { outbound, keys, .. }) = &mut self.srtp {
            *outbound = Outbound::restored(keys.profile, &keys.ours, count);
        }
    }

    pub(crate) fn direction(&self) -> Direction {
        match self.media {
            Media::Listen(_) => Direction::Listen,
            Media::Speak(_) => Direction::Speak,
        }
    }

    /// Since it began.
    pub(crate) fn repaired(&self, room: &Room) -> Repaired {
        match &self.media {
            Media::Listen(listening) => listening.leg(room).repair.tally(),
            Media::Speak(speaking) => Repaired { requested: speaking.requested(), ..Repaired::default() },
        }
    }

    pub(crate) fn next_report(&self) -> Option<Instant> {
        self.next_report
    }

    /// When [`Self::on_timeout`] is due next.
    pub(crate) fn deadline(&self, clock: NtpClock) -> Instant {
        let flight = self.handshake.as_ref().and_then(|handshake| handshake.dtls.deadline());
        let unhurried = [self.next_report, self.next_sign, self.next_question_at()].into_iter().flatten();
        let unhurried = unhurried.fold(self.gives_up_at(), Instant::min);
        let exact = flight.into_iter().chain(self.repair_deadline());
        exact.fold(clock.next_moment(unhurried, COMPANY), Instant::min)
    }

    /// When a speaker's missing packets are to be asked for. None while there is no route to ask by.
    pub(crate) fn repair_deadline(&self) -> Option<Instant> {
        match &self.media {
            Media::Speak(speaking) if self.ice.selected().is_some() => speaking.deadline(),
            Media::Speak(_) | Media::Listen(_) => None,
        }
    }

    fn gives_up_at(&self) -> Instant {
        if !self.is_connected {
            return self.opened_at + PATIENCE;
        }
        let silent = self.last_sign() + SILENCE;
        match (self.next_question_at(), self.asked) {
            (Some(next), _) => silent.max(next + ASK_INTERVAL * (QUESTIONS - self.asked_in_vain())),
            (None, Some((last, _))) => silent.max(last + ASK_INTERVAL),
            (None, None) => silent,
        }
    }

    fn last_sign(&self) -> Instant {
        self.counters.last_in.unwrap_or(self.opened_at)
    }

    /// How often the peer was asked since its last sign of life.
    fn asked_in_vain(&self) -> u32 {
        self.asked.filter(|(at, _)| *at > self.last_sign()).map_or(0, |(_, times)| times)
    }

    /// When to ask the peer whether it is there; None where there is no way to, or it was asked often enough.
    fn next_question_at(&self) -> Option<Instant> {
        self.ice.selected().filter(|_| self.is_connected && self.asked_in_vain() < QUESTIONS)?;
        let again = self.asked.map(|(at, _)| at + ASK_INTERVAL);
        Some((self.last_sign() + ASK_AFTER).max(again.unwrap_or(self.opened_at)))
    }

    fn ask_whether_there(&mut self, now: Instant, random: &mut StdRng, transmits: &mut Transmits) {
        if self.next_question_at().is_none_or(|at| now < at) {
            return;
        }
        self.asked = Some((now, self.asked_in_vain() + 1));
        if let Some((to, bytes)) = self.ice.ask_selected(random) {
            transmits.push(to, &bytes);
        }
    }

    pub(crate) fn was_active_within(&self, now: Instant, duration: Duration) -> bool {
        self.counters.last_in.is_some_and(|at| now.duration_since(at) <= duration)
    }

    /// Take a check addressed to this session. None, and nothing is sent, unless it is authentic.
    ///
    /// from: and whether another session says the same of that route. len: of the datagram.
    pub(crate) fn on_check(
        &mut self,
        now: Instant,
        message: &StunMessage<'_>,
        (from, is_contested): (Route, bool),
        len: usize,
        random: &mut StdRng,
        transmits: &mut Transmits,
    ) -> Option<Checked> {
        #[cfg(test)]
        assert!(!self.panics_on_purpose, "as the test asked");
        let checked = self.ice.on_check(message, (from, is_contested), len, random);
        self.after_check(now, from, checked, transmits)
    }

    /// Take the answer to a check of ours. None unless it is one.
    pub(crate) fn on_answer(&mut self, now: Instant, message: &StunMessage<'_>, from: Route, transmits: &mut Transmits) -> Option<Checked> {
        let checked = self.ice.on_answer(message, from);
        self.after_check(now, from, checked, transmits)
    }

    fn after_check(&mut self, now: Instant, from: Route, checked: Option<Checked>, transmits: &mut Transmits) -> Option<Checked> {
        let Some(checked) = checked else {
            self.counters.packets_dropped += 1;
            return None;
        };
        self.counters.last_in = Some(now);
        for answer in &checked.answers {
            transmits.push(from, answer);
        }
        Some(checked)
    }

    pub(crate) fn on_dtls(&mut self, now: Instant, datagram: &[u8], transmits: &mut Transmits) -> Outcome {
        let (Some(to), Some(handshake)) = (self.ice.selected(), &mut self.handshake) else {
            return Outcome::Nothing;
        };
        self.ice.begin_use();
        let progress = handshake.dtls.handle_datagram(now, datagram, |bytes| transmits.push(to, bytes));
        self.advance(now, progress)
    }

    fn advance(&mut self, now: Instant, progress: DtlsProgress) -> Outcome {
        let Some(handshake) = &mut self.handshake else {
            return Outcome::Nothing;
        };
        if let Some(peer) = progress.peer {
            if peer != handshake.expected_peer {
                return Outcome::Close(CloseReason::PeerClosed);
            }
            handshake.peer_verified = true;
        }
        let is_verified = handshake.peer_verified;
        if let Some((profile, theirs, ours)) = progress.keys {
            self.set_keys(profile, theirs, ours);
        }
        if progress.closed {
            return Outcome::Close(CloseReason::PeerClosed);
        }
        if !self.is_connected && is_verified && self.srtp.is_some() {
            self.is_connected = true;
            self.ice.prove_selected();
            self.counters.last_in = Some(now);
            self.next_report = Some(now + report_interval(&self.media));
            self.next_sign = matches!(self.media, Media::Speak(_)).then(|| now + SIGN_INTERVAL);
            return Outcome::Connected;
        }
        Outcome::Nothing
    }

    fn set_keys(&mut self, profile: Profile, theirs: MasterKeys, ours: MasterKeys) {
        if let Media::Listen(listening) = &mut self.media {
            listening.set_cipher(OutboundRtp::new(profile, &ours));
        }
        self.srtp = Some(Srtp::new(profile, theirs, ours));
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
        if let Media::Speak(speaking) = &mut self.media
            && speaking.is_clipped(now)
        {
            return None;
        }
        let unprotected = self.srtp.as_mut()?.inbound.unprotect_rtp(packet).ok()?;
        packet.truncate(unprotected.len);
        self.counters.last_in = Some(now);
        self.counters.packets_in += 1;
        let Media::Speak(speaking) = &mut self.media else {
            return None; // Listeners that offered sendrecv may send; nobody hears it.
        };
        speaking.accept(now, &unprotected.header, unprotected.index, packet)
    }

    /// Authenticate an RTCP packet from the selected route and take from it what is of use.
    pub(crate) fn on_rtcp(&mut self, now: Moment, packet: &mut [u8], room: Option<&mut Room>, transmits: &mut Transmits) {
        let unprotected = match self.srtp.as_mut() {
            Some(srtp) if self.is_connected => srtp.inbound.unprotect_rtcp(packet),
            _ => return,
        };
        let Ok(len) = unprotected else {
            self.counters.packets_dropped += 1;
            return;
        };
        self.counters.last_in = Some(now.at);
        match &mut self.media {
            Media::Speak(speaking) => speaking.on_rtcp(now.at, &packet[..len]),
            Media::Listen(listening) => {
                if let Some(room) = room {
                    listening.on_rtcp(now, &packet[..len], room, transmits);
                }
            }
        }
    }

    /// Time passed: DTLS retransmissions, reports, signs of life, giving up.
    pub(crate) fn on_timeout(
        &mut self,
        now: Instant,
        room: Option<&Room>,
        clock: NtpClock,
        random: &mut StdRng,
        transmits: &mut Transmits,
    ) -> Outcome {
        self.ask_whether_there(now, random, transmits);
        if now >= self.gives_up_at() {
            return Outcome::Close(CloseReason::TimedOut);
        }
        if self.srtp.as_ref().is_some_and(|srtp| srtp.outbound.is_used_up()) {
            return Outcome::Close(CloseReason::TimedOut); // The peer comes again, with other keys.
        }
        if let Some(handshake) = &mut self.handshake
            && handshake.dtls.deadline().is_some_and(|at| now >= at)
        {
            let to = self.ice.selected();
            let progress = handshake.dtls.handle_timeout(now, |bytes| {
                if let Some(to) = to {
                    transmits.push(to, bytes);
                }
            });
            let outcome = self.advance(now, progress);
            if outcome != Outcome::Nothing {
                return outcome;
            }
        }
        if let (Media::Speak(speaking), Some(srtp), Some(to)) = (&mut self.media, &mut self.srtp, self.ice.selected()) {
            speaking.ask_again(now, &mut srtp.outbound, to, transmits);
        }
        if self.next_report.is_some_and(|at| now >= at) {
            self.next_report = Some(now + report_interval(&self.media));
            self.send_report(now, room, clock, transmits);
        }
        if let Media::Speak(speaking) = &self.media
            && self.next_sign.is_some_and(|at| now >= at)
        {
            let ssrc = speaking.report_ssrc;
            self.next_sign = Some(now + if self.ice.selected().is_some() { SIGN_INTERVAL } else { RECEIVER_REPORT_INTERVAL });
            self.send_sign(ssrc, transmits);
        }
        Outcome::Nothing
    }

    /// Show that the path works.
    ///
    /// ssrc: of ours.
    pub(crate) fn send_sign(&mut self, ssrc: u32, transmits: &mut Transmits) {
        if let (Some(Srtp { outbound, .. }), Some(to)) = (&mut self.srtp, self.ice.selected()) {
            transmits.push_with(to, |buffer, start| {
                write_empty_report(ssrc, buffer);
                outbound.protect_rtcp(buffer, start, ssrc);
            });
        }
    }

    fn send_report(&mut self, now: Instant, room: Option<&Room>, clock: NtpClock, transmits: &mut Transmits) {
        let (Some(Srtp { outbound, .. }), Some(to)) = (&mut self.srtp, self.ice.selected()) else {
            return;
        };
        match &mut self.media {
            Media::Speak(speaking) => speaking.send_report(now, room.map_or(0, |room| room.loss.to_report()), outbound, to, transmits),
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
        if let (Some(to), Some(handshake)) = (self.ice.selected(), &mut self.handshake) {
            handshake.dtls.close(|bytes| transmits.push(to, bytes));
        }
    }
}

/// A moment by the clock that deadlines go by, and by the one that reports go by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub at: Instant,
    /// The middle 32 bits of NTP time: 1/65536 s, as reports return it (RFC 3550 section 6.4.1).
    pub ntp_middle: u32,
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

    /// The first whole number of steps since the clock was set that is not before `at`.
    pub(crate) fn next_moment(self, at: Instant, step: Duration) -> Instant {
        let since = at.saturating_duration_since(self.at).as_nanos();
        let missing = since.next_multiple_of(step.as_nanos()) - since;
        at + Duration::from_nanos(u64::try_from(missing).unwrap_or_default())
    }

    #[allow(clippy::cast_possible_truncation)] // The middle is meant.
    pub(crate) fn moment(self, now: Instant) -> Moment {
        Moment { at: now, ntp_middle: (self.ntp_at(now) >> 16) as u32 }
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
