//! Commands and packets in any order against a whole engine, with what it promises checked after each.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use salon_engine::fuzzing::{Cipher, Opened, Peer};
use salon_engine::{CloseReason, Config, Direction, Engine, Event, Input, NewOffer, Output, Route, Speaker, Transport};

use crate::checks;
use crate::script::Script;
use crate::sdp;

const ROOMS: [&str; 2] = ["room", "hall"];
const PEOPLE: [&str; 4] = ["ada", "bob", "eve", "ida"];
const ROUTES: usize = 6;
const OUR_UFRAG: &str = "peer";
const OUR_PASSWORD: &str = "the+password+of+a+peer";
const FINGERPRINT: &str = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";
/// Steps of one script; longer ones find nothing that these do not.
const MAX_STEPS: usize = 200;
/// Timers that fire at one moment. More would be a timer that sets itself to now, again and again.
const MAX_TIMERS: usize = 10_000;

/// Everything: sessions come and go, stages change, peers connect, and send what they like.
pub(crate) fn actions(bytes: &[u8]) {
    let mut play = Play::new();
    let mut script = Script(bytes);
    for _ in 0..MAX_STEPS {
        if script.is_over() {
            break;
        }
        match script.below(16) {
            0 | 1 => play.open(&mut script),
            2 => play.connect(&mut script),
            3 => play.set_stage(&mut script),
            4 => play.close(&mut script),
            5 => play.restart(&mut script),
            6 => play.ask(),
            _ => play.send(&mut script),
        }
    }
}

/// Packets alone, to an engine in the middle of things: a speaker, a listener of three slots, one who is about to connect.
pub(crate) fn ingress(bytes: &[u8]) {
    let mut play = Play::in_the_middle();
    let mut script = Script(bytes);
    for _ in 0..MAX_STEPS {
        if script.is_over() {
            break;
        }
        play.send(&mut script);
    }
}

/// Checks alone, with any attributes, signed or not.
pub(crate) fn stun(bytes: &[u8]) {
    let mut play = Play::in_the_middle();
    let mut script = Script(bytes);
    while !script.is_over() {
        if script.byte() < 64 {
            let from = play.route(&mut script);
            let datagram = script.long_bytes();
            play.inject(from, datagram, false);
        } else {
            play.send_check(&mut script);
        }
    }
}

/// A session as its peer knows it.
struct Session {
    id: String,
    room: usize,
    person: usize,
    direction: Direction,
    /// The engine's ufrag and password; after a restart the new ones.
    theirs: (String, String),
    ssrcs: Vec<u32>,
    /// Where checks came from.
    validated: HashSet<Route>,
    /// Where the peer is known to receive: sound may go there.
    proved: HashSet<Route>,
    media: Option<Media>,
    /// Requests of the engine's own, not answered yet.
    asked: Vec<(Route, [u8; 12])>,
}

/// What a connected peer has.
struct Media {
    route: Route,
    peer: Peer,
    index: u64,
    /// Packets that came, as they came: a retransmission must be one of them.
    got: HashSet<Vec<u8>>,
}

struct Play {
    now: Instant,
    engine: Engine,
    sessions: Vec<Session>,
    opened: usize,
    /// Per room: muted or not, by person.
    stages: [HashMap<usize, bool>; ROOMS.len()],
    datagrams: u64,
    /// Wherever anything may go at all.
    ever_validated: HashSet<Route>,
}

fn csrc(room: usize, person: usize) -> u32 {
    u32::try_from(1 + room * PEOPLE.len() + person).unwrap()
}

fn route(number: usize) -> Route {
    let peer: SocketAddr = ([198, 51, 100, 1], 10_000 + u16::try_from(number).unwrap()).into();
    if number < ROUTES - 1 { Route::udp(peer) } else { Route::tcp(peer) }
}

impl Play {
    fn new() -> Self {
        let now = Instant::now();
        let config = Config {
            addresses: vec![[192, 0, 2, 1].into()],
            port: 8004,
            tcp_ports: vec![8004],
            shard: 0,
            seed: [7; 32],
            unix_time: Duration::from_secs(1_795_000_000),
            long_packets_from: Some(2),
        };
        Self {
            now,
            engine: salon_engine::fuzzing::start(config, now),
            sessions: Vec::new(),
            opened: 0,
            stages: Default::default(),
            datagrams: 0,
            ever_validated: HashSet::new(),
        }
    }

