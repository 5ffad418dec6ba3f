//! Ingress: one port for STUN, DTLS and media, and the gates each must pass.

use crate::route::Route;
use std::time::{Duration, Instant};

use is::stun::StunMessage;

use super::fanout::WaitingFrame;
use super::{Engine, guarded};
use crate::ice::addressed_ufrag;
use crate::room::{ASSUMED_LEVEL, Room, SILENCE_LEVEL, StreamKey, UplinkPosition};
use crate::rtp;
use crate::session::{Frame, Media, Session, Uplink};
use crate::slab::SessionKey;
use crate::tally::Dropped;
use crate::transmit::Transmits;

/// Longest datagram looked at: Ethernet's MTU. Opus at its highest bitrate fills 1275 bytes.
const MAX_DATAGRAM_LEN: usize = 1_500;
/// A route that served a live session within this time stays that session's: a peer of another session cannot take it by
/// checks with a forged source.
const ADDRESS_KEPT_FOR: Duration = Duration::from_secs(5);
/// Opus frames up to this long carry no speech: DTX sends a lone TOC byte, or two bytes of it (RFC 6716 section 3.1, RFC 7587 section 3.1.3).
const LONGEST_DTX_PAYLOAD: usize = 2;

/// How a route stands to a session from whose peer a check came there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Free,
    /// The peer of another session, here or at another engine, has said that it is there, and has not proven it.
    Contested,
    /// Another session's peer is there.
    Taken,
}

/// What a check may change of where a session's packets come from and go to.
#[derive(PartialEq, Eq)]
struct PathState {
    is_validated: bool,
    selected: Option<Route>,
}

impl PathState {
    fn of(session: &Session, route: Route) -> Self {
        Self { is_validated: session.ice.has_validated(route), selected: session.ice.selected() }
    }
}

/// What became of an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Taken,
    /// Authentic, of somebody who may not be heard.
    Unheard,
    Refused,
}

impl Engine {
    /// is_contested: another engine's session claims the route as well.
    pub(super) fn handle_datagram(&mut self, now: Instant, (from, is_contested): (Route, bool), bytes: &[u8]) {
        self.totals.packets_in += 1;
        let (taken, counter): (bool, fn(&mut Dropped) -> &mut u64) = match bytes.first() {
            _ if bytes.len() > MAX_DATAGRAM_LEN => (false, |dropped| &mut dropped.other),
            // RFC 7983 section 7.
            Some(0..=3) => (self.handle_stun(now, (from, is_contested), bytes), |dropped| &mut dropped.stun),
            Some(20..=63) => (self.handle_dtls(now, from, bytes), |dropped| &mut dropped.dtls),
            Some(128..=191) if rtp::is_rtcp(bytes) => (self.handle_rtcp(now, from, bytes), |dropped| &mut dropped.rtcp),
            Some(128..=191) => match self.handle_rtp(now, from, bytes) {
                Heard::Unheard => (false, |dropped| &mut dropped.unheard),
                heard => (heard == Heard::Taken, |dropped| &mut dropped.rtp),
            },
            _ => (false, |dropped| &mut dropped.other),
        };
        if !taken {
            *counter(&mut self.totals.dropped) += 1;
        }
    }

