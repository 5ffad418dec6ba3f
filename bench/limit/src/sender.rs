//! The sending thread: one UDP socket, paced rounds, batches.

use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::{Load, packet};

/// Larger batches gain nothing: the cost is per packet, inside the kernel.
const BATCH: usize = 64;

pub struct Sent {
    pub packets: u64,
    /// User and system time of this thread alone.
    pub cpu: Duration,
    /// Rounds that began more than a round late: then the machine was too busy for the figure to mean much.
    pub late_rounds: u32,
}

pub fn send_rounds(load: &Load, addresses: &[SocketAddrV4]) -> io::Result<Sent> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    set_dont_fragment(&socket)?;
    let keys: Vec<_> = (0..load.receivers).map(packet::key).collect();
    let speech = vec![0x5a; load.packet_bytes - packet::OVERHEAD];
    let mut batch = Batch::new(load.packet_bytes, addresses);
    let cpu_before = thread_cpu();
    let began = Instant::now();
    let (mut packets, mut late_rounds) = (0, 0);
    for round in 0..load.rounds {
        let due = began + load.round * round;
        match due.checked_duration_since(Instant::now()) {
            Some(early) => std::thread::sleep(early),
            None if due.elapsed() > load.round => late_rounds += 1,
            None => {}
        }
        for first in (0..load.receivers).step_by(BATCH) {
            let count = BATCH.min(load.receivers - first);
            for slot in 0..count {
                let receiver = first + slot;
                packet::seal(batch.buffer(slot), &keys[receiver], receiver as u32, round, &speech);
            }
            packets += batch.send(&socket, first, count)?;
        }
    }
    Ok(Sent { packets, cpu: thread_cpu() - cpu_before, late_rounds })
}

/// IP_PMTUDISC_DO: the kernel then need not number packets for reassembly, which is a little cheaper, and servers want it anyway.
fn set_dont_fragment(socket: &UdpSocket) -> io::Result<()> {
    let value = libc::IP_PMTUDISC_DO;
    // SAFETY: the pointer is to a live c_int of the size given.
    let result = unsafe {
        let pointer = std::ptr::from_ref(&value).cast();
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, pointer, size_of_val(&value) as u32)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn thread_cpu() -> Duration {
    // SAFETY: zeroes are a valid rusage, and the kernel fills it in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Buffers and kernel structures for BATCH packets, and the socket address of every receiver.
struct Batch {
    packet_bytes: usize,
    buffers: Vec<u8>,
    addresses: Vec<libc::sockaddr_in>,
    vectors: Vec<libc::iovec>,
    messages: Vec<libc::mmsghdr>,
}

impl Batch {
    fn new(packet_bytes: usize, addresses: &[SocketAddrV4]) -> Self {
        let addresses = addresses.iter().map(|address| socket_address(*address)).collect();
        // SAFETY: zeroes are valid for both plain C structures.
        let (vector, message) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        Self {
            packet_bytes,
            buffers: vec![0; packet_bytes * BATCH],
            addresses,
            vectors: vec![vector; BATCH],
            messages: vec![message; BATCH],
        }
    }

    fn buffer(&mut self, slot: usize) -> &mut [u8] {
        &mut self.buffers[slot * self.packet_bytes..][..self.packet_bytes]
    }

    /// Send the first `count` buffers to the receivers from `first` on; returns how many the kernel took.
    fn send(&mut self, socket: &UdpSocket, first: usize, count: usize) -> io::Result<u64> {
        for slot in 0..count {
            let base = self.buffer(slot).as_mut_ptr();
            self.vectors[slot] = libc::iovec { iov_base: base.cast(), iov_len: self.packet_bytes };
            let header = &mut self.messages[slot].msg_hdr;
            header.msg_name = std::ptr::from_mut(&mut self.addresses[first + slot]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
            header.msg_iov = &mut self.vectors[slot];
            header.msg_iovlen = 1;
        }
        let mut done = 0;
        while done < count {
            // SAFETY: messages[done..count] point at buffers and addresses that live as long as self.
            let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), &mut self.messages[done], (count - done) as u32, 0) };
            if sent < 0 {
                return Err(io::Error::last_os_error());
            }
            done += sent as usize;
        }
        Ok(done as u64)
    }
}

fn socket_address(address: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*address.ip()).to_be() },
        sin_zero: [0; 8],
    }
}
