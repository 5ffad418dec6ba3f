//! Commands over all shards: each is one promise, wherever the sessions are.
//!
//! Every command that silences somebody ends with a word to every shard. A shard first takes what others had handed over by then, so when
//! the command returns nothing that was said before it is on its way between shards.

use salon_engine::{
    CloseReason, Direction, NewOffer, OfferRefused, Opened, RestartRefused, RoomTalk, SessionReport, SessionUnknown, Speaker,
};

use crate::{Driver, DriverError};

/// A session to be opened, in words of its own.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The id it shall have; not in use.
    pub session: String,
    /// The room, made on first use.
    pub room: String,
    /// The id of a person or visitor.
    pub person: String,
    /// Listening or speaking.
    pub direction: Direction,
    /// The peer's SDP.
    pub offer: String,
    /// Comes back with the session in another process.
    pub tag: Vec<u8>,
}

impl Driver {
    /// Answer an offer. An older session of the same person, room and direction is closed as taken over.
    ///
    /// # Errors
    ///
    /// [`DriverError`] once the driver is closed; [`OfferRefused`] as [`salon_engine::Engine::open_session`].
    pub fn open_session(&self, new: NewSession) -> Result<Result<Opened, OfferRefused>, DriverError> {
        let _one_at_a_time = self.command();
        let place = {
            let mut directory = self.shared.directory();
            if directory.shard_of(&new.session).is_some() {
                return Ok(Err(OfferRefused("This session is open already.".into())));
            }
            let place = directory.place(&new.room, &new.person, new.direction);
            // Before it is open, or the end of the one that it takes over could seem to be the room's.
            directory.expect(&new.room, place);
            place
        };
        if place.shard != place.home {
            self.shared.exchange.add_audience(&new.room, place.shard);
            let room = new.room.clone();
            self.call_on(place.home, move |engine, _| engine.share_room(&room, true))?;
        }
        let (session, room, person, direction) = (new.session.clone(), new.room.clone(), new.person.clone(), new.direction);
        let opened = self.call_on(place.shard, move |engine, now| {
            let NewSession { session, room, person, direction, offer, tag } = &new;
            let opened = engine.open_session(now, NewOffer { session, room, person, direction: *direction, offer })?;
            engine.tag_session(session, tag);
            Ok(opened)
        });
        let mut directory = self.shared.directory();
        if matches!(opened, Ok(Ok(_))) {
            directory.opened(&session, &room, &person, direction, place);
        }
        if directory.expected(&room) {
            self.shared.end_room(&room);
        }
        opened
    }

    /// RFC 9725 section 4.3.2: the peer's new credentials in, ours out.
    ///
    /// # Errors
    ///
    /// As [`salon_engine::Engine::restart_ice`].
    pub fn restart_ice(&self, session: &str, fragment: &str) -> Result<Result<(String, String), RestartRefused>, DriverError> {
        let shard = self.shared.directory().shard_of(session);
        let Some(shard) = shard else {
            return Ok(Err(RestartRefused::Unknown(SessionUnknown)));
        };
        let (session, fragment) = (session.to_owned(), fragment.to_owned());
        self.call_on(shard, move |engine, _| engine.restart_ice(&session, &fragment))
    }

    /// End a session. False if there is none of that id.
    ///
    /// # Errors
    ///
    /// [`DriverError`] once the driver is closed, as of all that follow.
    pub fn close_session(&self, session: &str, reason: &CloseReason) -> Result<bool, DriverError> {
        let _one_at_a_time = self.command();
        let shard = self.shared.directory().shard_of(session);
        let (session, reason) = (session.to_owned(), reason.clone());
        let Some(shard) = shard else {
            return self.call_on(0, |_, _| false); // Refused once closed, like every other.
        };
        let was_open = self.call_on(shard, move |engine, now| engine.close_session(now, &session, reason))?;
        self.let_everything_arrive()?;
        Ok(was_open)
    }

    /// Replace who may be heard in `room`, from the next packet on.
    ///
    /// # Errors
    ///
    /// As [`Self::close_session`].
    pub fn set_stage(&self, room: &str, speakers: &[Speaker]) -> Result<(), DriverError> {
        let _one_at_a_time = self.command();
        self.call_each(|_| {
            let (room, speakers) = (room.to_owned(), speakers.to_vec());
            move |engine, now| engine.set_stage(now, &room, &speakers)
        })?;
        if self.shared.directory().staged(room, !speakers.is_empty()) {
            self.shared.end_room(room);
        }
        self.let_everything_arrive()
    }

    /// End every session of one person in one room. Returns how many.
    ///
    /// # Errors
    ///
    /// As [`Self::close_session`].
    pub fn close_person(&self, room: &str, person: &str, reason: &CloseReason) -> Result<usize, DriverError> {
        let _one_at_a_time = self.command();
        let counts = self.call_each(|_| {
            let (room, person, reason) = (room.to_owned(), person.to_owned(), reason.clone());
            move |engine, now| engine.close_person(now, &room, &person, &reason)
        })?;
        self.let_everything_arrive()?;
        Ok(counts.iter().sum())
    }

    /// End every session of one room and forget its stage. Returns how many.
    ///
    /// # Errors
    ///
    /// As [`Self::close_session`].
    pub fn close_room(&self, room: &str, reason: &CloseReason) -> Result<usize, DriverError> {
        let _one_at_a_time = self.command();
        let counts = self.call_each(|_| {
            let (room, reason) = (room.to_owned(), reason.clone());
            move |engine, now| engine.close_room(now, &room, &reason)
        })?;
        if self.shared.directory().staged(room, false) {
            self.shared.end_room(room);
        }
        self.let_everything_arrive()?;
        Ok(counts.iter().sum())
    }

    /// What the sessions of one room, or of all, really do.
    ///
    /// # Errors
    ///
    /// As [`Self::close_session`].
    pub fn report(&self, room: Option<&str>) -> Result<Vec<SessionReport>, DriverError> {
        let reports = self.call_each(|_| {
            let room = room.map(str::to_owned);
            move |engine, now| engine.report(now, room.as_deref())
        })?;
        Ok(reports.into_iter().flatten().collect())
    }

    /// What has been said since the last call. Speakers of a room are on one shard, which alone counts them.
    ///
    /// # Errors
    ///
    /// As [`Self::close_session`].
    pub fn take_talk(&self) -> Result<Vec<RoomTalk>, DriverError> {
        Ok(self.call_each(|_| salon_engine::Engine::take_talk)?.into_iter().flatten().collect())
    }

    fn let_everything_arrive(&self) -> Result<(), DriverError> {
        if self.shards() > 1 {
            self.call_each(|_| |_, _| ())?;
        }
        Ok(())
    }
}
