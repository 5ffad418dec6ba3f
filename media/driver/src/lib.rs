//! Sockets and threads around the engine: one UDP port, one thread per shard, batches in and out.
//!
//! A shard is an engine with a thread and a socket of its own; it waits in `poll(2)` for datagrams, for commands (an eventfd wakes it)
//! and for the engine's deadline, and obeys the engine's loop. Commands are closures run by the shard between packets; the caller
//! waits for the answer.

mod book;
mod bypass;
mod commands;
mod delay;
mod directory;
mod epoll;
mod exchange;
mod handover;
mod local;
mod scheduling;
mod shard;
mod socket;
mod tcp;

#[cfg(feature = "fuzzing")]
pub use tcp::deframe;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use delay::{DELAY_BOUNDS, Delays};
use rand::TryRng;
use rand::rngs::SysRng;
pub use salon_engine as engine;
use salon_engine::{Config, Engine, Event, Restored};

use book::SharedBook;
use bypass::Bypass;
pub use commands::NewSession;
use exchange::Exchange;
use local::LocalAddresses;
use shard::{Command, Mailbox, Shard, Shared};
use socket::{Socket, Waker, uptime};
use tcp::{Connections, Limits};

/// How to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// UDP, and TCP for peers whose network lets no UDP out.
    pub port: u16,
    /// Where to listen, such as 0.0.0.0.
    pub bind: IpAddr,
    /// Offered as host candidates.
    pub addresses: Vec<IpAddr>,
    /// Further TCP ports to offer, from which something in front of the engine hands connections on to `port`.
    pub tcp_ports: Vec<u16>,
    /// Shards, 1 to 64.
    pub threads: usize,
    /// Listeners of one room on its home shard before others take more of them.
    pub listeners_at_home: usize,
    /// An interface over which sound leaves as frames of our own making where that is possible, around the UDP stack.
    pub bypass: Option<String>,
    /// Listeners in a room's audience on one shard from which on it gets 60 ms of speech in a packet. None: never.
    pub long_packets_from: Option<usize>,
    /// Run the shards before everything in normal scheduling, where the system allows it and a processor is left beside them.
    pub realtime: bool,
}

/// What a supervisor gave this process, so that it outlives it.
#[derive(Debug, Default)]
pub struct Inherited {
    /// UDP sockets, bound to one port, at most one for each thread; the others bind their own, which the kernel allows to the same user.
    pub sockets: Vec<OwnedFd>,
    /// The TCP socket of the same port, listening; None: bind one.
    pub listener: Option<OwnedFd>,
    /// A memfd with the session book, empty at first; None: sessions end with this process.
    pub book: Option<OwnedFd>,
}

impl Inherited {
    /// Of descriptors that the caller keeps open.
    ///
    /// # Errors
    ///
    /// [`DriverError`] if one is not open.
    pub fn from_descriptors(sockets: &[RawFd], listener: Option<RawFd>, book: Option<RawFd>) -> Result<Self, DriverError> {
        let cloned = |descriptor: RawFd| {
            socket::cloned(descriptor).map_err(|error| DriverError(format!("An inherited descriptor cannot be used: {error}.")))
        };
        let sockets = sockets.iter().copied().map(cloned).collect::<Result<_, _>>()?;
        Ok(Self { sockets, listener: listener.map(cloned).transpose()?, book: book.map(cloned).transpose()? })
    }
}

/// The driver could not start, or is closed. The message is a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverError(pub String);

impl std::fmt::Display for DriverError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DriverError {}

/// Counters for metrics and benches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// The engine's own.
    pub totals: engine::Totals,
    /// UDP payload handed to the kernel.
    pub bytes_out: u64,
    /// Datagrams that went around the UDP stack.
    pub bypassed: u64,
    /// Datagrams the kernel did not take.
    pub send_errors: u64,
    /// CPU time of the shard's thread, user and system.
    pub cpu: Duration,
    /// From the kernel's receive to the last send of that packet, over the last 10 s.
    pub forward_delay_p50: Duration,
    /// See [`Self::forward_delay_p50`].
    pub forward_delay_p99: Duration,
    /// The same delays since the start.
    pub forward_delays: Delays,
    /// One for each shard.
    pub threads: Vec<ThreadStats>,
}

/// What one shard does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadStats {
    /// User and system.
    pub cpu: Duration,
    /// Open now.
    pub sessions: usize,
    /// Datagrams taken.
    pub packets_in: u64,
    /// RTP packets forwarded.
    pub packets_out: u64,
    /// It runs before everything in normal scheduling.
    pub is_realtime: bool,
}

