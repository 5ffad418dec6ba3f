//! Commands: each takes effect between two packets, and answers with a type of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use rand::{Rng, RngExt};

use super::{Engine, NewOffer, Opened, RoomTalk, SessionReport, SessionUnknown, Speaker};
use crate::dtls::DtlsServer;
use crate::ice::{IceLite, random_credentials};
use crate::room::{Leg, Slot, StageMember, Tap};
use crate::sdp::{Answer, Direction, Fragment, IceCredentials, Offer, OfferRefused, SlotStream, write_fragment};
use crate::session::{CloseReason, Formats, Listening, Media, NewSession, Session, Speaking};
use crate::slab::SessionKey;

/// Sessions of one person whose handshake is not finished.
const MAX_HALF_OPEN: usize = 5;

/// Why an ICE restart was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestartRefused {
    /// The fragment cannot be used.
    Offer(OfferRefused),
    /// There is no such session.
    Unknown(SessionUnknown),
}

impl Engine {
    /// Answer an offer. An older session of the same person, room and direction is closed as taken over.
    ///
    /// # Errors
    ///
    /// [`OfferRefused`] says what is wrong with the SDP, or that the person has too many unfinished sessions; nothing has changed then.
    pub fn open_session(&mut self, now: Instant, new: NewOffer<'_>) -> Result<Opened, OfferRefused> {
        let offer = Offer::parse(new.offer, new.direction)?;
        if self.session_keys.contains_key(new.session) {
            return Err(OfferRefused::new("This session is open already."));
        }
        let older = self.session_of_person(new.room, new.person, new.direction);
        self.check_half_open(new.person, older)?;
        if let Some(older) = older {
            self.close(now, older, CloseReason::TakenOver);
        }
        let ours = random_credentials(&mut self.random, self.shard as usize);
        let media = self.media_for(now, &offer, new.direction);
        let slots: Vec<SlotStream> = match &media {
            Media::Listen(Listening::AtRest(leg)) => leg.slots().map(|slot| SlotStream { ssrc: slot.tap.ssrc }).collect(),
            Media::Listen(Listening::InView(_)) | Media::Speak(_) => Vec::new(),
        };
        let answer = Answer {
            offer: &offer,
            direction: new.direction,
            ice: &ours,
            fingerprint: self.fingerprint,
            candidates: &self.candidates,
            id: self.random.next_u64(),
            slots: &slots,
        };
        let opened = Opened { answer: answer.to_string(), etag: etag(&ours) };
        self.insert(now, &new, offer, ours, media);
        Ok(opened)
    }

    fn session_of_person(&self, room: &str, person: &str, direction: Direction) -> Option<SessionKey> {
        let room = self.rooms[*self.room_at.get(room)?].as_ref()?;
        let sessions = match direction {
            Direction::Listen => &room.listeners,
            Direction::Speak => &room.speakers,
        };
        sessions.get(person).copied()
    }

    fn check_half_open(&self, person: &str, older: Option<SessionKey>) -> Result<(), OfferRefused> {
        let replaces_one = older.and_then(|key| self.sessions.get(key)).is_some_and(|session| !session.is_connected);
        let open = self.half_open.get(person).copied().unwrap_or(0) - usize::from(replaces_one);
        if open >= MAX_HALF_OPEN {
            return Err(OfferRefused::new(format!(
                "There are {MAX_HALF_OPEN} unfinished sessions of yours already; wait until they have connected or 15 s."
            )));
        }
        Ok(())
    }

    fn media_for(&mut self, now: Instant, offer: &Offer, direction: Direction) -> Media {
        let (formats, level_id) = offer.audio().next().map_or((Formats { opus: 111, red: None, nack: false }, None), |audio| {
            (Formats { opus: audio.payload_type, red: audio.red, nack: audio.nack }, audio.level_id)
        });
        match direction {
            Direction::Listen => {
                let mut slots: Vec<Slot> = Vec::new();
                for _ in offer.audio() {
                    let ssrc = loop {
                        let ssrc = self.random.next_u32();
                        if ssrc != 0 && slots.iter().all(|slot| slot.tap.ssrc != ssrc) {
                            break ssrc;
                        }
                    };
                    slots.push(Slot::new(Tap::new(ssrc, self.random.random_range(0..1 << 15), self.random.next_u32())));
                }
                Media::Listen(Listening::AtRest(Box::new(Leg::new(formats, level_id, slots))))
            }
            Direction::Speak => Media::Speak(Box::new(Speaking::new(now, formats, level_id, self.random.next_u32()))),
        }
    }

