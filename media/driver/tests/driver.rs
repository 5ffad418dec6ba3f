//! The driver on a real socket of the loopback interface.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod ports;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream, UdpSocket};
use std::time::Duration;

use salon_driver::engine::{CloseReason, Direction, Event, NewOffer};
use salon_driver::{Driver, Inherited, Options};

const OFFER: &str = include_str!("../../engine/src/sdp/corpus/chromium-listen.sdp");
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Port 0: one that is free.
fn options(port: u16) -> Options {
    Options {
        port,
        bind: LOOPBACK,
        addresses: vec![LOOPBACK],
        tcp_ports: vec![],
        threads: 1,
        listeners_at_home: 256,
        bypass: None,
        long_packets_from: None,
        realtime: false,
    }
}

fn open(driver: &Driver) -> String {
    let new = NewOffer { session: "session", room: "room", person: "bob", direction: Direction::Listen, offer: OFFER };
    driver.call(move |engine, now| engine.open_session(now, new)).unwrap().unwrap().answer
}

fn port_of(answer: &str) -> u16 {
    let section = answer.lines().find(|line| line.starts_with("m=audio")).unwrap();
    section.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn taken_port_is_refused_with_its_number() {
    let taken = ports::udp();
    let port = taken.local_addr().unwrap().port();
    let refused = Driver::start(&options(port)).unwrap_err().0;
    assert!(refused.starts_with(&format!("UDP port {port} cannot be used: ")), "{refused}");
}

#[test]
fn senseless_numbers_of_threads_are_refused() {
    for threads in [0, 65] {
        let refused = Driver::start(&Options { threads, ..options(0) }).unwrap_err().0;
        assert_eq!(refused, format!("The engine runs 1 to 64 threads, not {threads}."));
    }
}

#[test]
fn datagrams_reach_the_engine_and_are_counted() {
    let driver = Driver::start(&options(0)).unwrap();
    let port = port_of(&open(&driver));
    let stranger = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    for _ in 0..200 {
        stranger.send_to(&[0; 20], (LOOPBACK, port)).unwrap(); // more than one batch of recvmmsg
    }
    // Loopback loses nothing that fits into the receive buffer; each wait ends with the next command's answer.
    while driver.stats().unwrap().totals.packets_in < 200 {
        std::thread::yield_now();
    }
    let stats = driver.stats().unwrap();
    assert_eq!((stats.totals.packets_in, stats.totals.dropped.stun, stats.bytes_out, stats.send_errors), (200, 200, 0, 0));
    assert!(stats.cpu > Duration::ZERO);
}

#[test]
fn events_wake_who_waits_for_them() {
    let driver = Driver::start(&options(0)).unwrap();
    open(&driver);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| driver.poll_events(Duration::from_secs(60)));
        driver.call(|engine, now| engine.close_session(now, "session", CloseReason::Asked("deleted".into()))).unwrap();
        let events = waiting.join().unwrap();
        assert!(matches!(&events[..], [Event::Closed(closed)] if closed.reason.as_str() == "deleted"), "{events:?}");
    });
}

#[test]
fn socket_of_another_process_goes_on_being_used() {
    let bound = ports::udp();
    let port = bound.local_addr().unwrap().port();
    for _ in 0..2 {
        let inherited = Inherited { sockets: vec![bound.try_clone().unwrap().into()], ..Inherited::default() };
        let driver = Driver::take_over(&options(1), inherited).unwrap();
        assert_eq!(port_of(&open(&driver)), port);
        driver.leave();
        assert!(driver.is_closed());
    }
}

#[test]
fn taken_tcp_port_beside_a_held_socket_is_refused_with_its_number() {
    let (bound, listener) = ports::pair();
    let port = listener.local_addr().unwrap().port();
    let refused = Driver::take_over(&options(1), Inherited { sockets: vec![bound.into()], ..Inherited::default() }).unwrap_err().0;
    assert!(refused.starts_with(&format!("TCP port {port} cannot be used: ")), "{refused}");
}

#[test]
fn more_sockets_than_threads_are_refused() {
    let bound = ports::udp();
    let sockets = vec![bound.try_clone().unwrap().into(), bound.into()];
    let refused = Driver::take_over(&options(1), Inherited { sockets, ..Inherited::default() }).unwrap_err().0;
    assert_eq!(refused, "2 UDP sockets are held for the engine, which 1 threads cannot serve.");
}

#[test]
fn connections_wait_while_there_is_no_process() {
    let (bound, listener) = ports::pair();
    let at = listener.local_addr().unwrap();
    let take_over = || {
        let (sockets, listener) = (vec![bound.try_clone().unwrap().into()], Some(listener.try_clone().unwrap().into()));
        Driver::take_over(&options(2), Inherited { sockets, listener, book: None }).unwrap()
    };
    take_over().close();
    let mut waiting = TcpStream::connect(at).unwrap();
    waiting.write_all(b"\0\x01x").unwrap();
    let _successor = take_over();
    assert_eq!(waiting.read(&mut [0]).unwrap(), 0, "the successor has read the frame, which is no check, and has closed");
}

#[test]
fn closed_driver_refuses_calls_and_frees_the_port() {
    let port = ports::udp().local_addr().unwrap().port();
    let driver = Driver::start(&options(port)).unwrap();
    open(&driver);
    driver.close();
    driver.close();
    assert!(driver.is_closed());
    assert_eq!(driver.stats().unwrap_err().0, "The engine is stopped.");
    assert_eq!(driver.poll_events(Duration::ZERO).len(), 1, "the session that close() ended");
    UdpSocket::bind((LOOPBACK, port)).unwrap();
}
