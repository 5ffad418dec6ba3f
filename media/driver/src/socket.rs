//! The few system calls: `recvmmsg` and `sendmmsg` in batches, `poll`, an eventfd, and two clocks. All unsafe code of the engine is here.

#![allow(clippy::cast_possible_truncation)] // Sizes of C structures as C wants them.

use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use salon_engine::{Route, Transmits, Transport};

use crate::handover::{Backlog, Sent};
use crate::local::{LocalAddresses, read_destination};

/// Datagrams per `recvmmsg`.
const RECEIVE_BATCH: usize = 64;
/// Longest datagram kept whole; the engine drops what is longer than a frame of Ethernet.
const RECEIVE_LEN: usize = 2_048;
/// Datagrams per `sendmmsg`; more gain nothing.
const SEND_BATCH: usize = 64;
/// Asked of the kernel for both directions: 20 ms of 5,000 listeners at 200 bytes, four times over.
const BUFFER_BYTES: libc::c_int = 4 << 20;
/// How long a batch may wait for a full send buffer, ms: a quarter of a frame of speech, in which 100 Mbit/s drain 60 kB of it.
const SEND_PATIENCE_MS: libc::c_int = 5;
/// Room for two control messages: SCM_TIMESTAMPNS, and where a datagram came to.
const CONTROL_LEN: usize = 128;

/// A bound UDP socket.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: UdpSocket,
    port: u16,
    is_ipv6: bool,
    backlog: Backlog,
    local: LocalAddresses,
}

/// What woke the shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready {
    pub datagrams: bool,
    pub commands: bool,
    pub connections: bool,
}

impl Socket {
    pub(crate) fn bind(at: SocketAddr) -> io::Result<Self> {
        Self::new(UdpSocket::bind(at)?)
    }

    /// One that was bound by another process.
    pub(crate) fn adopt(socket: OwnedFd) -> io::Result<Self> {
        Self::new(UdpSocket::from(socket))
    }

    fn new(socket: UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let bound = socket.local_addr()?;
        let (port, is_ipv6) = (bound.port(), bound.is_ipv6());
        let socket = Self { socket, port, is_ipv6, backlog: Backlog::default(), local: LocalAddresses::default() };
        socket.set_option(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        for (option, forced) in [(libc::SO_RCVBUF, libc::SO_RCVBUFFORCE), (libc::SO_SNDBUF, libc::SO_SNDBUFFORCE)] {
            // With CAP_NET_ADMIN beyond the system's limit, otherwise up to it; smaller buffers work, only less well in bursts.
            if socket.set_option(libc::SOL_SOCKET, forced, BUFFER_BYTES).is_err() {
                socket.set_option(libc::SOL_SOCKET, option, BUFFER_BYTES)?;
            }
        }
        if !socket.is_ipv6 {
            // Saves the kernel choosing an IP id per packet; ours are far below any MTU.
            socket.set_option(libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO)?;
        }
        Ok(socket)
    }

    /// These and others on the same port, `count` in all, among which the kernel spreads what comes. The first was bound without
    /// sharing, so that two processes cannot have the port by mistake.
    pub(crate) fn with_others(mut sockets: Vec<Self>, at: SocketAddr, count: usize) -> io::Result<Vec<Self>> {
        if count > 1 {
            sockets.iter().try_for_each(|socket| socket.set_option(libc::SOL_SOCKET, libc::SO_REUSEPORT, 1))?;
        }
        while sockets.len() < count {
            let family = if at.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
            // SAFETY: no pointers.
            let fd = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor is fresh and nobody else's.
            let socket = Self::unbound(unsafe { OwnedFd::from_raw_fd(fd) }, at);
            socket.set_option(libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
            let mut name = MaybeUninit::zeroed();
            let len = write_name(&mut name, at, !at.is_ipv4());
            // SAFETY: `name` is filled in for `len` bytes and lives through the call.
            if unsafe { libc::bind(socket.fd(), name.as_ptr().cast(), len) } != 0 {
                return Err(io::Error::last_os_error());
            }
            sockets.push(Self::new(socket.socket)?);
        }
        Ok(sockets)
    }

    fn unbound(socket: OwnedFd, at: SocketAddr) -> Self {
        let (port, is_ipv6) = (at.port(), at.is_ipv6());
        Self { socket: UdpSocket::from(socket), port, is_ipv6, backlog: Backlog::default(), local: LocalAddresses::default() }
    }

    /// Answer from the address that was asked, of these.
    pub(crate) fn pin(&mut self, local: LocalAddresses) -> io::Result<()> {
        let (level, option) =
            if self.is_ipv6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO) } else { (libc::IPPROTO_IP, libc::IP_PKTINFO) };
        self.set_option(level, option, libc::c_int::from(!local.is_empty()))?;
        self.local = local;
        Ok(())
    }

