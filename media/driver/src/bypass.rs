//! A way around the kernel's UDP stack for what is sent: whole Ethernet frames, written into the ring of a packet socket.
//!
//! An operator asks for it by naming an interface. What goes to an IPv4 peer whose next hop over that interface is known becomes a frame;
//! everything else takes the UDP socket, which also makes the kernel find out about the next hop. Nothing is received here.

mod frame;
mod paths;
mod ring;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use salon_engine::{Transmits, Transport};

use crate::handover::Sent;
use crate::socket::Socket;
use frame::Sender;
use paths::Paths;
use ring::Ring;

/// Frames over one interface, by one shard.
#[derive(Debug)]
pub(crate) struct Bypass {
    ring: Ring,
    paths: Paths,
    sender: Sender,
    /// Of the batch at hand: which datagrams lie in the ring, in its order, and how long they are.
    placed: Vec<(usize, u64)>,
    /// Of the batch at hand: which datagrams are left to the socket.
    is_left: Vec<bool>,
    sent: u64,
}

/// Why there is no way around the UDP stack: a sentence.
pub(crate) fn refusal(interface: &str, error: &io::Error) -> String {
    let reason = match error.raw_os_error() {
        Some(libc::EPERM) => "the process lacks the capability CAP_NET_RAW".to_owned(),
        Some(libc::ENODEV) => "there is no such interface".to_owned(),
        _ => error.to_string(),
    };
    format!("Sound cannot be sent as frames over {interface}: {reason}. It goes by the UDP socket.")
}

impl Bypass {
    /// Send over `interface` what would leave by the socket that is bound to `bound`.
    ///
    /// # Errors
    ///
    /// EPERM without CAP_NET_RAW, ENODEV without such an interface, others for one that is no Ethernet or a kernel that cannot do it.
    pub(crate) fn open(interface: &str, bound: SocketAddr) -> io::Result<Self> {
        let ring = Ring::open(interface)?;
        let source = match bound.ip().to_canonical() {
            IpAddr::V4(ip) if !ip.is_unspecified() => Some(ip),
            _ => None,
        };
        let sender = Sender { mac: ring.mac(), port: bound.port() };
        Ok(Self { ring, paths: Paths::new(interface, source), sender, placed: Vec::new(), is_left: Vec::new(), sent: 0 })
    }

    /// Send those of a batch that go by UDP: by the ring, or by `socket` what the ring does not take. Never waits longer than the socket.
    pub(crate) fn send(&mut self, now: Instant, batch: &Transmits, socket: &mut Socket) -> Sent {
        if self.paths.refresh(now) {
            self.refresh_interface();
        }
        self.placed.clear();
        self.is_left.clear();
        for (at, (to, payload)) in batch.iter().enumerate() {
            let is_udp = to.transport == Transport::Udp;
            let is_placed = is_udp && self.place(to.peer, socket.source_of(to), payload);
            if is_placed {
                self.placed.push((at, payload.len() as u64));
            }
            self.is_left.push(is_udp && !is_placed);
        }
        let taken = if self.placed.is_empty() { 0 } else { self.ring.flush(self.placed.len()) };
        self.sent += taken as u64;
        let (gone, left) = self.placed.split_at(taken);
        for (at, _) in left {
            // The link is down, or its queue is full: the socket knows how to wait, and what to count.
            self.is_left[*at] = true;
        }
        let bytes = gone.iter().map(|(_, len)| len).sum();
        let mut sent = Sent { bytes, errors: 0 };
        if self.is_left.contains(&true) {
            sent += socket.send_datagrams(batch.iter().zip(&self.is_left).filter(|(_, is_left)| **is_left).map(|(datagram, _)| datagram));
        }
        sent
    }

    /// How many frames the interface has taken since this was last asked.
    pub(crate) fn take_sent(&mut self) -> u64 {
        std::mem::take(&mut self.sent)
    }

    /// Whether the datagram lies in the ring.
    ///
    /// source: of ours, if it is not the kernel's to choose.
    fn place(&mut self, peer: SocketAddr, source: Option<IpAddr>, payload: &[u8]) -> bool {
        let IpAddr::V4(to) = peer.ip().to_canonical() else {
            return false;
        };
        if frame::IP_HEADERS_LEN + payload.len() > self.ring.mtu() {
            return false;
        }
        let Some(mut path) = self.paths.find(to) else {
            return false;
        };
        if let Some(IpAddr::V4(source)) = source {
            path.source = source;
        }
        let sender = &self.sender;
        self.ring.place(frame::HEADERS_LEN + payload.len(), |frame| frame::write(frame, sender, &path, to, peer.port(), payload))
    }

    /// It may have gone, come again with another number, or have another address.
    fn refresh_interface(&mut self) {
        if self.ring.follow_interface().is_ok() {
            self.sender.mac = self.ring.mac();
        }
    }
}
