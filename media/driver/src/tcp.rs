//! Connections: for peers whose network lets no UDP out (RFC 6544, passive; RFC 4571).
//!
//! A connection is a [`Route`] like any other, and the engine answers on it to nobody who has not proven a session's password. So what
//! the engine sends is the sign of life: a connection on which it has sent nothing for a while is closed, whatever comes in, slowly or
//! fast. What a connection does not take waits in a queue of its own, briefly; nobody waits for it.

mod connection;
mod framing;
mod limits;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use salon_engine::{Route, Transmits, Transport, addressed_shard};

use crate::epoll::{Epoll, Readiness};
use crate::handover::Sent;
pub(crate) use connection::Connection;
#[cfg(feature = "fuzzing")]
pub use framing::deframe;
pub(crate) use limits::Limits;

/// Connections accepted at a time, so that a flood of them does not hold up sound.
const ACCEPT_BATCH: usize = 16;
/// Connections of a shard that have proven nothing yet. One more, and the oldest is closed: who knows a password proves it within a
/// round trip.
const MAX_NEWCOMERS: usize = 512;
/// How often connections are looked at that have nothing to read.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// All connections of one shard.
#[derive(Debug)]
pub(crate) struct Connections {
    epoll: Epoll,
    listener: Option<Listener>,
    by_fd: HashMap<RawFd, Connection>,
    fd_of: HashMap<SocketAddr, RawFd>,
    /// Those accepted or taken in here, oldest first; some have proven themselves or are gone since.
    newcomers: VecDeque<SocketAddr>,
    ready: Vec<Readiness>,
    next_sweep: Option<Instant>,
    limits: Arc<Limits>,
    shard: usize,
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    /// Not so while the system has no descriptor left: it would be ready all the time.
    is_watched: bool,
}

/// What connections have brought, in the order it is to be dealt with. Used again and again.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    frames: Vec<(Route, Range<usize>)>,
    /// Routes that ended, after all of their frames.
    pub closed: Vec<Route>,
    /// For other shards, by what their first frame is addressed to.
    pub strangers: Vec<(usize, Connection)>,
}

impl Inbox {
    pub(crate) fn frames(&self) -> impl Iterator<Item = (Route, &[u8])> {
        self.frames.iter().map(|(route, range)| (*route, &self.bytes[range.clone()]))
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.frames.clear();
        self.closed.clear();
        self.strangers.clear();
    }
}