    fn insert(&mut self, now: Instant, new: &NewOffer<'_>, offer: Offer, ours: IceCredentials, media: Media) {
        let room = self.room_index(new.room);
        let (id, person): (Arc<str>, Arc<str>) = (new.session.into(), new.person.into());
        let ufrag = ours.ufrag.clone();
        let first_mid = offer.audio().next().map(|audio| audio.mid.clone()).unwrap_or_default();
        let session = Session::new(
            now,
            NewSession {
                id: id.clone(),
                room,
                person: person.clone(),
                first_mid,
                ice: IceLite::new(ours, offer.ice),
                media,
                dtls: DtlsServer::new(self.dtls.clone()),
                expected_peer: offer.fingerprint,
            },
        );
        let key = self.sessions.insert(session);
        self.session_keys.insert(id, key);
        self.by_ufrag.insert(ufrag, key);
        *self.half_open.entry(person.clone()).or_default() += 1;
        if let Some(room) = self.rooms[room].as_mut() {
            match new.direction {
                Direction::Listen => room.listeners.insert(person, key),
                Direction::Speak => room.speakers.insert(person, key),
            };
        }
        self.schedule(now, key);
    }

    /// RFC 9725 section 4.3.2: the peer's new credentials in, ours out. Returns (SDP fragment, new etag). Sound goes on meanwhile.
    ///
    /// # Errors
    ///
    /// [`RestartRefused`]; nothing has changed then.
    pub fn restart_ice(&mut self, session: &str, fragment: &str) -> Result<(String, String), RestartRefused> {
        let key = *self.session_keys.get(session).ok_or(RestartRefused::Unknown(SessionUnknown))?;
        let theirs = Fragment::parse(fragment).map_err(RestartRefused::Offer)?.ice;
        let ours = random_credentials(&mut self.random, self.shard as usize);
        let session = self.sessions.get_mut(key).ok_or(RestartRefused::Unknown(SessionUnknown))?;
        let answer = (write_fragment(&ours, &session.first_mid, &self.candidates), etag(&ours));
        self.by_ufrag.insert(ours.ufrag.clone(), key);
        if let Some(outdated) = session.ice.restart(ours, theirs) {
            self.by_ufrag.remove(&outdated);
        }
        self.keep(key);
        Ok(answer)
    }

    /// End a session. False if there is none of that id.
    pub fn close_session(&mut self, now: Instant, session: &str, reason: CloseReason) -> bool {
        let Some(key) = self.session_keys.get(session).copied() else {
            return false;
        };
        self.close(now, key, reason);
        true
    }

    /// Replace who may be heard in `room`, from the next packet on.
    ///
    /// A speak session of somebody no longer listed is closed as `left_stage`; a muted one stays and is dropped at ingress.
    pub fn set_stage(&mut self, now: Instant, room: &str, speakers: &[Speaker]) {
        if speakers.is_empty() && !self.room_at.contains_key(room) {
            return;
        }
        let at = self.room_index(room);
        let Some(room) = self.rooms[at].as_mut() else {
            return;
        };
        let stage: HashMap<Arc<str>, StageMember> = speakers
            .iter()
            .map(|speaker| (speaker.person.as_str().into(), StageMember { csrc: speaker.csrc, muted: speaker.muted }))
            .collect();
        let before = std::mem::replace(&mut room.stage, stage);
        for (person, member) in &before {
            if room.stage.get(person).is_none_or(|now| now.muted || now.csrc != member.csrc) {
                room.silence(member.csrc);
            }
        }
        let left: Vec<SessionKey> =
            room.speakers.iter().filter(|(person, _)| !room.stage.contains_key(*person)).map(|(_, key)| *key).collect();
        let changes_view =
            |person: &Arc<str>| before.get(person).map(|member| member.csrc) != room.stage.get(person).map(|member| member.csrc);
        let moving: Vec<SessionKey> = room.listeners.iter().filter(|(person, _)| changes_view(person)).map(|(_, key)| *key).collect();
        for key in moving {
            self.leave_view(now, key);
            self.join_view(now, key);
            self.keep(key);
        }
        for key in left {
            self.close(now, key, CloseReason::LeftStage);
        }
        self.drop_room_if_empty(at);
    }

