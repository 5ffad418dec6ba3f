//! Ingress: one port for STUN, DTLS and media, and the gates each must pass.

use crate::route::Route;
use std::time::{Duration, Instant};

use is::stun::StunMessage;

use super::{Engine, guarded};
use crate::ice::addressed_ufrag;
use crate::room::{ASSUMED_LEVEL, SILENCE_LEVEL, StreamKey, UplinkPosition};
use crate::rtp;
use crate::session::{Media, Session, Uplink};
use crate::slab::SessionKey;

/// Longest datagram looked at: Ethernet's MTU. Opus at its highest bitrate fills 1275 bytes.
const MAX_DATAGRAM_LEN: usize = 1_500;
/// Longest payload forwarded: a frame of Opus has at most 1275 bytes (RFC 6716 section 3.2.1), a little more is forgiven. With our
/// header, the tag, UDP and IP it still fits into a frame of Ethernet, as the sockets may not fragment.
const MAX_PAYLOAD_LEN: usize = 1_400;
/// A route that served a live session within this time stays that session's: a peer of another session cannot take it by
/// checks with a forged source.
const ADDRESS_KEPT_FOR: Duration = Duration::from_secs(5);
/// Opus frames up to this long carry no speech: DTX sends a lone TOC byte, or two bytes of it (RFC 6716 section 3.1, RFC 7587 section 3.1.3).
const LONGEST_DTX_PAYLOAD: usize = 2;

impl Engine {
    pub(super) fn handle_datagram(&mut self, now: Instant, from: Route, bytes: &[u8]) {
        self.totals.packets_in += 1;
        let taken = bytes.len() <= MAX_DATAGRAM_LEN
            && match bytes.first() {
                // RFC 7983 section 7.
                Some(0..=3) => self.handle_stun(now, from, bytes),
                Some(20..=63) => self.handle_dtls(now, from, bytes),
                Some(128..=191) if rtp::is_rtcp(bytes) => self.handle_rtcp(now, from, bytes),
                Some(128..=191) => self.handle_rtp(now, from, bytes),
                _ => false,
            };
        if !taken {
            self.totals.packets_dropped += 1;
        }
    }

    fn handle_stun(&mut self, now: Instant, from: Route, bytes: &[u8]) -> bool {
        let Ok(message) = StunMessage::parse(bytes) else {
            return false;
        };
        if !message.is_binding_request() {
            return false;
        }
        let Some(key) = addressed_ufrag(&message).and_then(|ufrag| self.by_ufrag.get(ufrag)).copied() else {
            return false;
        };
        if self.belongs_to_another(now, from, key) {
            return false;
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return false;
        };
        let outcome = guarded(&mut self.control, |control| session.on_check(now, &message, from, control));
        match outcome {
            Some(true) => self.validate(key, from, &message),
            Some(false) => return false,
            None => self.act_on(now, key, None),
        }
        true
    }

    fn belongs_to_another(&self, now: Instant, from: Route, key: SessionKey) -> bool {
        self.by_route
            .get(&from)
            .filter(|owner| **owner != key)
            .and_then(|owner| self.sessions.get(*owner))
            .is_some_and(|owner| owner.was_active_within(now, ADDRESS_KEPT_FOR))
    }

    fn validate(&mut self, key: SessionKey, from: Route, message: &StunMessage<'_>) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let (was_validated, was_selected) = (session.ice.has_validated(from), session.ice.selected());
        let finished = session.ice.finish_restart(message);
        if let Some(ufrag) = &finished {
            self.by_ufrag.remove(ufrag);
        }
        if let Some(forgotten) = session.ice.validate(from, message.use_candidate())
            && self.by_route.get(&forgotten) == Some(&key)
        {
            self.by_route.remove(&forgotten);
        }
        let changed = finished.is_some() || !was_validated || session.ice.selected() != was_selected;
        self.by_route.insert(from, key);
        if changed {
            self.keep(key);
        }
    }

    pub(super) fn forget_route(&mut self, route: Route) {
        if let Some(session) = self.by_route.remove(&route).and_then(|key| self.sessions.get_mut(key)) {
            session.ice.forget(route);
        }
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
        match self.with_media(from, bytes, |session, packet| session.on_rtcp(now, packet)) {
            Some((key, None)) => self.act_on(now, key, None),
            Some((_, Some(()))) => {}
            None => return false,
        }
        true
    }

    fn handle_rtp(&mut self, now: Instant, from: Route, bytes: &[u8]) -> bool {
        let judged = self.with_media(from, bytes, |session, packet| session.on_rtp(now, packet));
        if let Some((key, _)) = judged {
            self.mark_inbound(key);
        }
        match judged {
            Some((key, Some(Some(uplink)))) => self.begin_fanout(now, key, &uplink),
            Some((key, None)) => {
                self.act_on(now, key, None);
                true
            }
            Some((_, Some(None))) | None => false,
        }
    }

    /// Let the session whose selected route is `from` work on a copy of the datagram, which stays in `self.packet`.
    ///
    /// None: there is no such session. An inner None: its code panicked.
    fn with_media<T>(
        &mut self,
        from: Route,
        bytes: &[u8],
        step: impl FnOnce(&mut Session, &mut Vec<u8>) -> T,
    ) -> Option<(SessionKey, Option<T>)> {
        let key = *self.by_route.get(&from)?;
        let session = self.sessions.get_mut(key).filter(|session| session.ice.selected() == Some(from))?;
        self.packet.clear();
        self.packet.extend_from_slice(bytes);
        let packet = &mut self.packet;
        Some((key, guarded(&mut self.control, |_| step(session, packet))))
    }

    /// Ask policy whether this speaker may be heard, choose, and note where the packet goes.
    fn begin_fanout(&mut self, now: Instant, key: SessionKey, uplink: &Uplink) -> bool {
        let Some(session) = self.sessions.get_mut(key) else {
            return false;
        };
        let Some(room) = self.rooms[session.room].as_mut().filter(|_| !self.is_held) else {
            session.counters.packets_dropped += 1;
            return false;
        };
        let Some(member) = room.stage.get(&session.person).copied().filter(|member| !member.muted) else {
            session.counters.packets_dropped += 1;
            return false;
        };
        let Some(payload) = uplink.header.payload(&self.packet).filter(|payload| payload.len() <= MAX_PAYLOAD_LEN) else {
            session.counters.packets_dropped += 1;
            return false;
        };
        let payload = uplink.header.len..uplink.header.len + payload.len();
        let position = UplinkPosition {
            stream: StreamKey { session: key, ssrc: uplink.header.ssrc },
            index: uplink.index,
            timestamp: uplink.header.timestamp,
            marker: uplink.header.marker,
        };
        let assumed = if payload.len() <= LONGEST_DTX_PAYLOAD { SILENCE_LEVEL } else { ASSUMED_LEVEL };
        let level = uplink.level.map_or(assumed, |byte| byte & 0x7f);
        let is_voice = room.place(now, member.csrc, level, position, &mut self.fanout.targets);
        if let Media::Speak(speaking) = &mut session.media {
            speaking.talk.on_packet(now, uplink.header.timestamp, is_voice);
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.mark_lanes(room, &self.fanout.targets);
        }
        self.fanout.begin(session.room, member.csrc, uplink.level, payload);
        true
    }
}