impl Connections {
    /// listener: of the one shard that accepts. shard: this one.
    pub(crate) fn new(shard: usize, listener: Option<TcpListener>, limits: Arc<Limits>) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        if let Some(listener) = &listener {
            listener.set_nonblocking(true)?;
            epoll.add(listener.as_raw_fd())?;
        }
        Ok(Self {
            epoll,
            listener: listener.map(|socket| Listener { socket, is_watched: true }),
            by_fd: HashMap::new(),
            fd_of: HashMap::new(),
            newcomers: VecDeque::new(),
            ready: Vec::new(),
            next_sweep: None,
            limits,
            shard,
        })
    }

    /// To be waited for by `poll`: readable when [`Self::receive`] has something to do.
    pub(crate) fn fd(&self) -> RawFd {
        self.epoll.fd()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_fd.is_empty()
    }

    /// When [`Self::sweep`] is due next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next_sweep
    }

    /// Take what has come: one read from each connection that has something, so that none holds up the others.
    pub(crate) fn receive(&mut self, now: Instant, inbox: &mut Inbox) {
        let mut ready = std::mem::take(&mut self.ready);
        self.epoll.ready(&mut ready);
        for readiness in &ready {
            if self.listener.as_ref().is_some_and(|listener| listener.socket.as_raw_fd() == readiness.fd) {
                self.accept(now, inbox);
                continue;
            }
            let Some(connection) = self.by_fd.get_mut(&readiness.fd) else {
                continue; // Closed since, for the sake of a newer one.
            };
            if readiness.writable {
                let was_waiting = connection.is_waiting();
                connection.flush(now);
                if was_waiting && !connection.is_waiting() {
                    let _ = self.epoll.watch_writable(readiness.fd, false); // Else it is woken once too often.
                }
            }
            let is_open = !readiness.readable || connection.read();
            self.take_frames(readiness.fd, inbox);
            if !is_open {
                self.close(readiness.fd, inbox);
            }
        }
        self.ready = ready;
    }

    /// Hand out what frames a connection has, or the connection itself if it is for another shard.
    fn take_frames(&mut self, fd: RawFd, inbox: &mut Inbox) {
        let Some(connection) = self.by_fd.get_mut(&fd) else {
            return;
        };
        let route = connection.route();
        loop {
            let frame = match connection.inbound.peek() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(framing::FrameTooLong) => return self.close(fd, inbox),
            };
            if frame.is_empty() {
                connection.inbound.advance(); // RFC 4571 section 2: the null packet.
                continue;
            }
            if frame.len() < framing::MIN_FRAME_LEN {
                return self.close(fd, inbox);
            }
            if !connection.is_introduced {
                match addressed_shard(frame) {
                    Some(shard) if shard == self.shard => connection.is_introduced = true,
                    Some(shard) => {
                        if let Some(connection) = self.take_out(fd) {
                            inbox.strangers.push((shard, connection));
                        }
                        return;
                    }
                    None => return self.close(fd, inbox),
                }
            }
            let start = inbox.bytes.len();
            inbox.bytes.extend_from_slice(frame);
            inbox.frames.push((route, start..inbox.bytes.len()));
            connection.inbound.advance();
        }
    }

    fn accept(&mut self, now: Instant, inbox: &mut Inbox) {
        for _ in 0..ACCEPT_BATCH {
            let Some(listener) = &mut self.listener else {
                return;
            };
            match listener.socket.accept() {
                Ok((stream, peer)) => self.admit(now, stream, peer, inbox),
                Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                    listener.is_watched = self.epoll.remove(listener.socket.as_raw_fd()).is_err();
                    self.next_sweep.get_or_insert(now + SWEEP_INTERVAL);
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {} // It was gone before it was accepted.
            }
        }
    }

    fn admit(&mut self, now: Instant, stream: TcpStream, peer: SocketAddr, inbox: &mut Inbox) {
        let Some(admission) = self.limits.admit(peer, stream.local_addr().ok()) else {
            return;
        };
        let Ok(connection) = Connection::new(now, stream, peer, admission) else {
            return;
        };
        self.adopt(now, connection, inbox);
    }

    fn drop_oldest_newcomer(&mut self, inbox: &mut Inbox) {
        let (by_fd, fd_of) = (&self.by_fd, &self.fd_of);
        self.newcomers.retain(|peer| fd_of.get(peer).and_then(|fd| by_fd.get(fd)).is_some_and(|connection| !connection.is_proven()));
        if self.newcomers.len() >= MAX_NEWCOMERS
            && let Some(fd) = self.newcomers.pop_front().and_then(|peer| self.fd_of.get(&peer).copied())
        {
            self.close(fd, inbox);
        }
    }

    /// Take in a connection, and hand out what it has brought already.
    pub(crate) fn adopt(&mut self, now: Instant, connection: Connection, inbox: &mut Inbox) {
        let (fd, peer) = (connection.fd(), connection.route().peer);
        // Two connections from one address and port to two of ours: one route names one of them.
        if self.fd_of.contains_key(&peer) || self.epoll.add(fd).is_err() {
            return;
        }
        if self.newcomers.len() >= MAX_NEWCOMERS {
            self.drop_oldest_newcomer(inbox);
        }
        self.newcomers.push_back(peer);
        self.by_fd.insert(fd, connection);
        self.fd_of.insert(peer, fd);
        self.next_sweep.get_or_insert(now + SWEEP_INTERVAL);
        self.take_frames(fd, inbox);
    }

    fn take_out(&mut self, fd: RawFd) -> Option<Connection> {
        let connection = self.by_fd.remove(&fd)?;
        self.fd_of.remove(&connection.route().peer);
        let _ = self.epoll.remove(fd); // It may be closed already.
        Some(connection)
    }

    fn close(&mut self, fd: RawFd, inbox: &mut Inbox) {
        inbox.closed.extend(self.take_out(fd).map(|connection| connection.route()));
    }

    /// Close connections that have outlived their patience, once a second.
    pub(crate) fn sweep(&mut self, now: Instant, inbox: &mut Inbox) {
        if self.next_sweep.is_none_or(|at| now < at) {
            return;
        }
        let expired: Vec<RawFd> = self.by_fd.iter().filter(|(_, connection)| connection.has_expired(now)).map(|(fd, _)| *fd).collect();
        for fd in expired {
            self.close(fd, inbox);
        }
        if let Some(listener) = self.listener.as_mut().filter(|listener| !listener.is_watched) {
            listener.is_watched = self.epoll.add(listener.socket.as_raw_fd()).is_ok();
        }
        let is_idle = self.by_fd.is_empty() && self.listener.as_ref().is_none_or(|listener| listener.is_watched);
        self.next_sweep = (!is_idle).then(|| now + SWEEP_INTERVAL);
    }

    /// Send the batch's datagrams that go by TCP.
    pub(crate) fn send(&mut self, now: Instant, batch: &Transmits) -> Sent {
        let mut sent = Sent::default();
        for (to, bytes) in batch.iter().filter(|(to, _)| to.transport == Transport::Tcp) {
            let Some((fd, connection)) = self.fd_of.get(&to.peer).and_then(|fd| Some((*fd, self.by_fd.get_mut(fd)?))) else {
                sent.errors += 1;
                continue;
            };
            let was_waiting = connection.is_waiting();
            let written = connection.send(now, bytes);
            sent.bytes += written.bytes;
            sent.errors += written.dropped;
            if !was_waiting && connection.is_waiting() {
                let _ = self.epoll.watch_writable(fd, true); // If that fails, what waits becomes too old and is dropped.
            }
        }
        sent
    }
}

#[cfg(test)]
mod tests;
