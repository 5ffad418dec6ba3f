//! The engine: sessions and rooms, and the one way in and out.

mod commands;
mod contest;
mod fanout;
mod ingress;
#[cfg(feature = "fuzzing")]
mod inspection;
mod keeping;
mod sharing;
mod signs;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::certificate::Fingerprint;
use crate::dtls::DtlsIdentity;
use crate::room::history::MAX_DEPTH;
use crate::room::{Membership, Room, earliest};
use crate::route::{Route, Transport};
use crate::sdp::{Candidates, Direction};
use crate::session::{CloseReason, Listening, Media, NtpClock, Outcome, Session};
use crate::slab::{SessionKey, Slab};
use crate::speech::Speech;
use crate::tally::{Dropped, Repaired};
use crate::transmit::Transmits;
pub use commands::RestartRefused;
use contest::Challengers;
use fanout::{BATCH_LEN, Fanout, WaitingFrame};
use keeping::Ledger;
pub use keeping::Restored;

/// Engines behind one port: as many as one character of a user fragment tells apart.
pub const MAX_SHARDS: usize = 64;

/// What an engine is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Offered as host candidates, most preferred first; at least one.
    pub addresses: Vec<IpAddr>,
    /// Of those candidates.
    pub port: u16,
    /// Ports at which the same addresses are reached by TCP, most preferred first (RFC 6544); empty: UDP alone is offered.
    pub tcp_ports: Vec<u16>,
    /// Which of several engines behind one port this is, from 0: its user fragments begin with that number, so that checks find it.
    pub shard: usize,
    /// Source of all randomness: keys, passwords, SSRCs. Fresh from the operating system except in tests.
    pub seed: [u8; 32],
    /// Wall time at the moment of starting, since 1970; for sender reports.
    pub unix_time: Duration,
    /// Listeners in a room's audience from which on it gets 60 ms of speech in a packet, and below three quarters of which no longer. None: never.
    pub long_packets_from: Option<usize>,
}

/// Something from outside.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A datagram, or what a frame of a connection holds.
    Datagram {
        /// Its source.
        from: Route,
        /// Its content.
        bytes: &'a [u8],
    },
    /// As [`Self::Datagram`], from a route that another engine's session claims and has not proven: it serves here once it is proven here.
    Contested {
        /// Its source.
        from: Route,
        /// Its content.
        bytes: &'a [u8],
    },
    /// The route is no longer its session's: the connection that it was is closed, or another engine's session has proven it. Who has it
    /// from then on is another peer.
    RouteClosed {
        /// It has proven itself or not.
        route: Route,
    },
    /// What was said at another engine that shares a room with this one.
    Speech(&'a Speech),
    /// A deadline has come; harmless too early or too often.
    Timeout,
}

/// Something to be done outside. Borrowed batches are valid until the next call.
#[derive(Debug)]
pub enum Output<'a> {
    /// Send all of these now.
    Transmit(&'a Transmits),
    /// Bring this to the other engines that have listeners of its room.
    Speech(Speech),
    /// Something happened to a session.
    Event(Event),
    /// Nothing more to do before this moment, or before the next input if None.
    Deadline(Option<Instant>),
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// ICE and DTLS are done and the certificate matched: sound can flow.
    Connected(Connected),
    /// The session is gone.
    Closed(Closed),
}

/// See [`Event::Connected`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The session's id.
    pub session: Arc<str>,
    /// Its room's.
    pub room: Arc<str>,
    /// Its person's or visitor's.
    pub person: Arc<str>,
    /// Listening or speaking.
    pub direction: Direction,
}

/// See [`Event::Closed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The session's id.
    pub session: Arc<str>,
    /// Its room's.
    pub room: Arc<str>,
    /// Its person's or visitor's.
    pub person: Arc<str>,
    /// Listening or speaking.
    pub direction: Direction,
    /// Why.
    pub reason: CloseReason,
}

/// A session to be opened.
#[derive(Debug, Clone, Copy)]
pub struct NewOffer<'a> {
    /// The id it shall have; not in use.
    pub session: &'a str,
    /// The room, made on first use.
    pub room: &'a str,
    /// The id of a person or visitor.
    pub person: &'a str,
    /// Listening or speaking.
    pub direction: Direction,
    /// The peer's SDP.
    pub offer: &'a str,
}

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// SDP.
    pub answer: String,
    /// Changes with each ICE restart (RFC 9725 section 4.3.2).
    pub etag: String,
}