/// The same port by UDP, `count` times, and by TCP. Port 0: one that is free by both.
///
/// bound, listening: sockets of it that exist already.
fn bind(at: SocketAddr, count: usize, bound: Vec<OwnedFd>, listening: Option<OwnedFd>) -> Result<(Vec<Socket>, TcpListener), DriverError> {
    let refused =
        |transport: &str, port: u16, error: std::io::Error| DriverError(format!("{transport} port {port} cannot be used: {error}."));
    if bound.len() > count {
        // What the kernel gives to a socket that nobody reads would be lost.
        let held = bound.len();
        return Err(DriverError(format!("{held} UDP sockets are held for the engine, which {count} threads cannot serve.")));
    }
    let mut tries = if at.port() == 0 && bound.is_empty() { 16 } else { 1 };
    let adopted: Result<Vec<_>, _> = bound.into_iter().map(Socket::adopt).collect();
    let mut sockets = adopted.map_err(|error| refused("UDP", at.port(), error))?;
    let mut listener = listening.map(TcpListener::from);
    let (first, listener) = loop {
        let is_held = !sockets.is_empty();
        let first = if is_held { sockets.remove(0) } else { Socket::bind(at).map_err(|error| refused("UDP", at.port(), error))? };
        let listening = listener.take().map_or_else(|| TcpListener::bind(SocketAddr::new(at.ip(), first.port())), Ok);
        match listening {
            Ok(listener) => break (first, listener),
            Err(error) if tries <= 1 => return Err(refused("TCP", first.port(), error)),
            Err(_) => tries -= 1,
        }
    };
    let port = first.port();
    sockets.insert(0, first);
    let sockets = Socket::with_others(sockets, SocketAddr::new(at.ip(), port), count);
    let sockets = sockets.map_err(|error| DriverError(format!("UDP port {port} cannot be shared by threads: {error}.")))?;
    Ok((sockets, listener))
}

fn start_engine(options: &Options, port: u16, shard: usize) -> Result<Engine, DriverError> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed).map_err(|error| DriverError(format!("The system has no randomness: {error}.")))?;
    let config = Config {
        addresses: options.addresses.clone(),
        port,
        long_packets_from: options.long_packets_from,
        tcp_ports: std::iter::once(port).chain(options.tcp_ports.iter().copied()).collect(),
        shard,
        seed,
        unix_time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    };
    Engine::new(config, Instant::now()).map_err(|error| DriverError(error.0))
}

/// The sessions in each shard's section, with the shard.
fn restore(engines: &mut [Engine], book: &SharedBook) -> Vec<(usize, Restored)> {
    let sections = engines.iter_mut().enumerate();
    let back = sections.flat_map(|(number, engine)| {
        let back = engine.open_book(Instant::now(), uptime(), Box::new(book.section(number)));
        back.into_iter().map(move |session| (number, session))
    });
    back.collect()
}

/// One shard as its callers have it.
#[derive(Debug)]
struct Handle {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
}

/// A running engine.
#[derive(Debug)]
pub struct Driver {
    shards: Vec<Handle>,
    shared: Arc<Shared>,
    /// One command at a time is about the shards together.
    commanding: Mutex<()>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    book: Option<SharedBook>,
    restored: Vec<Restored>,
    bypass_refused: Option<String>,
}

impl Driver {
    /// Bind the port and start the thread.
    ///
    /// # Errors
    ///
    /// [`DriverError`] if the port is taken, an option makes no sense, or the system has no randomness or threads to give.
    pub fn start(options: &Options) -> Result<Self, DriverError> {
        Self::take_over(options, Inherited::default())
    }

