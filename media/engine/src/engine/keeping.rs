//! The session book: what is kept in it, and how sessions come back out of it. See [`crate::record`] for its invariant.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Engine, guarded};
use crate::record::{Book, MAX_TAG_LEN, Mark, MediaRecord, Numbering, SessionRecord, SlotRecord};
use crate::room::{Lane, Leg, Room, Slot, Tap, Target, View};
use crate::rtp::to_rtp_units;
use crate::sdp::Direction;
use crate::session::{Listening, Media, Session, Speaking};
use crate::slab::SessionKey;

/// Bits of a packet index; a speaker's cell has the number of the stream above them.
const INDEX_BITS: u32 = 48;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;

/// A session that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Its id.
    pub session: Arc<str>,
    /// Its room's.
    pub room: Arc<str>,
    /// Its person's or visitor's.
    pub person: Arc<str>,
    /// Listening or speaking.
    pub direction: Direction,
    /// What [`Engine::tag_session`] said.
    pub tag: Arc<[u8]>,
}

/// The book with what of it is free.
pub(super) struct Ledger {
    book: Box<dyn Book>,
    free_slots: Vec<u32>,
    free_cells: Vec<u32>,
    /// Sessions are being brought back: their records have the numbers themselves until all are there.
    is_settling: bool,
    /// How long the machine had been up at a moment: the clock that two processes share.
    up: (Instant, Duration),
}

impl Ledger {
    #[allow(clippy::cast_possible_truncation)] // Slots and cells are few; the numbers are read downwards, so that low ones serve first.
    fn new(book: Box<dyn Book>, up: (Instant, Duration)) -> Self {
        let numbers = |count: usize| (0..count as u32).rev().collect();
        Self { free_slots: numbers(book.slots()), free_cells: numbers(book.cells()), is_settling: false, book, up }
    }

    /// Milliseconds of uptime, modulo 2^32.
    #[allow(clippy::cast_possible_truncation)]
    fn uptime_ms(&self, at: Instant) -> u32 {
        let (then, uptime) = self.up;
        (uptime + at.saturating_duration_since(then)).as_millis() as u32
    }

    /// Let the lanes of a view that has none stand in the book.
    pub(super) fn give_cells(&mut self, view: &mut View) {
        if !view.cells.is_empty() || self.free_cells.len() < view.lanes.len() {
            return;
        }
        view.cells = self.free_cells.split_off(self.free_cells.len() - view.lanes.len());
        for (cell, lane) in view.cells.iter().zip(&view.lanes) {
            self.mark_lane(*cell, lane);
        }
    }

    /// Before a packet is made for any listener of these lanes.
    pub(super) fn mark_lanes(&mut self, room: &Room, targets: &[Target]) {
        for target in targets {
            let view = room.view(target.view);
            if let Some(cell) = view.cells.get(target.lane) {
                self.mark_lane(*cell, &view.lanes[target.lane]);
            }
        }
    }

    fn mark_lane(&mut self, cell: u32, lane: &Lane) {
        let (index, timestamp, at) = lane.newest();
        self.book.mark(cell as usize, Mark { index, timestamp, at_ms: self.uptime_ms(at) });
    }

    /// None for a listener at lanes without cells, and for a speaker without one: such a record would soon be behind what was sent, or
    /// accepted.
    fn media_record(&self, session: &Session, room: &Room) -> Option<MediaRecord> {
        let listening = match &session.media {
            Media::Listen(listening) => listening,
            Media::Speak(speaking) => {
                let (formats, level_id) = (speaking.formats, speaking.level_id);
                let cell = session.inbound_cell;
                if cell.is_none() && !self.is_settling {
                    return None;
                }
                return Some(MediaRecord::Speak { formats, level_id, report_ssrc: speaking.report_ssrc, cell });
            }
        };
        let leg = listening.leg(room);
        let mut slots = Vec::with_capacity(leg.slot_count());
        for (at, slot) in leg.slots().enumerate() {
            let numbering = match listening {
                Listening::InView(membership) => {
                    let (index_distance, timestamp_distance) = slot.tap.distances();
                    Numbering::Lane { cell: *room.view(membership.view).cells.get(at)?, index_distance, timestamp_distance }
                }
                Listening::AtRest(_) => {
                    let (next_index, timestamp, rested_at) = slot.tap.rests_at();
                    Numbering::Own { next_index, timestamp, at_ms: self.uptime_ms(rested_at.unwrap_or(self.up.0)) }
                }
            };
            slots.push(SlotRecord { ssrc: slot.tap.ssrc, numbering, sent: (slot.packets, slot.octets) });
        }
        Some(MediaRecord::Listen { formats: leg.formats, level_id: leg.level_id, slots })
    }