    /// End every session of one person in one room. Returns how many.
    pub fn close_person(&mut self, now: Instant, room: &str, person: &str, reason: &CloseReason) -> usize {
        let keys: Vec<SessionKey> = [Direction::Listen, Direction::Speak]
            .into_iter()
            .filter_map(|direction| self.session_of_person(room, person, direction))
            .collect();
        for key in &keys {
            self.close(now, *key, reason.clone());
        }
        keys.len()
    }

    /// End every session of one room and forget its stage. Returns how many.
    pub fn close_room(&mut self, now: Instant, room: &str, reason: &CloseReason) -> usize {
        let Some(at) = self.room_at.get(room).copied() else {
            return 0;
        };
        let Some(room) = self.rooms[at].as_mut() else {
            return 0;
        };
        room.stage.clear();
        let keys: Vec<SessionKey> = room.listeners.values().chain(room.speakers.values()).copied().collect();
        for key in &keys {
            self.close(now, *key, reason.clone());
        }
        self.drop_room_if_empty(at);
        keys.len()
    }

    /// End everything, saying goodbye to every peer.
    pub fn close_all(&mut self, now: Instant, reason: &CloseReason) {
        let keys: Vec<SessionKey> = self.sessions.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.close(now, key, reason.clone());
        }
    }

    /// What the sessions of one room, or of all, really do.
    #[must_use]
    pub fn report(&self, now: Instant, room: Option<&str>) -> Vec<SessionReport> {
        match room {
            None => self.sessions.iter().filter_map(|(_, session)| self.report_one(now, session)).collect(),
            Some(id) => {
                let room = self.room_at.get(id).and_then(|at| self.rooms[*at].as_ref());
                let keys = room.into_iter().flat_map(|room| room.listeners.values().chain(room.speakers.values()));
                keys.filter_map(|key| self.report_one(now, self.sessions.get(*key)?)).collect()
            }
        }
    }

    /// What has been said since the last call: every room in which somebody spoke, and once more when they have stopped.
    pub fn take_talk(&mut self, now: Instant) -> Vec<RoomTalk> {
        let mut taken = Vec::new();
        for room in self.rooms.iter_mut().flatten().filter(|room| room.has_talk) {
            let mut talked_ms = std::mem::take(&mut room.left_talk);
            for (person, key) in &room.speakers {
                if let Some(Media::Speak(speaking)) = self.sessions.get_mut(*key).map(|session| &mut session.media) {
                    *talked_ms.entry(person.clone()).or_default() += speaking.talk.take_ms();
                }
            }
            talked_ms.retain(|_, ms| *ms > 0);
            let talking = room.speaking(now);
            room.has_talk = !talking.is_empty();
            taken.push(RoomTalk { room: room.id.clone(), talked_ms, talking });
        }
        taken
    }

    fn report_one(&self, now: Instant, session: &Session) -> Option<SessionReport> {
        let room = self.rooms[session.room].as_ref()?;
        let direction = session.direction();
        let counters = &session.counters;
        let (leg, round_trip) = match &session.media {
            Media::Listen(listening) => (Some(listening.leg(room)), listening.leg(room).round_trip),
            Media::Speak(speaking) => (None, speaking.round_trip()),
        };
        Some(SessionReport {
            session: session.id.clone(),
            room: room.id.clone(),
            person: session.person.clone(),
            direction,
            connected: session.is_connected,
            may_be_heard: direction == Direction::Speak && room.stage.get(&session.person).is_some_and(|member| !member.muted),
            since_in: counters.last_in.map(|at| now.duration_since(at)),
            since_out: leg.and_then(|leg| leg.last_out).map(|at| now.duration_since(at)),
            packets_in: counters.packets_in,
            packets_out: leg.map_or(0, |leg| leg.packets_out),
            packets_dropped: counters.packets_dropped,
            transport: session.ice.selected().map(|route| route.transport),
            loss: leg.map(|leg| leg.repair.loss()),
            round_trip,
        })
    }
}

/// RFC 9725 section 4.3.1.1: names the ICE session.
fn etag(ours: &IceCredentials) -> String {
    format!("\"{}\"", ours.ufrag.replace(['+', '/'], "-"))
}
