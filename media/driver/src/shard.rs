//! The loop of one shard: wait, feed the engine, send what it hands out.

mod claims;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use salon_engine::{CloseReason, Closed, Direction, Engine, Event, Input, Output, Restored, Route};

use crate::bypass::Bypass;
use crate::delay::{DelayWindow, Delays};
use crate::directory::{Directory, Place};
use crate::exchange::{Arrivals, Exchange, MAX_WAITING, Owner, Transfer};
use crate::socket::{Received, ReceivedDatagram, Socket, Waker, thread_cpu, wall_clock};
use crate::tcp::{Connections, Inbox};
use claims::Way;

/// To be run once a command's consequences have been sent.
pub(crate) type Answer = Box<dyn FnOnce()>;

/// What a caller wants done between two packets.
pub(crate) type Work = Box<dyn FnOnce(&mut Engine, Instant) -> Answer + Send>;

pub(crate) enum Command {
    Run(Work),
    Stop,
    Leave,
}

/// Where commands arrive.
pub(crate) struct Mailbox {
    pub inbox: mpsc::Receiver<Command>,
    pub waker: Arc<Waker>,
    pub arrivals: Arrivals,
}

/// What other threads may read while the shard runs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub exchange: Exchange,
    pub directory: Mutex<Directory>,
    events: Mutex<VecDeque<Event>>,
    events_arrived: Condvar,
    delays: Mutex<DelayWindow>,
    pub bytes_out: AtomicU64,
    pub bypassed: AtomicU64,
    pub send_errors: AtomicU64,
    /// By shard.
    pub cpu_nanos: Vec<AtomicU64>,
}

impl Shared {
    pub(crate) fn new(exchange: Exchange, listeners_at_home: usize) -> Self {
        let shards = exchange.shards();
        Self {
            exchange,
            directory: Mutex::new(Directory::new(shards, listeners_at_home)),
            events: Mutex::default(),
            events_arrived: Condvar::new(),
            delays: Mutex::default(),
            bytes_out: AtomicU64::new(0),
            bypassed: AtomicU64::new(0),
            send_errors: AtomicU64::new(0),
            cpu_nanos: std::iter::repeat_with(|| AtomicU64::new(0)).take(shards).collect(),
        }
    }

    fn session_closed(&self, closed: &Closed) {
        let mut directory = self.directory();
        if directory.closed(&closed.session) {
            self.end_room(&closed.room);
        }
    }

    /// Put the sessions that came back where they are: a room is at home where its speakers are, and is shared again with whichever
    /// other shards have listeners of it.
    ///
    /// restored: with the shard. engines: none of them runs yet.
    pub(crate) fn enter_restored(&self, restored: &[(usize, Restored)], engines: &mut [Engine]) {
        let mut homes: HashMap<&str, usize> = HashMap::new();
        for (shard, session) in restored {
            let home = homes.entry(&session.room).or_insert(*shard);
            if session.direction == Direction::Speak {
                *home = *shard;
            }
        }
        let mut directory = self.directory();
        for (shard, session) in restored {
            let place = Place { shard: *shard, home: homes[&*session.room] };
            directory.opened(&session.session, &session.room, &session.person, session.direction, place);
            if place.shard != place.home {
                self.exchange.add_audience(&session.room, place.shard);
                engines[place.home].share_room(&session.room, true);
            }
        }
    }

    /// Nobody shares it any more. Said while the directory is held, so that it comes before whatever begins the room anew.
    pub(crate) fn end_room(&self, room: &str) {
        if self.exchange.forget_audience(room) {
            for shard in 0..self.exchange.shards() {
                self.exchange.send(shard, Transfer::Unshare(room.into()));
            }
        }
    }