    /// A listener's stream, from where its numbers stand in the book.
    fn tap_of(&self, now: Instant, slot: &SlotRecord) -> Option<Tap> {
        let (next_index, timestamp, at_ms) = match slot.numbering {
            Numbering::Own { next_index, timestamp, at_ms } => (next_index, timestamp, at_ms),
            Numbering::Lane { cell, index_distance, timestamp_distance } => {
                let mark = (usize::try_from(cell).ok()? < self.book.cells()).then(|| self.book.mark_of(cell as usize))?;
                (
                    mark.index.checked_add_signed(index_distance)?.checked_add(1)?,
                    mark.timestamp.wrapping_add(timestamp_distance),
                    mark.at_ms,
                )
            }
        };
        let since = Duration::from_millis(u64::from(self.uptime_ms(now).wrapping_sub(at_ms)));
        (next_index <= INDEX_MASK).then(|| Tap::restored(slot.ssrc, next_index, (timestamp.wrapping_add(to_rtp_units(since)), now)))
    }
}

impl Engine {
    /// Keep sessions in `book` from now on, and bring back those that are in it: connected, but *held*. Nothing is forwarded before
    /// [`Self::release`]: who may hear and speak is not in the book, and may have changed. Before any other command.
    ///
    /// uptime: of the machine at `now`, on a clock that does not jump.
    pub fn open_book(&mut self, now: Instant, uptime: Duration, book: Box<dyn Book>) -> Vec<Restored> {
        let mut ledger = Ledger::new(book, (now, uptime));
        let mut sessions = Vec::new();
        for (slot, bytes) in ledger.book.records() {
            // A record that makes this code panic is no reason to lose the others.
            let restored = guarded(&mut self.control, |_| Some((SessionRecord::decode(&bytes)?, slot)));
            match restored.flatten().and_then(|(record, slot)| Some((resolve(&ledger, now, record)?, slot))) {
                Some((session, slot)) => sessions.push((session, slot)),
                None => ledger.book.erase(slot),
            }
        }
        #[allow(clippy::cast_possible_truncation)] // Fewer than there are slots.
        let taken: std::collections::HashSet<u32> = sessions.iter().map(|(_, slot)| *slot as u32).collect();
        ledger.free_slots.retain(|slot| !taken.contains(slot));
        let free_cells = std::mem::take(&mut ledger.free_cells);
        ledger.is_settling = true;
        self.ledger = Some(ledger);
        self.is_held = !sessions.is_empty();
        // Each record first gets its own numbers, so that no cell is needed any more when lanes and speakers begin to use them: this
        // process may be killed at any moment of it.
        let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
        let keys: Vec<SessionKey> = (0..count)
            .zip(sessions)
            .filter_map(|(at, (session, slot))| {
                let spread = session.report_after() * at / count;
                self.insert_restored(now, session, slot, now + spread)
            })
            .collect();
        if let Some(ledger) = &mut self.ledger {
            ledger.free_cells = free_cells;
            ledger.is_settling = false;
        }
        keys.into_iter().filter_map(|key| self.take_up(now, key)).collect()
    }

    /// What the sessions that were brought back may do is settled: forward from now on.
    pub fn release(&mut self) {
        self.is_held = false;
    }

    /// Say something about a session that shall outlive the process with it. False if there is none of that id, or more than
    /// [`MAX_TAG_LEN`] bytes are to be said.
    pub fn tag_session(&mut self, session: &str, tag: &[u8]) -> bool {
        let Some(key) = self.session_keys.get(session).copied().filter(|_| tag.len() <= MAX_TAG_LEN) else {
            return false;
        };
        if let Some(session) = self.sessions.get_mut(key) {
            session.tag = tag.into();
        }
        self.keep(key);
        true
    }