    fn handle_stun(&mut self, now: Instant, (from, is_contested): (Route, bool), bytes: &[u8]) -> bool {
        let Ok(message) = StunMessage::parse(bytes) else {
            return false;
        };
        if message.is_successful_binding_response() {
            return self.handle_answer(now, from, &message);
        }
        if !message.is_binding_request() {
            return false;
        }
        let Some(key) = addressed_ufrag(&message).and_then(|ufrag| self.by_ufrag.get(ufrag)).copied() else {
            return false;
        };
        let claim = self.claim_on(now, (from, is_contested), key);
        if claim == Claim::Taken {
            return false;
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return false;
        };
        let (before, random) = (PathState::of(session, from), &mut self.random);
        let checked = guarded(&mut self.control, |control| {
            session.on_check(now, &message, (from, claim == Claim::Contested), bytes.len(), random, control)
        });
        match checked {
            Some(Some(checked)) if checked.validates => {
                let finished = session.ice.finish_restart(&message);
                if let Some(ufrag) = &finished {
                    self.by_ufrag.remove(ufrag);
                }
                if let Some(forgotten) = checked.forgotten {
                    self.challengers.remove(forgotten, key);
                    if self.by_route.get(&forgotten) == Some(&key) {
                        self.by_route.remove(&forgotten);
                    }
                }
                if claim == Claim::Contested {
                    self.challengers.add(from, key);
                } else {
                    self.challengers.remove(from, key);
                    self.by_route.insert(from, key);
                }
                self.keep_path(key, from, before, finished.is_some());
            }
            Some(Some(_)) => {}
            Some(None) => return false,
            None => self.act_on(now, key, None),
        }
        true
    }

    /// The peer answers a check of ours: it receives where it says it is.
    fn handle_answer(&mut self, now: Instant, from: Route, message: &StunMessage<'_>) -> bool {
        let holder = self.by_route.get(&from).copied();
        let is_asked = |key: &SessionKey| self.sessions.get(*key).is_some_and(|session| session.ice.has_asked(message, from));
        let Some(key) = holder.into_iter().chain(self.challengers.of(from)).find(is_asked).or(holder) else {
            return false;
        };
        let Some(session) = self.sessions.get_mut(key) else {
            return false;
        };
        let before = PathState::of(session, from);
        match guarded(&mut self.control, |control| session.on_answer(now, message, from, control)) {
            Some(Some(_)) => {
                self.settle_claim(from, key);
                self.keep_path(key, from, before, true);
            }
            Some(None) => return false,
            None => self.act_on(now, key, None),
        }
        true
    }

    /// Let the record say what a check has changed.
    fn keep_path(&mut self, key: SessionKey, from: Route, before: PathState, is_changed: bool) {
        self.update_leg(key);
        let after = self.sessions.get(key).map(|session| PathState::of(session, from));
        if is_changed || after.is_some_and(|after| after != before) {
            self.keep(key);
        }
    }

    fn claim_on(&self, now: Instant, (from, is_contested): (Route, bool), key: SessionKey) -> Claim {
        let holder = self.by_route.get(&from).copied();
        if holder == Some(key) {
            return Claim::Free;
        }
        let is_proved = |session: &Session| session.ice.has_proved(from);
        let holder = holder.and_then(|holder| self.sessions.get(holder)).filter(|holder| holder.was_active_within(now, ADDRESS_KEPT_FOR));
        match holder.map(is_proved) {
            Some(true) => Claim::Taken,
            None if !is_contested => Claim::Free,
            _ if self.sessions.get(key).is_some_and(is_proved) => Claim::Free,
            _ => Claim::Contested,
        }
    }

    /// The peer of a session has proven that it is at `route`: whoever else said so is not.
    fn settle_claim(&mut self, route: Route, key: SessionKey) {
        self.challengers.remove(route, key);
        let Some(before) = self.by_route.insert(route, key).filter(|before| *before != key) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(before) {
            session.ice.forget(route);
        }
        self.update_leg(before);
        self.keep(before);
    }

    pub(super) fn forget_route(&mut self, route: Route) {
        let Some(key) = self.by_route.remove(&route) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(key) {
            session.ice.forget(route);
        }
        self.update_leg(key);
        self.keep(key);
    }

    fn handle_dtls(&mut self, now: Instant, from: Route, bytes: &[u8]) -> bool {
        let Some(key) = self.by_route.get(&from).copied() else {
            return false;
        };
        let Some(session) = self.sessions.get_mut(key).filter(|session| session.ice.has_validated(from)) else {
            return false;
        };
        let outcome = guarded(&mut self.control, |control| session.on_dtls(now, bytes, control));
        self.act_on(now, key, outcome);
        true
    }