    /// Go on with what a supervisor kept from the process before: its sockets, and the sessions of its book, which are held until
    /// [`Self::release`].
    ///
    /// # Errors
    ///
    /// As [`Self::start`], and if the book cannot be mapped.
    pub fn take_over(options: &Options, inherited: Inherited) -> Result<Self, DriverError> {
        if !(1..=engine::MAX_SHARDS).contains(&options.threads) {
            return Err(DriverError(format!("The engine runs 1 to {} threads, not {}.", engine::MAX_SHARDS, options.threads)));
        }
        let at = SocketAddr::new(options.bind, options.port);
        let (mut sockets, listener) = bind(at, options.threads, inherited.sockets, inherited.listener)?;
        let port = sockets[0].port();
        let pinned =
            LocalAddresses::of_machine(options.bind).and_then(|local| sockets.iter_mut().try_for_each(|socket| socket.pin(local.clone())));
        pinned.map_err(|error| DriverError(format!("This machine's addresses cannot be told apart: {error}.")))?;
        let book = inherited.book.map(|memory| SharedBook::open(&memory, options.threads)).transpose();
        let book = book.map_err(|error| DriverError(format!("The session book cannot be used: {error}.")))?;
        let wakers: Result<Vec<_>, _> = (0..options.threads).map(|_| Waker::new().map(Arc::new)).collect();
        let wakers = wakers.map_err(|error| DriverError(format!("No eventfd can be made: {error}.")))?;
        let (exchange, arrivals) = Exchange::new(&wakers);
        let shared = Arc::new(Shared::new(exchange, options.listeners_at_home));
        let limits: Arc<Limits> = Arc::default();
        let mut listener = Some(listener);
        let mut engines: Vec<_> = (0..options.threads).map(|number| start_engine(options, port, number)).collect::<Result<_, _>>()?;
        let restored = book.as_ref().map_or_else(Vec::new, |book| restore(&mut engines, book));
        // Before any of them runs: what says where everything is has to be there with the first datagram.
        shared.enter_restored(&restored, &mut engines);
        let mut bypass_refused = None;
        let (mut shards, mut ready) = (Vec::new(), Vec::new());
        for (number, (((socket, waker), arrivals), engine)) in sockets.into_iter().zip(wakers).zip(arrivals).zip(engines).enumerate() {
            let connections = Connections::new(number, listener.take(), limits.clone())
                .map_err(|error| DriverError(format!("TCP cannot be set up: {error}.")))?;
            let bypass = options.bypass.as_deref().and_then(|interface| {
                let opened = Bypass::open(interface, SocketAddr::new(options.bind, port));
                opened.map_err(|error| bypass_refused = Some(bypass::refusal(interface, &error))).ok()
            });
            let (commands, inbox) = mpsc::channel();
            let mailbox = Mailbox { inbox, waker: waker.clone(), arrivals };
            ready.push(Shard::new(number, engine, socket, bypass, connections, mailbox, shared.clone()));
            shards.push(Handle { commands, waker });
        }
        let mut threads = Vec::new();
        let realtime = options.realtime && scheduling::leaves_a_processor(options.threads);
        for (number, shard) in ready.into_iter().enumerate() {
            let run = move || {
                if realtime {
                    let _ = scheduling::come_first(); // Where it may not, it waits in line; the statistics tell.
                }
                shard.run();
            };
            let thread = std::thread::Builder::new().name(format!("salon-media-{number}")).spawn(run);
            threads.push(thread.map_err(|error| DriverError(format!("No thread can be started: {error}.")))?);
        }
        let restored = restored.into_iter().map(|(_, session)| session).collect();
        let (commanding, threads) = (Mutex::default(), Mutex::new(threads));
        Ok(Self { shards, shared, commanding, threads, book, restored, bypass_refused })
    }

    /// How many threads.
    fn shards(&self) -> usize {
        self.shards.len()
    }

