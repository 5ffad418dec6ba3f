//! Ports that stay free until a test takes them.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux gives out by itself (`ip_local_port_range` begins at 32768), where connections of other tests, closed ones too, would
/// be in the way of a listener.
static NEXT: AtomicU16 = AtomicU16::new(10_000);

/// Sockets of one port by UDP and TCP, which no other test is given.
pub fn pair() -> (UdpSocket, TcpListener) {
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(port < 32_000, "no port is free");
        let at = (Ipv4Addr::LOCALHOST, port);
        if let (Ok(udp), Ok(tcp)) = (UdpSocket::bind(at), TcpListener::bind(at)) {
            return (udp, tcp);
        }
    }
}

/// A socket whose port is free by TCP.
#[allow(dead_code, reason = "not every file of tests takes one alone")]
pub fn udp() -> UdpSocket {
    pair().0
}
