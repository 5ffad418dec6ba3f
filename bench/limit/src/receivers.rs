//! The receiving thread: one socket for each receiver, epoll, `recvmmsg`, decryption.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ring::aead::LessSafeKey;

use crate::{Load, packet};

const BATCH: usize = 8;
const EVENTS: usize = 256;
const LARGEST: usize = 1500;
const WAIT_MS: i32 = 50;
/// After everything has been read: as the load client rests.
const REST: Duration = Duration::from_millis(1);

pub struct Receivers {
    sockets: Vec<UdpSocket>,
    epoll: OwnedFd,
}

/// The receiving thread at work.
pub struct Reading {
    stop: Arc<AtomicBool>,
    received: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Reading {
    /// Wait until all that was sent is received and decrypted, at most for `patience`; returns how many were.
    pub fn stop(self, sent: u64, patience: Duration) -> u64 {
        let began = Instant::now();
        while self.received.load(Ordering::Relaxed) < sent && began.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the receiving thread does not panic");
        self.received.load(Ordering::Relaxed)
    }
}

impl Receivers {
    pub fn open(load: &Load) -> io::Result<Self> {
        // SAFETY: a new descriptor that nobody else owns, or a negative number.
        let epoll = unsafe {
            let descriptor = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(descriptor)
        };
        let sockets = (0..load.receivers).map(|_| open_socket()).collect::<io::Result<Vec<_>>>()?;
        for (receiver, socket) in sockets.iter().enumerate() {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: receiver as u64 };
            // SAFETY: both descriptors are open, and the event is copied.
            if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &mut event) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self { sockets, epoll })
    }

    pub fn addresses(&self) -> io::Result<Vec<SocketAddrV4>> {
        let address = |socket: &UdpSocket| match socket.local_addr()? {
            SocketAddr::V4(address) => Ok(address),
            SocketAddr::V6(_) => Err(io::Error::other("bound to IPv4, answered with IPv6")),
        };
        self.sockets.iter().map(address).collect()
    }

    pub fn start(self) -> Reading {
        let stop = Arc::new(AtomicBool::new(false));
        let received = Arc::new(AtomicU64::new(0));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&received));
        Reading { stop, received, thread: std::thread::spawn(move || self.read(&stopped, &count)) }
    }

    fn read(self, stopped: &AtomicBool, received: &AtomicU64) {
        let keys: Vec<LessSafeKey> = (0..self.sockets.len()).map(packet::key).collect();
        let mut batch = Batch::new();
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        while !stopped.load(Ordering::Relaxed) {
            // SAFETY: room for EVENTS events is given.
            let ready = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), EVENTS as i32, WAIT_MS) };
            for event in &events[..ready.max(0) as usize] {
                let receiver = event.u64 as usize;
                for slot in 0..batch.receive(&self.sockets[receiver]) {
                    if packet::open(batch.packet(slot), &keys[receiver], receiver as u32) {
                        received.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            if (ready.max(0) as usize) < EVENTS {
                std::thread::sleep(REST);
            }
        }
    }
}

/// A socket as the load client opens one, arrival stamps by the kernel included: both are then measured under the same conditions.
fn open_socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    for (option, value) in [(libc::SO_TIMESTAMPNS, 1), (libc::SO_RCVBUF, 256 << 10)] {
        // SAFETY: the pointer is to a live c_int of the size given.
        let result = unsafe {
            let pointer = std::ptr::from_ref::<libc::c_int>(&value).cast();
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, pointer, size_of::<libc::c_int>() as u32)
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(socket)
}

struct Batch {
    buffers: Vec<[u8; LARGEST]>,
    controls: Vec<[u64; 8]>,
    vectors: Vec<libc::iovec>,
    messages: Vec<libc::mmsghdr>,
}

impl Batch {
    fn new() -> Self {
        // SAFETY: zeroes are valid for both plain C structures.
        let (vector, message) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        Self {
            buffers: vec![[0; LARGEST]; BATCH],
            controls: vec![[0; 8]; BATCH],
            vectors: vec![vector; BATCH],
            messages: vec![message; BATCH],
        }
    }

    /// Receive what waits, at most BATCH packets; returns how many.
    fn receive(&mut self, socket: &UdpSocket) -> usize {
        for slot in 0..BATCH {
            self.vectors[slot] = libc::iovec { iov_base: self.buffers[slot].as_mut_ptr().cast(), iov_len: LARGEST };
            let header = &mut self.messages[slot].msg_hdr;
            header.msg_iov = &mut self.vectors[slot];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[slot].as_mut_ptr().cast();
            header.msg_controllen = size_of::<[u64; 8]>();
        }
        // SAFETY: every message points at buffers that live as long as self.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), self.messages.as_mut_ptr(), BATCH as u32, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        count.max(0) as usize
    }

    fn packet(&mut self, slot: usize) -> &mut [u8] {
        let length = self.messages[slot].msg_len as usize;
        &mut self.buffers[slot][..length.min(LARGEST)]
    }
}