    fn command(&self) -> std::sync::MutexGuard<'_, ()> {
        self.commanding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Run `command` on the first shard; see [`Self::call_on`].
    ///
    /// # Errors
    ///
    /// [`DriverError`] once the driver is closed.
    pub fn call<T: Send + 'static>(&self, command: impl FnOnce(&mut Engine, Instant) -> T + Send + 'static) -> Result<T, DriverError> {
        self.call_on(0, command)
    }

    /// Run a command on each shard, one after the other; their answers in order.
    fn call_each<T: Send + 'static, C: FnOnce(&mut Engine, Instant) -> T + Send + 'static>(
        &self,
        command: impl Fn(usize) -> C,
    ) -> Result<Vec<T>, DriverError> {
        (0..self.shards()).map(|shard| self.call_on(shard, command(shard))).collect()
    }

    /// Run `command` between two packets of a shard and wait for its answer.
    ///
    /// # Errors
    ///
    /// [`DriverError`] once the driver is closed.
    pub fn call_on<T: Send + 'static>(
        &self,
        shard: usize,
        command: impl FnOnce(&mut Engine, Instant) -> T + Send + 'static,
    ) -> Result<T, DriverError> {
        let closed = || DriverError("The engine is stopped.".into());
        let (answer, answered) = mpsc::sync_channel(1);
        let run = move |engine: &mut Engine, now: Instant| -> shard::Answer {
            let result = command(engine, now);
            // Sent only when the consequences have left the socket: then "silent when it returns" is true.
            Box::new(move || {
                let _ = answer.send(result); // The caller cannot have gone: it waits below.
            })
        };
        let handle = self.shards.get(shard).ok_or_else(closed)?;
        handle.commands.send(Command::Run(Box::new(run))).map_err(|_| closed())?;
        handle.waker.wake();
        answered.recv().map_err(|_| closed())
    }

    /// The sessions that came back when this started.
    #[must_use]
    pub fn restored(&self) -> &[Restored] {
        &self.restored
    }

    /// Why nothing goes around the UDP stack although that was asked for: a sentence.
    #[must_use]
    pub fn bypass_refused(&self) -> Option<&str> {
        self.bypass_refused.as_deref()
    }

    /// Why the sessions that were in the book did not come back, as a sentence.
    #[must_use]
    pub fn book_emptied(&self) -> Option<String> {
        Some(self.book.as_ref()?.emptied()?.to_string())
    }

    /// Forward sound, now that it is known what the sessions that came back may do.
    ///
    /// # Errors
    ///
    /// [`DriverError`] once the driver is closed.
    pub fn release(&self) -> Result<(), DriverError> {
        self.call_each(|_| |engine, _| engine.release()).map(|_| ())
    }

    /// Say that this process runs well: the next one may believe the book, whatever becomes of this one.
    pub fn settle(&self) {
        if let Some(book) = &self.book {
            book.settle();
        }
    }

    /// Stop without a word to anybody: the next process goes on with the sessions, by the book. Without one this is [`Self::close`].
    pub fn leave(&self) {
        if self.book.is_none() {
            return self.close();
        }
        self.stop(|| Command::Leave);
        self.settle();
    }

    /// Wait for events, at most `timeout`. One caller at a time.
    #[must_use]
    pub fn poll_events(&self, timeout: Duration) -> Vec<Event> {
        self.shared.take_events(timeout)
    }

    /// Counters.
    ///
    /// # Errors
    ///
    /// [`DriverError`] once the driver is closed.
    pub fn stats(&self) -> Result<Stats, DriverError> {
        let each = self.call_each(|_| |engine, _| (engine.totals(), scheduling::comes_first()))?;
        let mut totals = engine::Totals::default();
        each.iter().for_each(|(of_one, _)| totals += *of_one);
        if each.len() > 1 {
            totals.rooms = self.shared.directory().rooms();
        }
        let cpu = |shard: usize| Duration::from_nanos(self.shared.cpu_nanos[shard].load(Ordering::Relaxed));
        let threads = each.iter().enumerate().map(|(shard, (totals, is_realtime))| ThreadStats {
            cpu: cpu(shard),
            sessions: totals.sessions,
            packets_in: totals.packets_in,
            packets_out: totals.packets_out,
            is_realtime: *is_realtime,
        });
        let (forward_delay_p50, forward_delay_p99, forward_delays) = self.shared.forward_delays();
        Ok(Stats {
            totals,
            bytes_out: self.shared.bytes_out.load(Ordering::Relaxed),
            bypassed: self.shared.bypassed.load(Ordering::Relaxed),
            send_errors: self.shared.send_errors.load(Ordering::Relaxed),
            cpu: (0..each.len()).map(cpu).sum(),
            threads: threads.collect(),
            forward_delay_p50,
            forward_delay_p99,
            forward_delays,
        })
    }

    /// Whether [`Self::close`] was called, or the thread is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // A shard that is gone takes the others with it: who starts this process starts it again.
        threads.is_empty() || threads.iter().any(JoinHandle::is_finished)
    }

    /// Tell every peer, stop the thread, free the port. Harmless when repeated.
    pub fn close(&self) {
        self.stop(|| Command::Stop);
    }

    fn stop(&self, command: fn() -> Command) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if threads.is_empty() {
            return;
        }
        for handle in &self.shards {
            let _ = handle.commands.send(command()); // If the thread is gone, it has stopped.
            handle.waker.wake();
        }
        for thread in threads {
            let _ = thread.join(); // A panic has been printed by then, and the port is free either way.
        }
        self.shared.wake_waiters();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.close();
    }
}
