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

/// A peer's address as the engine's socket sees it, and the transport: all that tells one path to a peer from another.
///
/// Alike for every transport in what it must prove: an authenticated check before anything else is taken or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// What carries the datagrams.
    pub transport: Transport,
    /// The other end.
    pub peer: SocketAddr,
}

impl Route {
    /// Over the engine's UDP port.
    #[must_use]
    pub const fn udp(peer: SocketAddr) -> Self {
        Self { transport: Transport::Udp, peer }
    }

    /// Over a connection to the engine's TCP port.
    #[must_use]
    pub const fn tcp(peer: SocketAddr) -> Self {
        Self { transport: Transport::Tcp, peer }
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