    /// For a moment: nobody waits for anything while they have it.
    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        lock(&self.directory)
    }

    /// The events so far; waits for one if there is none, at most `timeout`.
    pub(crate) fn take_events(&self, timeout: Duration) -> Vec<Event> {
        let events = lock(&self.events);
        let waited = self.events_arrived.wait_timeout_while(events, timeout, |events| events.is_empty());
        let (mut events, _) = waited.unwrap_or_else(PoisonError::into_inner);
        events.drain(..).collect()
    }

    pub(crate) fn wake_waiters(&self) {
        self.events_arrived.notify_all();
    }

    /// (p50, p99) of the last 10 s, and all since the start.
    pub(crate) fn forward_delays(&self) -> (Duration, Duration, Delays) {
        let mut delays = lock(&self.delays);
        delays.advance(Instant::now());
        (delays.percentile(0.50), delays.percentile(0.99), delays.since_start())
    }
}

/// Nothing in here panics while it holds a lock; were it so, counters a little off are better than no sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When datagrams come in quick succession, they are taken together.
///
/// Being woken, receiving and sending cost several microseconds each time, however little there is: with hundreds of small rooms,
/// whose packets come at all moments, more than forwarding itself. A round that begins soon after the last one therefore waits a little first, for
/// company; in one large room, where a packet comes every 20 ms, none ever does.
#[derive(Debug, Default)]
struct Rounds {
    /// When the last round with datagrams began.
    began: Option<Instant>,
    may_rest: bool,
}

impl Rounds {
    /// The least time between the beginnings of two rounds, and so the most that a packet waits here: a tenth of a frame of speech.
    const LEAST: Duration = Duration::from_millis(2);
    /// More than this at once is company enough.
    const FEW: usize = 32;

    /// Note a round that has received so many datagrams.
    fn begin(&mut self, now: Instant, datagrams: usize) {
        if datagrams > 0 {
            // A rest makes rounds LEAST apart, and a little more.
            let is_busy = self.began.is_some_and(|began| now.duration_since(began) < Self::LEAST * 3 / 2);
            // On a machine with too much to do a rest lasts longer than asked for; who rests while the socket fills up loses what comes.
            self.may_rest = is_busy && datagrams <= Self::FEW;
            self.began = Some(now);
        }
    }

    /// How long to wait before the next round. None: no need to.
    fn rest(&self, now: Instant) -> Option<Duration> {
        let next = self.began? + Self::LEAST;
        (self.may_rest && now < next).then(|| next - now)
    }
}

pub(crate) struct Shard {
    number: usize,
    /// Of UDP: what the other shards were told, and whether it was proven then.
    claimed: HashMap<Route, bool>,
    gives_back_at: Instant,
    /// Sooner, with so many.
    gives_back_from: usize,
    engine: Engine,
    socket: Socket,
    bypass: Option<Bypass>,
    connections: Connections,
    mailbox: Mailbox,
    shared: Arc<Shared>,
    /// When the packets arrived whose forwarding is being gathered.
    forwarded: Vec<Duration>,
    /// When the packet arrived that the engine works on now.
    arrived: Option<Duration>,
    rounds: Rounds,
}

impl Shard {
    pub(crate) fn new(
        number: usize,
        engine: Engine,
        socket: Socket,
        bypass: Option<Bypass>,
        connections: Connections,
        mailbox: Mailbox,
        shared: Arc<Shared>,
    ) -> Self {
        let is_one_of_many = shared.exchange.shards() > 1;
        // Of the sessions that came back: the kernel hands their packets to any shard, and their next check may be seconds away.
        let claims = engine.routes().filter(|_| is_one_of_many).map(|route| (route, engine.has_proved(route)));
        let claimed: HashMap<Route, bool> =
            claims.filter(|(route, is_proved)| shared.exchange.claim(*route, Owner { shard: number, is_proved: *is_proved })).collect();
        Self {
            number,
            claimed,
            gives_back_at: Instant::now(),
            gives_back_from: 0,
            engine,
            socket,
            bypass,
            connections,
            mailbox,
            shared,
            forwarded: Vec::new(),
            arrived: None,
            rounds: Rounds::default(),
        }
    }

