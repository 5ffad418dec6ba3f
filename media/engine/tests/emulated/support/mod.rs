//! A world in a box: one engine, peers that share no code with it but STUN's and DTLS's libraries, and an emulated network between them.
//! Time stands still unless a test runs it.

#![allow(dead_code)] // Each part serves some tests.

pub mod book;
pub mod opus;
pub mod peer;
pub mod repair;
pub mod sdp;
pub mod srtp;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use salon_engine::{
    CloseReason, Closed, Config, Direction, Engine, Event, Input, NewOffer, Output, Restored, Route, SessionReport, Speaker, Speech,
};
use salon_netem::{Link, Weather};

use book::SharedBook;
pub use peer::{Heard, Peer};
pub use sdp::Repair;

pub const ROOM: &str = "room";
pub const ENGINE_ADDRESS: &str = "192.0.2.1:8004";

pub struct World {
    pub now: Instant,
    pub start: Instant,
    pub engine: Engine,
    /// Of this and the next engines.
    pub long_packets_from: Option<usize>,
    /// Seeds the next one: each has randomness of its own.
    engines: u8,
    pub events: Vec<Event>,
    /// For other engines, not yet brought there.
    pub speech: Vec<Speech>,
    pub peers: Vec<Peer>,
    /// Datagrams handed out so far, by route.
    pub sent_to: HashMap<Route, usize>,
    /// And how many bytes.
    pub bytes_to: HashMap<Route, usize>,
    uplink: Link<(Route, Vec<u8>)>,
    downlink: Link<(Route, Vec<u8>)>,
    /// (up, down) of peers that have links of their own, by route.
    own_links: HashMap<Route, BothWays>,
    deadline: Option<Instant>,
}