    fn in_the_middle() -> Self {
        let mut play = Self::new();
        play.stages[0] = [(0, false)].into();
        play.tell_stage(0);
        // Ada speaks, Bob listens, Eve and Ida have their answers.
        for script in [[0, 0, 1, 0], [0, 1, 0, 2], [0, 2, 0, 0], [0, 3, 0, 1]] {
            play.open(&mut Script(&script));
        }
        play.connect(&mut Script(&[0, 0, 1]));
        play.connect(&mut Script(&[1, 1, 0]));
        play
    }

    fn route(&self, script: &mut Script<'_>) -> Route {
        route(script.below(ROUTES))
    }

    fn open(&mut self, script: &mut Script<'_>) {
        let (room, person) = (script.below(2), script.below(PEOPLE.len()));
        let (direction, slots) = if script.below(2) == 0 { (Direction::Listen, 1 + script.below(3)) } else { (Direction::Speak, 1) };
        self.opened += 1;
        let id = format!("session-{}", self.opened);
        let offer = sdp::offer(direction, slots, sdp::Repair { red: true, nack: true }, OUR_UFRAG, OUR_PASSWORD, FINGERPRINT);
        let new = NewOffer { session: &id, room: ROOMS[room], person: PEOPLE[person], direction, offer: &offer };
        if let Ok(opened) = self.engine.open_session(self.now, new) {
            let value = |name| sdp::value(&opened.answer, name).unwrap().to_owned();
            self.sessions.push(Session {
                id,
                room,
                person,
                direction,
                theirs: (value("ice-ufrag"), value("ice-pwd")),
                ssrcs: sdp::ssrcs(&opened.answer),
                validated: HashSet::new(),
                proved: HashSet::new(),
                media: None,
                asked: Vec::new(),
            });
        }
        self.drain();
    }

    fn connect(&mut self, script: &mut Script<'_>) {
        if self.sessions.is_empty() {
            return;
        }
        let at = script.below(self.sessions.len());
        let (route, cipher) = (self.route(script), Cipher::ALL[script.below(3)]);
        let taken = self.sessions.iter().any(|session| session.media.as_ref().is_some_and(|media| media.route == route));
        let session = &mut self.sessions[at];
        if !taken && self.engine.pretend_connected(self.now, &session.id, route, cipher) {
            session.validated.insert(route);
            session.proved.insert(route);
            self.ever_validated.insert(route);
            session.media = Some(Media { route, peer: Peer::new(cipher), index: 1, got: HashSet::new() });
        }
        self.drain();
    }

    fn set_stage(&mut self, script: &mut Script<'_>) {
        let room = script.below(2);
        let (present, muted) = (script.byte(), script.byte());
        self.stages[room] =
            (0..PEOPLE.len()).filter(|person| present >> person & 1 == 1).map(|person| (person, muted >> person & 1 == 1)).collect();
        self.tell_stage(room);
    }

    fn tell_stage(&mut self, room: usize) {
        let speakers: Vec<Speaker> = self.stages[room]
            .iter()
            .map(|(person, muted)| Speaker { person: PEOPLE[*person].into(), csrc: csrc(room, *person), muted: *muted })
            .collect();
        self.engine.set_stage(self.now, ROOMS[room], &speakers);
        self.drain();
    }

    fn close(&mut self, script: &mut Script<'_>) {
        let reason = CloseReason::Asked("removed".into());
        match script.below(8) {
            0 => {
                let room = script.below(2);
                self.engine.close_room(self.now, ROOMS[room], &reason);
                self.stages[room].clear();
            }
            1 => self.engine.close_all(self.now, &reason),
            2..=4 => {
                let (room, person) = (script.below(2), script.below(PEOPLE.len()));
                self.engine.close_person(self.now, ROOMS[room], PEOPLE[person], &reason);
            }
            _ if self.sessions.is_empty() => assert!(!self.engine.close_session(self.now, "nobody's", reason)),
            _ => {
                let at = script.below(self.sessions.len());
                assert!(self.engine.close_session(self.now, &self.sessions[at].id, reason));
            }
        }
        self.drain();
    }

    fn restart(&mut self, script: &mut Script<'_>) {
        if self.sessions.is_empty() {
            return;
        }
        let at = script.below(self.sessions.len());
        let fragment = format!("a=ice-ufrag:{OUR_UFRAG}\r\na=ice-pwd:{OUR_PASSWORD}\r\n");
        let (answer, _) = self.engine.restart_ice(&self.sessions[at].id, &fragment).unwrap();
        let value = |name| sdp::value(&answer, name).unwrap().to_owned();
        self.sessions[at].theirs = (value("ice-ufrag"), value("ice-pwd"));
        self.drain();
    }