/// Somebody on the stage, as policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// Their id.
    pub person: String,
    /// How their packets are named to listeners; unique in the room.
    pub csrc: u32,
    /// Whether their packets are dropped.
    pub muted: bool,
}

/// What one session really does.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionReport {
    /// The session's id.
    pub session: Arc<str>,
    /// Its room's.
    pub room: Arc<str>,
    /// Its person's or visitor's.
    pub person: Arc<str>,
    /// Listening or speaking.
    pub direction: Direction,
    /// Whether sound can flow.
    pub connected: bool,
    /// A speak session of somebody on the stage and not muted.
    pub may_be_heard: bool,
    /// Time since anything valid came.
    pub since_in: Option<Duration>,
    /// Time since sound was sent.
    pub since_out: Option<Duration>,
    /// Authentic RTP packets.
    pub packets_in: u64,
    /// Forwarded RTP packets.
    pub packets_out: u64,
    /// Refused at ingress: muted, not on the stage, not authentic, too many a second, too long.
    pub packets_dropped: u64,
    /// Of the selected path.
    pub transport: Option<Transport>,
    /// Of a listener, 0 to 1: what its redundancy is chosen by.
    pub loss: Option<f32>,
    /// To the peer and back: a listener's by its last report, a speaker's by the last packet that came when asked for again.
    pub round_trip: Option<Duration>,
}

/// What was said in one room since it was last asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomTalk {
    /// The room's id.
    pub room: Arc<str>,
    /// Milliseconds of voice by person, in packets that were accepted; those who said nothing are left out.
    pub talked_ms: HashMap<Arc<str>, u64>,
    /// Who is speaking now, the dominant one first. A pause of up to 300 ms is part of speech.
    pub talking: Vec<Arc<str>>,
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Open now.
    pub sessions: usize,
    /// With a session or a stage, now.
    pub rooms: usize,
    /// Datagrams of every kind.
    pub packets_in: u64,
    /// Forwarded RTP packets.
    pub packets_out: u64,
    /// Datagrams dropped at ingress.
    pub dropped: Dropped,
    /// Loss and its repair, of sessions that are gone too.
    pub repaired: Repaired,
    /// Listeners now, by how many copies each packet carries for them.
    pub legs_by_depth: [usize; MAX_DEPTH + 1],
}

impl std::ops::AddAssign for Totals {
    /// A room of several engines is counted by each.
    fn add_assign(&mut self, more: Self) {
        self.sessions += more.sessions;
        self.rooms += more.rooms;
        self.packets_in += more.packets_in;
        self.packets_out += more.packets_out;
        self.dropped += more.dropped;
        self.repaired += more.repaired;
        for (count, more) in self.legs_by_depth.iter_mut().zip(more.legs_by_depth) {
            *count += more;
        }
    }
}

/// No such session: it ended, or never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionUnknown;

impl fmt::Display for SessionUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("There is no such session.")
    }
}

impl std::error::Error for SessionUnknown {}

/// The engine could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFailed(pub String);

impl fmt::Display for StartFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartFailed {}

/// Rooms, sessions, and the path of every packet. See the crate's documentation for the loop to run it in.
pub struct Engine {
    candidates: Candidates,
    shard: u32,
    long_packets_from: Option<usize>,
    random: StdRng,
    clock: NtpClock,
    dtls: DtlsIdentity,
    fingerprint: Fingerprint,

    sessions: Slab<Session>,
    session_keys: HashMap<Arc<str>, SessionKey>,
    by_ufrag: HashMap<String, SessionKey>,
    by_route: HashMap<Route, SessionKey>,
    challengers: Challengers,
    /// Sessions not yet connected, by person.
    half_open: HashMap<Arc<str>, usize>,
    rooms: Vec<Option<Room>>,
    room_at: HashMap<Arc<str>, usize>,
    shared_rooms: HashSet<Arc<str>>,
    /// For other engines.
    speech: VecDeque<Speech>,