type BothWays = (Link<Vec<u8>>, Link<Vec<u8>>);

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl World {
    pub fn new() -> Self {
        Self::with_weather(Weather::FAIR, 1)
    }

    pub fn with_weather(weather: Weather, seed: u64) -> Self {
        let now = Instant::now();
        Self {
            now,
            start: now,
            engine: Self::new_engine(now, 7, None),
            long_packets_from: None,
            engines: 8,
            events: Vec::new(),
            speech: Vec::new(),
            peers: Vec::new(),
            sent_to: HashMap::new(),
            bytes_to: HashMap::new(),
            uplink: Link::new(weather, seed),
            downlink: Link::new(weather, seed + 1),
            own_links: HashMap::new(),
            deadline: None,
        }
    }

    /// Whose rooms have long packets from so many listeners on.
    pub fn with_long_packets(from: usize, weather: Weather, seed: u64) -> Self {
        let mut world = Self::with_weather(weather, seed);
        world.long_packets_from = Some(from);
        world.engine = Self::new_engine(world.now, 7, Some(from));
        world
    }

    fn new_engine(now: Instant, seed: u8, long_packets_from: Option<usize>) -> Engine {
        let address: SocketAddr = ENGINE_ADDRESS.parse().unwrap();
        let config = Config {
            addresses: vec![address.ip()],
            port: address.port(),
            tcp_ports: vec![],
            shard: 0,
            seed: [seed; 32],
            unix_time: secs(1_795_000_000),
            long_packets_from,
        };
        Engine::new(config, now).unwrap()
    }

    /// The sessions that were in it.
    pub fn open_book(&mut self, book: &SharedBook) -> Vec<Restored> {
        let uptime = secs(100_000) + (self.now - self.start);
        let restored = self.engine.open_book(self.now, uptime, Box::new(book.clone()));
        self.drain();
        restored
    }

    /// As after a kill: a new engine, which knows what the book says.
    pub fn replace_engine(&mut self, book: &SharedBook) -> Vec<Restored> {
        self.engine = Self::new_engine(self.now, self.engines, self.long_packets_from);
        self.engines = self.engines.wrapping_add(1);
        self.open_book(book)
    }

    /// See [`Self::replace_engine`]; the ids of the sessions that came back.
    pub fn restart(&mut self, book: &SharedBook) -> Vec<String> {
        self.replace_engine(book).iter().map(|restored| restored.session.to_string()).collect()
    }

    /// What peers send meanwhile is lost.
    pub fn run_without_engine_for(&mut self, duration: Duration) {
        self.now += duration;
        for peer in &mut self.peers {
            peer.take_datagrams(self.now);
        }
    }

    /// Put a datagram on its way to whoever is at `to`.
    pub fn deliver(&mut self, to: Route, bytes: Vec<u8>) {
        self.downlink.send(self.now, (to, bytes));
    }

    pub fn set_weather(&mut self, weather: Weather) {
        self.uplink.set_weather(weather);
        self.downlink.set_weather(weather);
    }

    /// From now on a peer has a link of its own each way, in this weather.
    pub fn give_links(&mut self, at: usize, weather: Weather, seed: u64) {
        self.own_links.insert(self.peers[at].route, (Link::new(weather, seed), Link::new(weather, seed + 1)));
    }

    fn next_up(&mut self) -> Option<(Route, Vec<u8>)> {
        let now = self.now;
        let mut own = self.own_links.iter_mut();
        self.uplink.receive(now).or_else(|| own.find_map(|(from, (up, _))| Some((*from, up.receive(now)?))))
    }

    fn next_down(&mut self) -> Option<(Route, Vec<u8>)> {
        let now = self.now;
        let mut own = self.own_links.iter_mut();
        self.downlink.receive(now).or_else(|| own.find_map(|(to, (_, down))| Some((*to, down.receive(now)?))))
    }

    pub fn set_uplink_weather(&mut self, weather: Weather) {
        self.uplink.set_weather(weather);
    }

    pub fn set_downlink_weather(&mut self, weather: Weather) {
        self.downlink.set_weather(weather);
    }

    /// A connected peer that offers `repair`.
    pub fn repairing(&mut self, person: &str, direction: Direction, repair: Repair) -> usize {
        let mut peer = Peer::new(self.next_route(), person, direction, 1);
        peer.repair = repair;
        let at = self.open(peer);
        self.run_until_connected(at);
        at
    }

    /// Put (person, csrc, muted) on the stage.
    pub fn set_stage(&mut self, speakers: &[(&str, u32, bool)]) {
        self.set_stage_of(ROOM, speakers);
    }

    pub fn set_stage_of(&mut self, room: &str, speakers: &[(&str, u32, bool)]) {
        let speakers: Vec<Speaker> =
            speakers.iter().map(|(person, csrc, muted)| Speaker { person: (*person).into(), csrc: *csrc, muted: *muted }).collect();
        self.engine.set_stage(self.now, room, &speakers);
        self.drain();
    }

    /// Open a session for `peer` and give it the answer; its number among the peers.
    pub fn open(&mut self, peer: Peer) -> usize {
        let offer = peer.offer();
        let opened = self.engine.open_session(
            self.now,
            NewOffer { session: &peer.session, room: peer.room, person: &peer.person, direction: peer.direction, offer: &offer },
        );
        self.drain();
        let mut peer = peer;
        peer.take_answer(self.now, &opened.unwrap().answer);
        self.peers.push(peer);
        self.peers.len() - 1
    }

    pub fn speaker(&mut self, person: &str) -> usize {
        let peer = Peer::new(self.next_route(), person, Direction::Speak, 1);
        self.open(peer)
    }

    pub fn listener(&mut self, person: &str, slots: usize) -> usize {
        let peer = Peer::new(self.next_route(), person, Direction::Listen, slots);
        self.open(peer)
    }

    pub fn next_route(&self) -> Route {
        Route::udp(SocketAddr::new("198.51.100.7".parse().unwrap(), 10_000 + u16::try_from(self.peers.len()).unwrap()))
    }

    /// A speaker with the microphone open, at RFC 6464 `level`, connected.
    pub fn talking(&mut self, person: &str, level: Option<u8>) -> usize {
        let at = self.speaker(person);
        self.run_until_connected(at);
        let now = self.now;
        self.peers[at].open_microphone(now, level);
        at
    }

    pub fn connected_listener(&mut self, person: &str, slots: usize) -> usize {
        let at = self.listener(person, slots);
        self.run_until_connected(at);
        at
    }

    pub fn run_until_connected(&mut self, at: usize) {
        for _ in 0..1_000 {
            if self.peers[at].is_connected() {
                return;
            }
            self.run_for(ms(10));
        }
        panic!("peer {at} has not connected within 10 s");
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let peers = self.peers.iter().filter_map(Peer::next_deadline);
            let own = self.own_links.values().flat_map(|(up, down)| [up.next_arrival(), down.next_arrival()]).flatten();
            let next = peers
                .chain(own)
                .chain([self.uplink.next_arrival(), self.downlink.next_arrival(), self.deadline].into_iter().flatten())
                .min();
            match next {
                Some(at) if at <= end => self.now = self.now.max(at),
                _ => break,
            }
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        if self.deadline.is_some_and(|at| at <= self.now) {
            self.engine.handle_input(self.now, Input::Timeout);
            self.drain();
        }
        while let Some((from, bytes)) = self.next_up() {
            self.engine.handle_input(self.now, Input::Datagram { from, bytes: &bytes });
            self.drain();
        }
        while let Some((to, bytes)) = self.next_down() {
            if let Some(peer) = self.peers.iter_mut().find(|peer| peer.route == to && !peer.is_unplugged) {
                peer.receive(self.now, &bytes);
            }
        }
        for peer in self.peers.iter_mut().filter(|peer| !peer.is_unplugged) {
            for datagram in peer.take_datagrams(self.now) {
                match self.own_links.get_mut(&peer.route) {
                    Some((up, _)) => up.send(self.now, datagram),
                    None => self.uplink.send(self.now, (peer.route, datagram)),
                }
            }
        }
    }

    /// Take all output; returns how many datagrams were sent.
    pub fn drain(&mut self) -> usize {
        let mut sent = 0;
        loop {
            match self.engine.poll_output(self.now) {
                Output::Transmit(batch) => {
                    let is_sound = |bytes: &[u8]| bytes[0] >= 128 && !(192..=223).contains(&bytes[1]); // RTP, by RFC 5761 section 4
                    assert!(batch.len() <= 64 || !batch.iter().any(|(_, bytes)| is_sound(bytes)), "a batch of sound has at most 64");
                    sent += batch.len();
                    for (to, bytes) in batch.iter() {
                        *self.sent_to.entry(to).or_default() += 1;
                        *self.bytes_to.entry(to).or_default() += bytes.len();
                        match self.own_links.get_mut(&to) {
                            Some((_, down)) => down.send(self.now, bytes.to_vec()),
                            None => self.downlink.send(self.now, (to, bytes.to_vec())),
                        }
                    }
                }
                Output::Speech(speech) => self.speech.push(speech),
                Output::Event(event) => self.events.push(event),
                Output::Deadline(at) => {
                    self.deadline = at;
                    return sent;
                }
            }
        }
    }

    /// Put a datagram in front of the engine; how many datagrams it sends at once because of it.
    pub fn inject(&mut self, from: Route, bytes: &[u8]) -> usize {
        self.engine.handle_input(self.now, Input::Datagram { from, bytes });
        self.drain()
    }

    pub fn close_person(&mut self, person: &str) -> usize {
        let count = self.engine.close_person(self.now, ROOM, person, &CloseReason::Asked("removed".into()));
        self.drain();
        count
    }

    /// (session, reason) of every session closed so far.
    pub fn closed(&self) -> Vec<(&str, &str)> {
        let closed = self.events.iter().filter_map(|event| match event {
            Event::Closed(Closed { session, reason, .. }) => Some((&**session, reason.as_str())),
            Event::Connected(_) => None,
        });
        closed.collect()
    }

    pub fn report(&self, session: &str) -> SessionReport {
        let mut reports = self.engine.report(self.now, None);
        reports.retain(|report| &*report.session == session);
        assert_eq!(reports.len(), 1, "one session {session}");
        reports.remove(0)
    }
}