    /// What only looks must not disturb.
    fn ask(&mut self) {
        let reports = self.engine.report(self.now, None);
        assert_eq!(reports.len(), self.sessions.len(), "a report of every session");
        for talk in self.engine.take_talk(self.now) {
            assert!(ROOMS.contains(&&*talk.room));
        }
        self.drain();
    }

    fn send(&mut self, script: &mut Script<'_>) {
        match script.below(8) {
            0 => {
                let from = self.route(script);
                let datagram = script.long_bytes();
                self.inject(from, datagram, false);
            }
            1 => self.send_check(script),
            2 => self.send_rtcp(script),
            3 => self.wait(Duration::from_millis(u64::from(script.word() % 20_000))),
            4 => self.answer_request(script),
            5 if script.below(16) == 0 => {
                let route = self.route(script);
                self.engine.handle_input(self.now, Input::RouteClosed { route });
                self.drain();
            }
            _ => self.send_rtp(script),
        }
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        for _ in 0..MAX_TIMERS {
            self.engine.handle_input(self.now, Input::Timeout);
            if self.drain().is_none_or(|at| at > self.now) {
                return;
            }
        }
        panic!("timers fire for ever");
    }

    fn send_check(&mut self, script: &mut Script<'_>) {
        if self.sessions.is_empty() {
            return;
        }
        let (at, from, flags) = (script.below(self.sessions.len()), self.route(script), script.byte());
        let session = &mut self.sessions[at];
        let username = format!("{}:{OUR_UFRAG}", session.theirs.0);
        let transaction = [script.byte(); 12];
        let mut message = checks::request(&username, transaction, flags & 1 == 1, flags & 2 == 0, script.bytes());
        let is_signed = flags & 0b1100 != 0b1100;
        if is_signed {
            checks::sign(&mut message, &session.theirs.1);
            session.validated.insert(from);
            if from.transport == Transport::Tcp {
                session.proved.insert(from);
            }
            self.ever_validated.insert(from);
        } else {
            checks::sign(&mut message, "not the password");
        }
        message.extend_from_slice(script.bytes());
        let is_contested = flags & 0b1_0000 != 0;
        let bytes = &message[..];
        self.take(if is_contested { Input::Contested { from, bytes } } else { Input::Datagram { from, bytes } }, from, is_signed);
    }

    /// Answer a request of the engine's, well or badly.
    fn answer_request(&mut self, script: &mut Script<'_>) {
        let Some(session) = self.sessions.iter_mut().find(|session| !session.asked.is_empty()) else {
            return;
        };
        let (to, transaction) = session.asked.remove(0);
        let flags = script.byte();
        let mut message = checks::success(transaction, script.bytes());
        checks::sign(&mut message, if flags & 1 == 0 { OUR_PASSWORD } else { "not the password" });
        let from = if flags & 2 == 0 { to } else { self.route(script) };
        if flags & 1 == 0 && from == to {
            // Two sessions may have been checked from one route; whose question it was, only the engine knows.
            for session in self.sessions.iter_mut().filter(|session| session.validated.contains(&to)) {
                session.proved.insert(to);
            }
        }
        self.inject(from, &message, true);
    }

    fn send_rtp(&mut self, script: &mut Script<'_>) {
        let (at, flags) = (script.byte(), script.byte());
        let mut connected: Vec<_> = self.sessions.iter_mut().filter_map(|session| session.media.as_mut()).collect();
        if connected.is_empty() {
            return;
        }
        let count = connected.len();
        let media = &mut connected[usize::from(at) % count];
        media.index = match flags & 0b1100 {
            0b1000 => media.index + u64::from(script.word()),
            0b1100 => media.index.saturating_sub(u64::from(script.byte())),
            _ => media.index + 1,
        };
        let packet = if flags & 1 == 0 {
            // As a client sends it: 20 ms of Opus with a level.
            let time = u32::try_from(media.index & 0xffff).unwrap() * 960;
            let mut packet = vec![0x90, 111, 0, 0];
            packet.extend_from_slice(&time.to_be_bytes());
            packet.extend_from_slice(&[0, 0, 0, 1 + (flags >> 4 & 1), 0xbe, 0xde, 0, 1, 3 << 4, 0x80 | (flags >> 5), 0, 0]);
            packet.extend_from_slice(script.bytes());
            packet
        } else {
            script.long_bytes().to_vec()
        };
        let Some(packet) = media.peer.protect_rtp(&packet, media.index) else { return };
        let from = if flags & 2 == 0 { media.route } else { self.route(script) };
        self.inject(from, &packet, true);
        self.wait(Duration::from_millis(u64::from(script.byte() % 40)));
    }