    /// The address that datagrams of a route are sent from, if it is not the kernel's to choose.
    pub(crate) fn source_of(&self, route: Route) -> Option<IpAddr> {
        self.local.address(route.local)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn set_option(&self, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
        // SAFETY: the descriptor is open, and `value` lives through the call with the size told.
        let result =
            unsafe { libc::setsockopt(self.fd(), level, option, (&raw const value).cast(), size_of::<libc::c_int>() as libc::socklen_t) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn fd(&self) -> libc::c_int {
        self.socket.as_raw_fd()
    }

    /// Wait for datagrams, for the waker, for `connections` to be readable, or until `timeout` has passed.
    pub(crate) fn wait(&self, waker: &Waker, connections: RawFd, timeout: Option<Duration>) -> Ready {
        let mut fds = [self.fd(), waker.0.as_raw_fd(), connections].map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(timeout.subsec_nanos().cast_signed()),
        });
        let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `fds` and `timeout` live through the call; no signal mask is given.
        let count = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout, std::ptr::null()) };
        if count < 0 {
            return Ready { datagrams: false, commands: false, connections: false }; // EINTR: the loop comes round again.
        }
        // An error on the socket (POLLERR) is taken off by the next receive.
        Ready { datagrams: fds[0].revents != 0, commands: fds[1].revents != 0, connections: fds[2].revents != 0 }
    }

    /// Fill `received` with what waits, without waiting.
    pub(crate) fn receive(&self, received: &mut Received) {
        received.count = 0;
        received.local = self.local.clone();
        let Received { buffers, names, controls, lens, count, .. } = received;
        let mut vectors: [libc::iovec; RECEIVE_BATCH] =
            std::array::from_fn(|at| libc::iovec { iov_base: buffers[at].as_mut_ptr().cast(), iov_len: RECEIVE_LEN });
        let mut messages: [libc::mmsghdr; RECEIVE_BATCH] = std::array::from_fn(|at| {
            // SAFETY: all-zero is a valid msghdr: null pointers with length 0.
            let mut message: libc::mmsghdr = unsafe { zeroed() };
            message.msg_hdr.msg_name = (&raw mut names[at]).cast();
            message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            message.msg_hdr.msg_iov = &raw mut vectors[at];
            message.msg_hdr.msg_iovlen = 1;
            message.msg_hdr.msg_control = controls[at].0.as_mut_ptr().cast();
            message.msg_hdr.msg_controllen = CONTROL_LEN;
            message
        });
        // SAFETY: every message points at a name, a vector with its buffer, and a control buffer of the sizes told, all alive and distinct.
        let result = unsafe {
            libc::recvmmsg(self.fd(), messages.as_mut_ptr(), RECEIVE_BATCH as libc::c_uint, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        *count = usize::try_from(result).unwrap_or(0); // -1: nothing waits, or an ICMP error that is of no interest.
        for (at, message) in messages[..*count].iter().enumerate() {
            let truncated = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            lens[at] = (if truncated { 0 } else { message.msg_len as usize }, message.msg_hdr.msg_controllen);
        }
    }

    /// Hand those of a batch that go by UDP to the kernel. What it does not take within 5 ms is lost, as on any full link.
    pub(crate) fn send(&mut self, batch: &Transmits) -> Sent {
        self.send_datagrams(batch.iter().filter(|(to, _)| to.transport == Transport::Udp))
    }

    /// As [`Self::send`], for datagrams of which all go by UDP.
    pub(crate) fn send_datagrams<'a>(&mut self, datagrams: impl Iterator<Item = (Route, &'a [u8])>) -> Sent {
        let mut sent = Sent::default();
        let mut datagrams = datagrams.peekable();
        while datagrams.peek().is_some() {
            let some = self.send_some(&mut datagrams);
            sent.bytes += some.bytes;
            sent.errors += some.errors;
        }
        sent
    }

    fn send_some<'a>(&mut self, datagrams: &mut impl Iterator<Item = (Route, &'a [u8])>) -> Sent {
        let mut names: [MaybeUninit<libc::sockaddr_in6>; SEND_BATCH] = [const { MaybeUninit::zeroed() }; SEND_BATCH];
        let mut vectors: [libc::iovec; SEND_BATCH] = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; SEND_BATCH];
        // SAFETY: all-zero is a valid msghdr: null pointers with length 0.
        let mut messages: [libc::mmsghdr; SEND_BATCH] = unsafe { zeroed() };
        let mut lens = [0; SEND_BATCH];
        let mut count = 0;
        let local = &self.local;
        for (at, (to, bytes)) in datagrams.by_ref().take(SEND_BATCH).enumerate() {
            let header = &mut messages[at].msg_hdr;
            lens[at] = bytes.len();
            vectors[at] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            header.msg_namelen = write_name(&mut names[at], to.peer, self.is_ipv6);
            header.msg_name = names[at].as_mut_ptr().cast();
            header.msg_iov = &raw mut vectors[at];
            header.msg_iovlen = 1;
            if let Some(pinned) = local.pinned(to.local) {
                header.msg_control = pinned.bytes().as_ptr().cast_mut().cast();
                header.msg_controllen = pinned.bytes().len();
            }
            count = at + 1;
        }
        let fd = self.fd();
        let offer = |from: usize| {
            let rest = &mut messages[from..count];
            // SAFETY: the messages point at names and vectors filled above, at the batch's bytes and at control messages that `self`
            // owns, all of which the kernel only reads.
            let taken = unsafe { libc::sendmmsg(fd, rest.as_mut_ptr(), rest.len() as libc::c_uint, libc::MSG_DONTWAIT) };
            usize::try_from(taken).map_err(|_| io::Error::last_os_error())
        };
        self.backlog.hand_over(&lens[..count], offer, || wait_writable(fd))
    }
}