    /// Until told to stop.
    pub(crate) fn run(mut self) {
        let mut received = Received::new();
        let mut inbox = Inbox::default();
        let mut deadline = self.drain(Instant::now());
        loop {
            let next = [deadline, self.connections.deadline()].into_iter().flatten().min();
            let timeout = next.map(|at| at.saturating_duration_since(Instant::now()));
            if let Some(rest) = self.rounds.rest(Instant::now()) {
                std::thread::sleep(rest);
            }
            let ready = self.socket.wait(&self.mailbox.waker, self.connections.fd(), timeout);
            if ready.commands {
                self.mailbox.waker.clear();
                self.mailbox.arrivals.begin();
            }
            inbox.clear();
            deadline = self.take_transfers(&mut inbox).or(deadline);
            while let Ok(command) = self.mailbox.inbox.try_recv() {
                match command {
                    Command::Run(run) => {
                        // What was on its way from other shards when the command was given comes before it.
                        self.take_transfers(&mut inbox);
                        let now = Instant::now();
                        let answer = run(&mut self.engine, now);
                        deadline = self.drain(now);
                        answer();
                    }
                    Command::Leave => {
                        self.engine.keep_all();
                        return;
                    }
                    Command::Stop => {
                        let now = Instant::now();
                        self.engine.close_all(now, &CloseReason::Asked("deleted".into()));
                        self.drain(now);
                        return;
                    }
                }
            }
            if ready.datagrams {
                let now = Instant::now();
                self.socket.receive(&mut received);
                self.rounds.begin(now, received.len());
                deadline = self.forward(&received).or(deadline);
            }
            let now = Instant::now();
            if ready.connections {
                self.connections.receive(now, &mut inbox);
            }
            self.connections.sweep(now, &mut inbox);
            deadline = self.take_in(&mut inbox).or(deadline);
            self.give_back_routes(now);
            if deadline.is_some_and(|at| at <= now) {
                self.engine.handle_input(now, Input::Timeout);
                deadline = self.drain(now);
            }
            self.shared.cpu_nanos[self.number].store(u64::try_from(thread_cpu().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Feed a batch of datagrams, and send what follows from all of them; the new deadline.
    fn forward(&mut self, received: &Received) -> Option<Instant> {
        self.engine.gather(true);
        for datagram in received.iter() {
            self.take_or_pass_on(datagram);
        }
        self.send_gathered()
    }

    /// Send what was gathered, and note how long that took since its packets arrived. The new deadline.
    fn send_gathered(&mut self) -> Option<Instant> {
        self.engine.gather(false);
        let now = Instant::now();
        let deadline = self.drain(now);
        if !self.forwarded.is_empty() {
            let sent = wall_clock();
            let mut delays = lock(&self.shared.delays);
            for arrived in self.forwarded.drain(..) {
                delays.record(now, sent.saturating_sub(arrived));
            }
        }
        deadline
    }

    fn take_or_pass_on(&mut self, datagram: ReceivedDatagram<'_>) {
        let ReceivedDatagram { from, bytes, arrived } = datagram;
        match self.way_of(from, bytes) {
            Way::Here { is_contested } => self.take_datagram((from, is_contested), bytes, arrived),
            Way::To(shard) => {
                self.shared.exchange.send(shard, Transfer::Datagram { from, bytes: bytes.into(), arrived });
            }
            Way::Nowhere => {}
        }
    }

    /// Feed what may be forwarded, and note when it arrived if it was.
    fn take(&mut self, now: Instant, input: Input<'_>, arrived: Option<Duration>) {
        let forwarded_before = self.engine.packets_out();
        self.arrived = arrived;
        self.engine.handle_input(now, input);
        self.drain(now);
        self.arrived = None;
        if self.engine.packets_out() > forwarded_before {
            self.forwarded.extend(arrived);
        }
    }

    fn take_datagram(&mut self, (from, is_contested): (Route, bool), bytes: &[u8], arrived: Option<Duration>) {
        let now = Instant::now();
        self.take(now, if is_contested { Input::Contested { from, bytes } } else { Input::Datagram { from, bytes } }, arrived);
        if self.shared.exchange.shards() > 1 && matches!(bytes.first(), Some(0..=3)) {
            self.tell_claim(now, from);
        }
    }

    /// Take what other shards have handed over; the new deadline.
    fn take_transfers(&mut self, inbox: &mut Inbox) -> Option<Instant> {
        let mut is_any = false;
        while let Some(route) = self.mailbox.arrivals.next_lost() {
            // It may have come back meanwhile.
            if self.shared.exchange.owner_of(route).is_none_or(|owner| owner.shard != self.number) {
                self.lose_route(Instant::now(), route);
                is_any = true;
            }
        }
        self.engine.gather(true);
        // As many as can wait at a time: what comes meanwhile wakes this shard once more, and commands wait for no flood to end.
        for _ in 0..MAX_WAITING {
            let Some(transfer) = self.mailbox.arrivals.next() else {
                break;
            };
            is_any = true;
            match transfer {
                Transfer::Datagram { from, bytes, arrived } => {
                    if let Way::Here { is_contested } = self.way_of(from, &bytes) {
                        self.take_datagram((from, is_contested), &bytes, arrived);
                    }
                }
                Transfer::Unshare(room) => self.engine.share_room(&room, false),
                Transfer::Connection(connection) => self.connections.adopt(Instant::now(), *connection, inbox),
                Transfer::Speech { speech, arrived } => self.take(Instant::now(), Input::Speech(&speech), arrived),
            }
        }
        self.engine.gather(false);
        if is_any { self.send_gathered() } else { None }
    }

    /// Feed what connections have brought; the new deadline.
    fn take_in(&mut self, inbox: &mut Inbox) -> Option<Instant> {
        let mut deadline = None;
        for (shard, connection) in inbox.strangers.drain(..).filter(|(shard, _)| *shard != self.number) {
            self.shared.exchange.send(shard, Transfer::Connection(Box::new(connection)));
        }
        for (from, bytes) in inbox.frames() {
            let now = Instant::now();
            self.engine.handle_input(now, Input::Datagram { from, bytes });
            deadline = self.drain(now);
        }
        for route in &inbox.closed {
            let now = Instant::now();
            self.engine.handle_input(now, Input::RouteClosed { route: *route });
            deadline = self.drain(now);
        }
        deadline
    }

    /// Send and tell all that follows from an input, but for what is being gathered. The next deadline.
    fn drain(&mut self, now: Instant) -> Option<Instant> {
        loop {
            match self.engine.poll_output(now) {
                Output::Transmit(batch) => {
                    let mut result = match &mut self.bypass {
                        Some(bypass) => {
                            let sent = bypass.send(now, batch, &mut self.socket);
                            self.shared.bypassed.fetch_add(bypass.take_sent(), Ordering::Relaxed);
                            sent
                        }
                        None => self.socket.send(batch),
                    };
                    if !self.connections.is_empty() {
                        result += self.connections.send(now, batch);
                    }
                    self.shared.bytes_out.fetch_add(result.bytes, Ordering::Relaxed);
                    self.shared.send_errors.fetch_add(result.errors, Ordering::Relaxed);
                }
                Output::Speech(speech) => {
                    let lost = self.shared.exchange.tell(self.number, speech, self.arrived);
                    self.shared.send_errors.fetch_add(lost, Ordering::Relaxed);
                }
                Output::Event(event) => {
                    if let Event::Closed(closed) = &event {
                        self.shared.session_closed(closed);
                    }
                    lock(&self.shared.events).push_back(event);
                    self.shared.events_arrived.notify_one();
                }
                Output::Deadline(at) => return at,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::sync::atomic::AtomicBool;

    use salon_engine::Config;

    use super::*;

    pub(super) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    pub(super) fn engine_of(shard: usize) -> Engine {
        let config = Config {
            addresses: vec![HERE],
            port: 8004,
            tcp_ports: vec![],
            shard,
            seed: [1; 32],
            unix_time: Duration::ZERO,
            long_packets_from: None,
        };
        Engine::new(config, Instant::now()).expect("starts")
    }

    pub(super) fn two_shards(engines: [Engine; 2]) -> ([Shard; 2], Arc<Shared>) {
        let wakers: Vec<_> = (0..2).map(|_| Arc::new(Waker::new().expect("eventfd"))).collect();
        let (exchange, arrivals) = Exchange::new(&wakers);
        let shared = Arc::new(Shared::new(exchange, 1));
        let mut shards = engines.into_iter().zip(wakers).zip(arrivals).enumerate().map(|(number, ((engine, waker), arrivals))| {
            let mailbox = Mailbox { inbox: mpsc::channel().1, waker, arrivals };
            let socket = Socket::bind(SocketAddr::new(HERE, 0)).expect("a free port");
            let connections = Connections::new(number, None, Arc::default()).expect("epoll");
            Shard::new(number, engine, socket, None, connections, mailbox, shared.clone())
        });
        let shards = [shards.next().expect("one"), shards.next().expect("another")];
        (shards, shared)
    }

    #[test]
    fn flood_of_transfers_ends_no_later_than_the_queue_that_was_there() {
        let ([_, mut shard], shared) = two_shards([engine_of(0), engine_of(1)]);
        for _ in 0..20 {
            let (is_full, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
            let sent = std::thread::scope(|scope| {
                let flood = scope.spawn(|| {
                    let mut sent = 0;
                    while !is_over.load(Ordering::SeqCst) && sent < 10 * MAX_WAITING {
                        let is_sent = shared.exchange.send(1, Transfer::Unshare("nowhere".into()));
                        sent += usize::from(is_sent);
                        is_full.fetch_or(!is_sent, Ordering::SeqCst);
                    }
                    sent
                });
                while !is_full.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                shard.take_transfers(&mut Inbox::default());
                is_over.store(true, Ordering::SeqCst);
                flood.join().expect("floods")
            });
            let left = std::iter::from_fn(|| shard.mailbox.arrivals.next()).count();
            assert_eq!(sent - left, MAX_WAITING);
        }
    }

    /// Whether the round after these (with datagrams, at milliseconds) rests, asked right after the last one.
    fn rests_after(rounds_at_ms: &[f64]) -> bool {
        let start = Instant::now();
        let at = |ms: f64| start + Duration::from_secs_f64(ms / 1_000.0);
        let mut rounds = Rounds::default();
        for ms in rounds_at_ms {
            rounds.begin(at(*ms), 3);
        }
        rounds.rest(at(rounds_at_ms.last().copied().unwrap_or(0.0) + 0.1)).is_some()
    }

    #[test]
    fn packets_of_one_speaker_are_never_kept_waiting() {
        assert!(!rests_after(&[]));
        assert!(!rests_after(&[0.0, 20.0, 40.0]));
    }

    #[test]
    fn rounds_in_quick_succession_rest_and_go_on_resting() {
        assert!(rests_after(&[0.0, 0.2]));
        assert!(rests_after(&[0.0, 0.2, 2.3, 4.4]), "a rest makes rounds a little more than two milliseconds apart");
        assert!(!rests_after(&[0.0, 0.2, 2.3, 5.4]), "then it grows quiet");
    }

    #[test]
    fn nobody_rests_while_the_socket_fills_up() {
        let start = Instant::now();
        let mut rounds = Rounds::default();
        rounds.begin(start, 3);
        rounds.begin(start + Duration::from_micros(200), Rounds::FEW + 1);
        assert_eq!(rounds.rest(start + Duration::from_micros(300)), None);
    }

    #[test]
    fn rest_ends_two_milliseconds_after_the_round_before_began() {
        let start = Instant::now();
        let mut rounds = Rounds::default();
        rounds.begin(start, 3);
        rounds.begin(start + Duration::from_micros(200), 3);
        rounds.begin(start + Duration::from_micros(300), 0); // nothing came after all: of no account
        assert_eq!(rounds.rest(start + Duration::from_micros(500)), Some(Duration::from_micros(1_700)));
        assert_eq!(rounds.rest(start + Duration::from_micros(2_200)), None);
    }
}