    fn send_rtcp(&mut self, script: &mut Script<'_>) {
        let at = script.byte();
        let mut connected: Vec<_> = self.sessions.iter_mut().filter_map(|session| session.media.as_mut()).collect();
        if connected.is_empty() {
            return;
        }
        let count = connected.len();
        let media = &mut connected[usize::from(at) % count];
        if let Some(packet) = media.peer.protect_rtcp(script.bytes()) {
            let from = media.route;
            self.inject(from, &packet, true);
        }
    }

    /// Put a datagram before the engine. is_genuine: whoever made it knew a key of its session.
    fn inject(&mut self, from: Route, datagram: &[u8], is_genuine: bool) {
        self.take(Input::Datagram { from, bytes: datagram }, from, is_genuine);
    }

    fn take(&mut self, input: Input<'_>, from: Route, is_genuine: bool) {
        self.datagrams += 1;
        self.engine.handle_input(self.now, input);
        let may_answer = is_genuine || self.ever_validated.contains(&from);
        let sent = self.drain_counting().1;
        assert!(may_answer || sent == 0, "a stranger gets no answer");
    }

    fn drain(&mut self) -> Option<Instant> {
        self.drain_counting().0
    }

    /// Take all output and hold it against what may be: (next deadline, datagrams sent).
    fn drain_counting(&mut self) -> (Option<Instant>, usize) {
        let mut sent = 0;
        let deadline = loop {
            let mut batch = Vec::new();
            match self.engine.poll_output(self.now) {
                Output::Transmit(transmits) => batch = transmits.iter().map(|(to, bytes)| (to, bytes.to_vec())).collect(),
                Output::Event(Event::Closed(closed)) => {
                    assert_ne!(closed.reason, CloseReason::Internal, "no panic in a session's code");
                    self.sessions.retain(|session| session.id != *closed.session);
                }
                Output::Event(_) | Output::Speech(_) => {}
                Output::Deadline(at) => break at,
            }
            sent += batch.len();
            for (to, bytes) in batch {
                self.check_datagram(to, &bytes);
            }
        };
        self.check_totals();
        (deadline, sent)
    }

    fn check_datagram(&mut self, to: Route, bytes: &[u8]) {
        assert!(self.ever_validated.contains(&to), "nothing goes where nobody has proven anything");
        assert!(bytes.len() <= 1_472, "a datagram fits into a frame of Ethernet");
        if let Some(transaction) = checks::transaction_of_request(bytes) {
            let session = self.sessions.iter_mut().find(|session| session.validated.contains(&to));
            session.expect("the engine asks who has sent a check").asked.push((to, transaction));
        } else if bytes[0] >= 128 && !(192..=223).contains(&bytes[1]) {
            self.check_rtp(to, bytes);
        }
    }

    fn check_rtp(&mut self, to: Route, bytes: &[u8]) {
        let ssrc = u32::from_be_bytes(bytes[8..12].try_into().unwrap());
        let at = self.sessions.iter().position(|session| session.ssrcs.contains(&ssrc)).expect("an SSRC that an answer named");
        let session = &mut self.sessions[at];
        assert!(session.direction == Direction::Listen && session.proved.contains(&to));
        let media = session.media.as_mut().expect("sound goes to connected listeners only");
        match media.peer.open_rtp(bytes) {
            Opened::Forged => panic!("a listener cannot read its packet"),
            Opened::Again => assert!(media.got.contains(bytes), "an index is used once, or for the same bytes again"),
            Opened::Rtp { csrc: named, .. } => {
                media.got.insert(bytes.to_vec());
                let named = named.expect("a packet names its speaker");
                let (room, listener) = (session.room, session.person);
                let speaker = (0..PEOPLE.len()).find(|person| csrc(room, *person) == named).expect("somebody of this room");
                assert_ne!(speaker, listener, "one never hears oneself");
                assert_eq!(self.stages[room].get(&speaker), Some(&false), "on the stage, and not muted");
                let speaks = |session: &Session| (session.room, session.person, session.direction) == (room, speaker, Direction::Speak);
                assert!(self.sessions.iter().any(|session| speaks(session) && session.media.is_some()), "and connected");
            }
        }
    }

    fn check_totals(&self) {
        let totals = self.engine.totals();
        assert_eq!((totals.packets_in, totals.sessions), (self.datagrams, self.sessions.len()));
        assert!(totals.dropped.sum() <= totals.packets_in);
        self.engine.check_books();
    }
}