/// Whether the send buffer has room, or gets some within the patience for it.
fn wait_writable(fd: libc::c_int) -> bool {
    let mut waited_for = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one pollfd, which lives through the call.
    unsafe { libc::poll(&raw mut waited_for, 1, SEND_PATIENCE_MS) > 0 }
}

/// Write `to` as the kernel wants it; returns the length.
fn write_name(name: &mut MaybeUninit<libc::sockaddr_in6>, to: SocketAddr, socket_is_ipv6: bool) -> libc::socklen_t {
    match to {
        SocketAddr::V4(to) if !socket_is_ipv6 => {
            let raw = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: to.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(to.ip().octets()) },
                sin_zero: [0; 8],
            };
            // SAFETY: sockaddr_in is smaller than sockaddr_in6 and less strictly aligned.
            unsafe { name.as_mut_ptr().cast::<libc::sockaddr_in>().write(raw) };
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        to => {
            let (ip, flow, scope) = match to {
                SocketAddr::V4(to) => (to.ip().to_ipv6_mapped(), 0, 0),
                SocketAddr::V6(to) => (*to.ip(), to.flowinfo(), to.scope_id()),
            };
            name.write(libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: to.port().to_be(),
                sin6_flowinfo: flow,
                sin6_addr: libc::in6_addr { s6_addr: ip.octets() },
                sin6_scope_id: scope,
            });
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

/// Control messages begin with a size_t.
#[repr(align(8))]
struct Control([u8; CONTROL_LEN]);

/// A batch of datagrams, its buffers used again and again.
pub(crate) struct Received {
    buffers: Vec<[u8; RECEIVE_LEN]>,
    names: Vec<libc::sockaddr_in6>,
    controls: Vec<Control>,
    /// (of the datagram, of its control messages).
    lens: Vec<(usize, usize)>,
    count: usize,
    /// Of the socket that they came by.
    local: LocalAddresses,
}

/// One of them.
pub(crate) struct ReceivedDatagram<'a> {
    pub from: Route,
    pub bytes: &'a [u8],
    /// When the kernel took it, since 1970.
    pub arrived: Option<Duration>,
}