    /// Write every record anew: what follows is another process.
    pub fn keep_all(&mut self) {
        let keys: Vec<SessionKey> = self.sessions.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.keep(key);
        }
    }

    /// Bring a connected session's record up to date.
    pub(super) fn keep(&mut self, key: SessionKey) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        let Some(session) = self.sessions.get_mut(key).filter(|session| session.is_connected) else {
            return;
        };
        let Some(room) = self.rooms[session.room].as_ref() else {
            return;
        };
        if matches!(session.media, Media::Speak(_)) && session.inbound_cell.is_none() {
            session.inbound_cell = ledger.free_cells.pop();
            if let Some(cell) = session.inbound_cell {
                ledger.book.mark(cell as usize, Mark::default());
            }
        }
        let session = &*session;
        let encoded = guarded(&mut self.control, |_| {
            let media = ledger.media_record(session, room)?;
            session.record(room.id.clone(), media)?.encode()
        });
        let Some(bytes) = encoded.flatten() else {
            self.erase(key);
            return;
        };
        let slot = session.slot.or_else(|| ledger.free_slots.pop());
        if let Some(slot) = slot {
            ledger.book.write(slot as usize, &bytes);
        }
        if let Some(session) = self.sessions.get_mut(key) {
            session.slot = slot;
        }
    }

    /// After a listener left a view: its numbers are its own again, and the cells of a view that nobody is left in are free.
    pub(super) fn keep_left(&mut self, key: SessionKey, view: usize) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let room = session.room;
        if session.slot.is_some() {
            self.keep(key);
        }
        if let (Some(ledger), Some(room)) = (&mut self.ledger, self.rooms[room].as_mut()) {
            let view = room.view_mut(view);
            if view.members.is_empty() {
                ledger.free_cells.append(&mut view.cells);
            }
        }
    }

    /// Leave nothing of a session in the book.
    pub(super) fn erase(&mut self, key: SessionKey) {
        let (Some(ledger), Some(session)) = (&mut self.ledger, self.sessions.get_mut(key)) else {
            return;
        };
        if let Some(slot) = session.slot.take() {
            ledger.book.erase(slot as usize);
            ledger.free_slots.push(slot);
        }
        ledger.free_cells.extend(session.inbound_cell.take());
    }

    /// After a packet of a speaker: let the book say which index was accepted last.
    pub(super) fn mark_inbound(&mut self, key: SessionKey) {
        let (Some(ledger), Some(session)) = (&mut self.ledger, self.sessions.get(key)) else {
            return;
        };
        let (Some(cell), Some((stream, index))) = (session.inbound_cell, session.newest_inbound()) else {
            return;
        };
        let before = ledger.book.mark_of(cell as usize).index;
        let mark = (stream as u64) << INDEX_BITS | index;
        if before >> INDEX_BITS != mark >> INDEX_BITS || before == 0 {
            self.keep(key); // The record must name the stream that the cell counts.
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.book.mark(cell as usize, Mark { index: mark, ..Mark::default() });
        }
    }

    /// None, and it is gone from the book, if another session has its id or its ufrag.
    fn insert_restored(&mut self, now: Instant, restored: ResolvedSession, slot: usize, report_at: Instant) -> Option<SessionKey> {
        let ResolvedSession(record, media) = restored;
        let room = self.room_index(&record.room);
        let mut session = Session::restored(now, record, room, media, report_at);
        let is_double = self.session_keys.contains_key(&session.id) || session.ice.ufrags().any(|ufrag| self.by_ufrag.contains_key(ufrag));
        session.slot = u32::try_from(slot).ok();
        let (id, person, direction) = (session.id.clone(), session.person.clone(), session.direction());
        let ufrags: Vec<String> = session.ice.ufrags().map(str::to_owned).collect();
        let routes: Vec<_> = session.ice.validated().collect();
        let key = self.sessions.insert(session);
        if is_double {
            self.erase(key);
            self.sessions.remove(key);
            return None;
        }
        self.session_keys.insert(id, key);
        self.by_ufrag.extend(ufrags.into_iter().map(|ufrag| (ufrag, key)));
        self.by_route.extend(routes.into_iter().map(|route| (route, key)));
        if let Some(room) = self.rooms[room].as_mut() {
            match direction {
                Direction::Listen => room.listeners.insert(person, key),
                Direction::Speak => room.speakers.insert(person, key),
            };
        }
        self.keep(key);
        Some(key)
    }

    fn take_up(&mut self, now: Instant, key: SessionKey) -> Option<Restored> {
        self.join_view(now, key);
        self.keep(key);
        self.schedule(now, key);
        let session = self.sessions.get(key)?;
        Some(Restored {
            session: session.id.clone(),
            room: self.rooms[session.room].as_ref()?.id.clone(),
            person: session.person.clone(),
            direction: session.direction(),
            tag: session.tag.clone(),
        })
    }
}

/// A record whose numbers no longer depend on cells, and what becomes of its media.
struct ResolvedSession(SessionRecord, Media);

impl ResolvedSession {
    fn report_after(&self) -> Duration {
        crate::session::report_interval(&self.1)
    }
}

/// None where the numbers make no sense.
fn resolve(ledger: &Ledger, now: Instant, mut record: SessionRecord) -> Option<ResolvedSession> {
    let media = match &record.media {
        MediaRecord::Listen { formats, level_id, slots } => {
            let slots = slots.iter().map(|slot| {
                let (packets, octets) = slot.sent;
                ledger.tap_of(now, slot).map(|tap| Slot { tap, packets, octets })
            });
            Media::Listen(Listening::AtRest(Box::new(Leg::new(*formats, *level_id, slots.collect::<Option<Vec<Slot>>>()?))))
        }
        MediaRecord::Speak { formats, level_id, report_ssrc, cell } => {
            if let Some(cell) = cell.filter(|cell| (*cell as usize) < ledger.book.cells()) {
                let mark = ledger.book.mark_of(cell as usize).index;
                let stream = usize::try_from(mark >> INDEX_BITS).ok()?;
                if let Some((_, highest)) = record.srtp.rtp_streams.get_mut(stream) {
                    *highest = (mark & INDEX_MASK).max(*highest);
                }
            }
            Media::Speak(Box::new(Speaking::new(now, *formats, *level_id, *report_ssrc)))
        }
    };
    Some(ResolvedSession(record, media))
}
