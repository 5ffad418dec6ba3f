//! One connection: frames in, frames out, and what it has proven.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use salon_engine::Route;

use super::framing::{Deframer, SendQueue, Written};
use super::limits::Admission;
use crate::epoll::keep_kernel_queue_short;

/// A connection to which the engine has never answered ends after this long.
const PATIENCE_WITH_STRANGERS: Duration = Duration::from_secs(10);
/// One to which it has sent nothing for this long. A browser's connection in use is checked every 2.5 s, a spare one every 25 s.
const PATIENCE: Duration = Duration::from_secs(30);
/// One that takes nothing although something waits.
const PATIENCE_WITH_STILLNESS: Duration = Duration::from_secs(10);
/// What the kernel may hold that is not sent yet: about 100 ms of three voices. What waits beyond that waits here, where it can be dropped.
const MAX_UNSENT_BYTES: libc::c_int = 4_096;
/// Taken from a connection at a time.
const READ_LEN: usize = 8_192;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    pub inbound: Deframer,
    /// Its first frame was a check addressed to this shard.
    pub is_introduced: bool,
    outbound: SendQueue,
    opened_at: Instant,
    /// When the engine last sent something; None: it has not proven anything yet.
    answered_at: Option<Instant>,
    /// Since when something waits and nothing is taken.
    still_since: Option<Instant>,
    is_broken: bool,
    admission: Admission,
}

impl Connection {
    pub(crate) fn new(now: Instant, stream: TcpStream, peer: SocketAddr, admission: Admission) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        keep_kernel_queue_short(&stream, MAX_UNSENT_BYTES, PATIENCE_WITH_STILLNESS)?;
        Ok(Self {
            stream,
            peer,
            inbound: Deframer::default(),
            is_introduced: false,
            outbound: SendQueue::default(),
            opened_at: now,
            answered_at: None,
            still_since: None,
            is_broken: false,
            admission,
        })
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    pub(crate) fn route(&self) -> Route {
        Route::tcp(self.peer)
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.answered_at.is_some()
    }

    /// Whether something waits to be sent.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.outbound.is_empty()
    }

    /// Take in what has come. False: it is closed, or broken.
    pub(crate) fn read(&mut self) -> bool {
        let mut bytes = [0; READ_LEN];
        match self.stream.read(&mut bytes) {
            Ok(0) => false,
            Ok(len) => {
                self.inbound.push(&bytes[..len]);
                true
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    /// Send what the engine says.
    pub(crate) fn send(&mut self, now: Instant, datagram: &[u8]) -> Written {
        if self.answered_at.replace(now).is_none() {
            self.admission.prove();
        }
        if self.is_broken {
            return Written { bytes: 0, dropped: 1 };
        }
        let written = self.outbound.send(now, datagram, &mut self.stream);
        self.note(now, written)
    }

    /// Go on sending what waits.
    pub(crate) fn flush(&mut self, now: Instant) {
        let written = self.outbound.flush(now, &mut self.stream);
        self.note(now, written);
    }

    fn note(&mut self, now: Instant, written: std::io::Result<Written>) -> Written {
        // A broken connection is readable: the next read tells, and closes it.
        self.is_broken |= written.is_err();
        let written = written.unwrap_or(Written { bytes: 0, dropped: 1 });
        if self.outbound.is_empty() || written.bytes > 0 {
            self.still_since = None;
        }
        if !self.outbound.is_empty() {
            self.still_since.get_or_insert(now);
        }
        written
    }

    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        let is_still = self.still_since.is_some_and(|since| now.duration_since(since) >= PATIENCE_WITH_STILLNESS);
        is_still
            || match self.answered_at {
                None => now.duration_since(self.opened_at) >= PATIENCE_WITH_STRANGERS,
                Some(at) => now.duration_since(at) >= PATIENCE,
            }
    }
}