impl Received {
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![[0; RECEIVE_LEN]; RECEIVE_BATCH],
            // SAFETY: all-zero is a valid sockaddr_in6.
            names: vec![unsafe { zeroed() }; RECEIVE_BATCH],
            controls: std::iter::repeat_with(|| Control([0; CONTROL_LEN])).take(RECEIVE_BATCH).collect(),
            lens: vec![(0, 0); RECEIVE_BATCH],
            count: 0,
            local: LocalAddresses::default(),
        }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ReceivedDatagram<'_>> {
        (0..self.count).filter_map(|at| {
            let (len, control_len) = self.lens[at];
            let peer = read_name(&self.names[at])?;
            let (arrived, destination) = read_control(&self.controls[at].0[..control_len]);
            let from = Route::udp_by(destination.map_or(0, |address| self.local.number(address)), peer);
            (len > 0).then(|| ReceivedDatagram { from, bytes: &self.buffers[at][..len], arrived })
        })
    }
}

fn read_name(name: &libc::sockaddr_in6) -> Option<SocketAddr> {
    match libc::c_int::from(name.sin6_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the kernel wrote a sockaddr_in here, and it fits.
            let name = unsafe { &*std::ptr::from_ref(name).cast::<libc::sockaddr_in>() };
            Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(name.sin_addr.s_addr.to_ne_bytes())), u16::from_be(name.sin_port)))
        }
        libc::AF_INET6 => {
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            Some(SocketAddr::V6(SocketAddrV6::new(ip, u16::from_be(name.sin6_port), name.sin6_flowinfo, name.sin6_scope_id)))
        }
        _ => None,
    }
}

/// When a datagram was taken, since 1970, and to which of our addresses it came: each control message has a length (its header's
/// included), a level, a type, and its content.
fn read_control(mut control: &[u8]) -> (Option<Duration>, Option<IpAddr>) {
    const HEADER_LEN: usize = size_of::<libc::cmsghdr>();
    let (mut arrived, mut destination) = (None, None);
    while let Some(header) = control.first_chunk::<HEADER_LEN>() {
        let [len @ .., l0, l1, l2, l3, k0, k1, k2, k3] = *header;
        let len = usize::from_ne_bytes(len);
        let (level, kind) = (i32::from_ne_bytes([l0, l1, l2, l3]), i32::from_ne_bytes([k0, k1, k2, k3]));
        let Some(data) = control.get(HEADER_LEN..len) else {
            break;
        };
        if (level, kind) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) {
            arrived = read_arrival(data);
        } else {
            destination = read_destination(level, kind, data).or(destination);
        }
        control = control.get(len.next_multiple_of(size_of::<usize>())..).unwrap_or_default();
    }
    (arrived, destination)
}

/// Seconds and nanoseconds.
fn read_arrival(data: &[u8]) -> Option<Duration> {
    let seconds = i64::from_ne_bytes(*data.first_chunk()?);
    let nanos = i64::from_ne_bytes(*data.get(8..)?.first_chunk()?);
    Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?))
}

/// A descriptor of our own for what a number stands for.
pub(crate) fn cloned(descriptor: RawFd) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: borrowed for the one call only; it fails where nothing is open.
    unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()
}

/// Wakes a shard from another thread.
#[derive(Debug)]
pub(crate) struct Waker(OwnedFd);

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is fresh and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn wake(&self) {
        // Fails only when the counter is full, and then the shard is awake already.
        // SAFETY: eight bytes are read from a live value.
        let _ = unsafe { libc::write(self.0.as_raw_fd(), (&raw const ONE).cast(), size_of::<u64>()) };
    }

    pub(crate) fn clear(&self) {
        let mut count = 0_u64;
        // SAFETY: eight bytes are written to a live value.
        let _ = unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }
}

static ONE: u64 = 1;

/// Wall time since 1970, on the clock of the kernel's receive timestamps.
pub(crate) fn wall_clock() -> Duration {
    read_clock(libc::CLOCK_REALTIME)
}

/// Since the machine started, on a clock that does not jump and that all its processes share.
pub(crate) fn uptime() -> Duration {
    read_clock(libc::CLOCK_MONOTONIC)
}

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    read_clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn read_clock(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` lives through the call.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
