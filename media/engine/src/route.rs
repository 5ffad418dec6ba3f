//! Where a datagram comes from and goes to.

use std::fmt;
use std::net::SocketAddr;

/// What carries datagrams between a peer and the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Each is a datagram of its own.
    Udp,
    /// Framed in a connection that the peer opened (RFC 4571, RFC 6544); the route ends with the connection.
    Tcp,
}

/// A peer's address as the engine's socket sees it, which of ours it speaks to, and the transport: all that tells one path to a peer from
/// another.
///
/// Alike for every transport in what it must prove: an authenticated check before anything else is taken or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// What carries the datagrams.
    pub transport: Transport,
    /// Which of the machine's own addresses it came to and goes from, by the driver's count; 0: the one that the kernel takes.
    pub local: u8,
    /// The other end.
    pub peer: SocketAddr,
}

impl Route {
    /// Over the engine's UDP port.
    #[must_use]
    pub const fn udp(peer: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local: 0, peer }
    }

    /// As [`Self::udp`], by one of several addresses of the machine's own.
    #[must_use]
    pub const fn udp_by(local: u8, peer: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local, peer }
    }

    /// Over a connection to the engine's TCP port.
    #[must_use]
    pub const fn tcp(peer: SocketAddr) -> Self {
        Self { transport: Transport::Tcp, local: 0, peer }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        write!(f, "{transport}/{}", self.peer)
    }
}
