//! The loop of one shard: wait, feed the engine, send what it hands out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use salon_engine::{CloseReason, Engine, Event, Input, Output};

use crate::delay::{DelayWindow, Delays};
use crate::socket::{Received, Socket, Waker, thread_cpu, wall_clock};
use crate::tcp::{Connections, Inbox};

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
}

/// What other threads may read while the shard runs.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    events: Mutex<VecDeque<Event>>,
    events_arrived: Condvar,
    delays: Mutex<DelayWindow>,
    pub bytes_out: AtomicU64,
    pub send_errors: AtomicU64,
    pub cpu_nanos: AtomicU64,
}

impl Shared {
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

pub(crate) struct Shard {
    engine: Engine,
    socket: Socket,
    connections: Connections,
    mailbox: Mailbox,
    shared: Arc<Shared>,
}

impl Shard {
    pub(crate) fn new(engine: Engine, socket: Socket, connections: Connections, mailbox: Mailbox, shared: Arc<Shared>) -> Self {
        Self { engine, socket, connections, mailbox, shared }
    }

    /// Until told to stop.
    pub(crate) fn run(mut self) {
        let mut received = Received::new();
        let mut inbox = Inbox::default();
        let mut deadline = self.drain(Instant::now()).0;
        loop {
            let next = [deadline, self.connections.deadline()].into_iter().flatten().min();
            let timeout = next.map(|at| at.saturating_duration_since(Instant::now()));
            let ready = self.socket.wait(&self.mailbox.waker, self.connections.fd(), timeout);
            if ready.commands {
                self.mailbox.waker.clear();
            }
            while let Ok(command) = self.mailbox.inbox.try_recv() {
                match command {
                    Command::Run(run) => {
                        let now = Instant::now();
                        let answer = run(&mut self.engine, now);
                        deadline = self.drain(now).0;
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
                self.socket.receive(&mut received);
                deadline = self.forward(&received).or(deadline);
            }
            let now = Instant::now();
            inbox.clear();
            if ready.connections {
                self.connections.receive(now, &mut inbox);
            }
            self.connections.sweep(now, &mut inbox);
            deadline = self.take_in(&inbox).or(deadline);
            if deadline.is_some_and(|at| at <= now) {
                self.engine.handle_input(now, Input::Timeout);
                deadline = self.drain(now).0;
            }
            self.shared.cpu_nanos.store(u64::try_from(thread_cpu().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Feed a batch of datagrams; the new deadline.
    fn forward(&mut self, received: &Received) -> Option<Instant> {
        let mut deadline = None;
        for datagram in received.iter() {
            let now = Instant::now();
            self.engine.handle_input(now, Input::Datagram { from: datagram.from, bytes: datagram.bytes });
            let (at, sent_to) = self.drain(now);
            deadline = at;
            // More than one destination is a forwarded packet; a lone answer to a check is not.
            if sent_to > 0
                && datagram.is_media()
                && let Some(arrived) = datagram.arrived
            {
                lock(&self.shared.delays).record(now, wall_clock().saturating_sub(arrived));
            }
        }
        deadline
    }

    /// Feed what connections have brought; the new deadline.
    fn take_in(&mut self, inbox: &Inbox) -> Option<Instant> {
        let mut deadline = None;
        for (from, bytes) in inbox.frames() {
            let now = Instant::now();
            self.engine.handle_input(now, Input::Datagram { from, bytes });
            deadline = self.drain(now).0;
        }
        for route in &inbox.closed {
            let now = Instant::now();
            self.engine.handle_input(now, Input::RouteClosed { route: *route });
            deadline = self.drain(now).0;
        }
        deadline
    }

    /// Send and tell all that follows from an input. Returns the next deadline and how many datagrams were sent.
    fn drain(&mut self, now: Instant) -> (Option<Instant>, usize) {
        let mut sent = 0;
        loop {
            match self.engine.poll_output(now) {
                Output::Transmit(batch) => {
                    sent += batch.len();
                    let mut result = self.socket.send(batch);
                    if !self.connections.is_empty() {
                        result += self.connections.send(now, batch);
                    }
                    self.shared.bytes_out.fetch_add(result.bytes, Ordering::Relaxed);
                    self.shared.send_errors.fetch_add(result.errors, Ordering::Relaxed);
                }
                Output::Speech(_) => {}
                Output::Event(event) => {
                    lock(&self.shared.events).push_back(event);
                    self.shared.events_arrived.notify_one();
                }
                Output::Deadline(at) => return (at, sent),
            }
        }
    }
}