    /// Earliest first; an entry counts only while its session's `queued` names the same moment.
    timers: BinaryHeap<Reverse<(Instant, SessionKey)>>,
    /// Before this moment nothing that waits for a long packet must go, in any room.
    flush_at: Option<Instant>,
    /// When views are next looked at for signs of life.
    signs_at: Option<Instant>,
    events: VecDeque<Event>,
    /// Answers, handshakes and reports, handed out before sound.
    control: Transmits,
    fanout: Fanout,
    /// Frames of the packet at hand that come after the one in the fan-out.
    waiting: VecDeque<WaitingFrame>,
    /// What `poll_output` last handed out of it.
    control_batch: Transmits,
    /// Sound, to be handed out when it is full, or when nothing more is to be gathered.
    batch: Transmits,
    is_handed_out: bool,
    gathers: bool,
    /// The datagram at hand, decrypted in place.
    packet: Vec<u8>,
    totals: Totals,
    /// None: nothing outlives this process.
    ledger: Option<Ledger>,
    /// Nothing is forwarded yet.
    is_held: bool,
}

impl Engine {
    /// Make an engine with a key and certificate of its own.
    ///
    /// # Errors
    ///
    /// [`StartFailed`] if there is no address to offer, or the certificate could not be made.
    pub fn new(config: Config, now: Instant) -> Result<Self, StartFailed> {
        let mut random = StdRng::from_seed(config.seed);
        let dtls = DtlsIdentity::new(&mut random).map_err(StartFailed)?;
        Self::with_identity(config, dtls, random, now)
    }

    pub(crate) fn with_identity(config: Config, dtls: DtlsIdentity, random: StdRng, now: Instant) -> Result<Self, StartFailed> {
        if config.addresses.is_empty() {
            return Err(StartFailed("At least one address must be offered to peers.".into()));
        }
        let shard = u32::try_from(config.shard).ok().filter(|_| config.shard < MAX_SHARDS);
        let shard = shard.ok_or_else(|| StartFailed(format!("There are at most {MAX_SHARDS} shards.")))?;
        Ok(Self {
            candidates: Candidates { addresses: config.addresses, port: config.port, tcp_ports: config.tcp_ports },
            shard,
            long_packets_from: config.long_packets_from,
            random,
            clock: NtpClock::new(now, config.unix_time),
            fingerprint: dtls.fingerprint(),
            dtls,
            sessions: Slab::default(),
            session_keys: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_route: HashMap::new(),
            challengers: Challengers::default(),
            half_open: HashMap::new(),
            rooms: Vec::new(),
            room_at: HashMap::new(),
            shared_rooms: HashSet::new(),
            speech: VecDeque::new(),
            timers: BinaryHeap::new(),
            flush_at: None,
            signs_at: None,
            events: VecDeque::new(),
            control: Transmits::default(),
            fanout: Fanout::default(),
            waiting: VecDeque::new(),
            control_batch: Transmits::default(),
            batch: Transmits::default(),
            is_handed_out: false,
            gathers: false,
            packet: Vec::with_capacity(2_048),
            totals: Totals::default(),
            ledger: None,
            is_held: false,
        })
    }

