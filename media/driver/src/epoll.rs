//! epoll, and the socket options that the standard library does not have: the rest of the unsafe code beside `socket`.

#![allow(clippy::cast_possible_truncation)] // Sizes of C structures as C wants them.

use std::io;
use std::mem::size_of;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Events taken at a time.
const BATCH: usize = 64;

/// Descriptors that are watched; itself one that `poll` can wait for.
#[derive(Debug)]
pub(crate) struct Epoll(OwnedFd);

/// What is the matter with one descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Readiness {
    pub fd: RawFd,
    /// There are bytes, or the end, or an error, which the next read tells.
    pub readable: bool,
    pub writable: bool,
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is fresh and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Watch for something to read.
    pub(crate) fn add(&self, fd: RawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, libc::EPOLLIN)
    }

    /// Watch for room to write too, or no longer.
    pub(crate) fn watch_writable(&self, fd: RawFd, watch: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, libc::EPOLLIN | if watch { libc::EPOLLOUT } else { 0 })
    }

    /// Watch no longer. A descriptor that is closed everywhere is forgotten by itself.
    pub(crate) fn remove(&self, fd: RawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0)
    }

    fn control(&self, operation: libc::c_int, fd: RawFd, events: libc::c_int) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: u64::from(fd.cast_unsigned()) };
        // SAFETY: `event` lives through the call.
        let result = unsafe { libc::epoll_ctl(self.fd(), operation, fd, &raw mut event) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Those that are ready now, at most a batch of them; the others come with the next call.
    pub(crate) fn ready(&self, ready: &mut Vec<Readiness>) {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; BATCH];
        // SAFETY: the kernel writes at most as many events as it is told there is room for.
        let count = unsafe { libc::epoll_wait(self.fd(), events.as_mut_ptr(), BATCH as libc::c_int, 0) };
        ready.clear();
        ready.extend(events[..usize::try_from(count).unwrap_or(0)].iter().map(|event| Readiness {
            fd: RawFd::try_from(event.u64).unwrap_or(-1),
            readable: event.events & !libc::EPOLLOUT.cast_unsigned() != 0,
            writable: event.events & libc::EPOLLOUT.cast_unsigned() != 0,
        }));
    }
}

/// Let the kernel hold little that is not sent yet, so that what is too old can be dropped here, and give up on a peer that
/// acknowledges nothing for `patience`.
pub(crate) fn keep_kernel_queue_short(stream: &TcpStream, unsent_bytes: libc::c_int, patience: Duration) -> io::Result<()> {
    let patience_ms = libc::c_int::try_from(patience.as_millis()).unwrap_or(libc::c_int::MAX);
    for (option, value) in [(libc::TCP_NOTSENT_LOWAT, unsent_bytes), (libc::TCP_USER_TIMEOUT, patience_ms)] {
        // SAFETY: the descriptor is open, and `value` lives through the call with the size told.
        let result = unsafe {
            libc::setsockopt(
                stream.as_raw_fd(),
                libc::IPPROTO_TCP,
                option,
                (&raw const value).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