    fn handle_rtcp(&mut self, now: Instant, from: Route, bytes: &[u8]) -> bool {
        let moment = self.clock.moment(now);
        match self.with_media(from, bytes, |session, packet, room, control| session.on_rtcp(moment, packet, room, control)) {
            Some((key, None)) => self.act_on(now, key, None),
            Some((_, Some(()))) => {}
            None => return false,
        }
        true
    }

    fn handle_rtp(&mut self, now: Instant, from: Route, bytes: &[u8]) -> Heard {
        let judged = self.with_media(from, bytes, |session, packet, _, _| session.on_rtp(now, packet));
        if let Some((key, _)) = judged {
            self.mark_inbound(key);
        }
        match judged {
            Some((key, Some(Some(uplink)))) => self.begin_uplink(now, key, uplink),
            Some((key, None)) => {
                self.act_on(now, key, None);
                Heard::Taken
            }
            Some((_, Some(None))) | None => Heard::Refused,
        }
    }

    /// Let the session that takes sound from `from`, with its room, work on a copy of the datagram, which stays in `self.packet`.
    ///
    /// None: there is no such session. An inner None: its code panicked.
    fn with_media<T>(
        &mut self,
        from: Route,
        bytes: &[u8],
        step: impl FnOnce(&mut Session, &mut Vec<u8>, Option<&mut Room>, &mut Transmits) -> T,
    ) -> Option<(SessionKey, Option<T>)> {
        let key = *self.by_route.get(&from)?;
        let session = self.sessions.get_mut(key).filter(|session| session.ice.takes_from(from))?;
        self.packet.clear();
        self.packet.extend_from_slice(bytes);
        let packet = &mut self.packet;
        let room = self.rooms.get_mut(session.room).and_then(Option::as_mut);
        Some((key, guarded(&mut self.control, |control| step(session, packet, room, control))))
    }

    /// Ask policy whether this speaker may be heard, choose, and queue what the packet brought for the fan-out.
    fn begin_uplink(&mut self, now: Instant, key: SessionKey, uplink: Uplink) -> Heard {
        let Some(session) = self.sessions.get_mut(key) else {
            return Heard::Unheard;
        };
        let asks_again = session.repair_deadline().is_some();
        let Some(room) = self.rooms[session.room].as_mut().filter(|_| !self.is_held) else {
            session.counters.packets_dropped += 1;
            return Heard::Unheard;
        };
        let Some(member) = room.stage.get(&session.person).copied().filter(|member| !member.muted) else {
            session.counters.packets_dropped += 1;
            return Heard::Unheard;
        };
        // What comes late was no part of the moment that the choice is about, and its time has been counted.
        let assumed = if uplink.newest.bytes.len() <= LONGEST_DTX_PAYLOAD { SILENCE_LEVEL } else { ASSUMED_LEVEL };
        let level = (!uplink.is_late).then(|| uplink.level.map_or(assumed, |byte| byte & 0x7f));
        if let Some(level) = level {
            let is_voice = room.listen_to(now, member.csrc, level);
            if let Media::Speak(speaking) = &mut session.media {
                speaking.talk.on_packet(now, uplink.newest.timestamp, is_voice);
            }
        }
        let shared = room.is_shared.then(|| room.id.clone());
        let stream = StreamKey { shard: self.shard, session: key.to_bits(), ssrc: uplink.ssrc };
        let waiting = |frame: &Frame, marker, level, is_late| WaitingFrame {
            room: session.room,
            csrc: member.csrc,
            position: UplinkPosition { stream, index: frame.index, timestamp: frame.timestamp, marker, is_late },
            level,
            bytes: frame.bytes.clone(),
        };
        self.waiting.extend(uplink.recovered.iter().map(|frame| waiting(frame, false, None, true)));
        self.waiting.push_back(waiting(&uplink.newest, uplink.marker, uplink.level, uplink.is_late));
        if let Some(room) = shared {
            self.share_speech(room, level);
        }
        if asks_again {
            self.schedule(now, key);
        }
        self.begin_next_fanout(now);
        Heard::Taken
    }
}