    /// Take an input. Its consequences come out of [`Self::poll_output`].
    ///
    /// now: monotonic, never before the call before.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        debug_assert!(self.fanout.is_done(), "poll_output must be drained before the next input");
        match input {
            Input::Datagram { from, bytes } => self.handle_datagram(now, (from, false), bytes),
            Input::Contested { from, bytes } => self.handle_datagram(now, (from, true), bytes),
            Input::RouteClosed { route } => self.forget_route(route),
            Input::Speech(speech) => self.take_speech(now, speech),
            Input::Timeout => self.handle_timeout(now),
        }
    }

    /// What is to be done next. Call until it returns [`Output::Deadline`].
    pub fn poll_output(&mut self, now: Instant) -> Output<'_> {
        if !self.control.is_empty() {
            self.control_batch.clear();
            std::mem::swap(&mut self.control, &mut self.control_batch);
            return Output::Transmit(&self.control_batch);
        }
        if let Some(speech) = self.speech.pop_front() {
            return Output::Speech(speech);
        }
        if self.is_handed_out {
            self.batch.clear();
            self.is_handed_out = false;
        }
        while !self.fanout.is_done() && self.batch.len() < BATCH_LEN {
            self.fill_batch(now);
        }
        if !self.batch.is_empty() && (!self.gathers || self.batch.len() >= BATCH_LEN) {
            self.is_handed_out = true;
            return Output::Transmit(&self.batch);
        }
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        if !self.control.is_empty() {
            return self.poll_output(now); // A listener's failure in the fan-out said goodbye.
        }
        Output::Deadline(earliest(self.timers.peek().map(|Reverse((at, _))| *at), earliest(self.flush_at, self.signs_at)))
    }

    /// Whether sound may wait in a batch that is not full, for that of the inputs that follow at once.
    ///
    /// A packet to a small room fills a small part of a batch; with many rooms, those of several packets together make far fewer system
    /// calls. Say true while more datagrams are at hand, then false, and poll: nothing may wait for longer, least of all a command.
    pub fn gather(&mut self, more_to_come: bool) {
        self.gathers = more_to_come;
    }

    /// RTP packets forwarded since the start, handed out or in the batch being gathered.
    #[must_use]
    pub fn packets_out(&self) -> u64 {
        self.totals.packets_out
    }

    /// Counters since the start.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { sessions: self.sessions.len(), rooms: self.room_at.len(), ..self.totals };
        for (_, session) in self.sessions.iter() {
            let Some(room) = self.rooms[session.room].as_ref() else {
                continue;
            };
            totals.repaired += session.repaired(room);
            if let Media::Listen(listening) = &session.media
                && session.is_connected
            {
                totals.legs_by_depth[usize::from(listening.leg(room).repair.depth()).min(MAX_DEPTH)] += 1;
            }
        }
        totals
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(Reverse((at, key))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            let Some(session) = self.sessions.get_mut(key).filter(|session| session.queued == Some(at)) else {
                continue;
            };
            session.queued = None;
            let room = self.rooms[session.room].as_ref();
            let (clock, random, control, reported) = (self.clock, &mut self.random, &mut self.control, session.next_report());
            let outcome = guarded(control, |control| session.on_timeout(now, room, clock, random, control));
            // With each report, and no oftener: most timeouts only look whether something is due.
            if self.sessions.get(key).is_some_and(|session| session.next_report() != reported) {
                self.keep(key);
            }
            self.act_on(now, key, outcome);
        }
        self.send_due_signs(now);
        self.begin_due_fanout(now);
    }

    /// Do what a session's step calls for, and see to its next deadline. None: the step panicked.
    fn act_on(&mut self, now: Instant, key: SessionKey, outcome: Option<Outcome>) {
        match outcome.unwrap_or(Outcome::Close(CloseReason::Internal)) {
            Outcome::Nothing => {}
            Outcome::Connected => self.on_connected(now, key),
            Outcome::Close(reason) => self.close(now, key, reason),
        }
        self.schedule(now, key);
    }

    /// Queue a session's deadline unless an earlier entry stands already: deadlines that moved back are found out when it comes.
    fn schedule(&mut self, now: Instant, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        // Never in the past: the loop in `handle_timeout` must come to its end.
        let at = session.deadline(self.clock).max(now + Duration::from_millis(1));
        if session.queued.is_none_or(|queued| at < queued) {
            session.queued = Some(at);
            self.timers.push(Reverse((at, key)));
        }
    }

    fn on_connected(&mut self, now: Instant, key: SessionKey) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let connected = Connected {
            session: session.id.clone(),
            room: self.rooms[session.room].as_ref().map_or_else(|| "".into(), |room| room.id.clone()),
            person: session.person.clone(),
            direction: session.direction(),
        };
        self.no_longer_half_open(&connected.person);
        self.join_view(now, key);
        self.keep(key);
        self.events.push_back(Event::Connected(connected));
    }

    /// Put a connected listener into the view that fits.
    fn join_view(&mut self, now: Instant, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key).filter(|session| session.is_connected) else {
            return;
        };
        let (Media::Listen(listening), Some(room)) = (&mut session.media, self.rooms[session.room].as_mut()) else {
            return;
        };
        let excluded = room.csrc_of(&session.person);
        let membership = match std::mem::replace(listening, Listening::InView(Membership::default())) {
            Listening::AtRest(mut leg) => {
                leg.to = session.ice.selected();
                room.join(now, key, excluded, *leg)
            }
            Listening::InView(membership) => membership,
        };
        *listening = Listening::InView(membership);
        if let Some(ledger) = &mut self.ledger {
            ledger.give_cells(room.view_mut(membership.view));
        }
    }

    /// Take a listener out of its view.
    fn leave_view(&mut self, now: Instant, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let (Media::Listen(listening), Some(room)) = (&mut session.media, self.rooms[session.room].as_mut()) else {
            return;
        };
        let Listening::InView(membership) = *listening else {
            return;
        };
        let (mut leg, moved) = room.leave(now, membership);
        leg.counted_loss = room.loss.count(leg.counted_loss, None);
        *listening = Listening::AtRest(Box::new(leg));
        if let Some(Media::Listen(moved)) = moved.and_then(|key| self.sessions.get_mut(key)).map(|session| &mut session.media) {
            *moved = Listening::InView(membership);
        }
        self.keep_left(key, membership.view);
    }

    /// Let a listener's leg follow the route that is selected now.
    fn update_leg(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        if let (Media::Listen(Listening::InView(membership)), Some(room)) = (&session.media, self.rooms[session.room].as_mut()) {
            room.leg_mut(*membership).to = session.ice.selected();
        }
    }

    /// End a session: goodbye over DTLS, then nothing more in either direction.
    fn close(&mut self, now: Instant, key: SessionKey, reason: CloseReason) {
        self.erase(key);
        self.leave_view(now, key);
        let Some(mut session) = self.sessions.remove(key) else {
            return;
        };
        if let Some(room) = self.rooms[session.room].as_ref() {
            self.totals.repaired += session.repaired(room);
        }
        guarded(&mut self.control, |control| session.close(control));
        self.session_keys.remove(&session.id);
        for ufrag in session.ice.ufrags() {
            self.by_ufrag.remove(ufrag);
        }
        for route in session.ice.validated() {
            self.challengers.remove(route, key);
            if self.by_route.get(&route) == Some(&key) {
                self.by_route.remove(&route);
            }
        }
        if !session.is_connected {
            self.no_longer_half_open(&session.person);
        }
        let room_id = self.forget_in_room(&mut session, key);
        self.events.push_back(Event::Closed(Closed {
            session: session.id.clone(),
            room: room_id,
            person: session.person.clone(),
            direction: session.direction(),
            reason,
        }));
    }

    fn forget_in_room(&mut self, session: &mut Session, key: SessionKey) -> Arc<str> {
        let Some(room) = self.rooms[session.room].as_mut() else {
            return "".into();
        };
        let id = room.id.clone();
        let sessions = match session.direction() {
            Direction::Listen => &mut room.listeners,
            Direction::Speak => &mut room.speakers,
        };
        if sessions.get(&session.person) == Some(&key) {
            sessions.remove(&session.person);
        }
        if let Media::Speak(speaking) = &mut session.media {
            *room.left_talk.entry(session.person.clone()).or_default() += speaking.talk.take_ms();
            if let Some(csrc) = room.csrc_of(&session.person) {
                room.silence(csrc);
                if room.is_shared {
                    self.share_silence(id.clone(), csrc);
                }
            }
        }
        self.drop_room_if_empty(session.room);
        id
    }

    fn no_longer_half_open(&mut self, person: &Arc<str>) {
        if let Some(count) = self.half_open.get_mut(person) {
            *count -= 1;
            if *count == 0 {
                self.half_open.remove(person);
            }
        }
    }

    fn room_index(&mut self, id: &str) -> usize {
        if let Some(at) = self.room_at.get(id) {
            return *at;
        }
        let at = self.rooms.iter().position(Option::is_none).unwrap_or(self.rooms.len());
        let mut room = Room::new(at, id.into(), self.long_packets_from);
        room.is_shared = self.shared_rooms.contains(id);
        let key = room.id.clone();
        if at == self.rooms.len() {
            self.rooms.push(Some(room));
        } else {
            self.rooms[at] = Some(room);
        }
        self.room_at.insert(key, at);
        at
    }

    fn drop_room_if_empty(&mut self, at: usize) {
        if let Some(room) = self.rooms[at].take_if(|room| room.is_empty()) {
            self.room_at.remove(&room.id);
        }
    }
}

/// Run one session's code; None if it panicked, what it had begun to send cut off.
fn guarded<T>(transmits: &mut Transmits, step: impl FnOnce(&mut Transmits) -> T) -> Option<T> {
    // The session is closed after a panic and never looked at again, so its broken state can do no harm.
    let result = catch_unwind(AssertUnwindSafe(|| step(transmits))).ok();
    if result.is_none() {
        transmits.discard_unfinished();
    }
    result
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("totals", &self.totals()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
