//! Peers over TCP on the loopback interface: who is answered, and who is closed.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod ports;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use is::stun::{StunMessage, TransId};
use salon_driver::engine::{CloseReason, Direction, NewOffer};
use salon_driver::{Driver, Options};
use sha1::Sha1;

const OFFER: &str = include_str!("../../engine/src/sdp/corpus/chromium-listen.sdp");
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The driver bears with a connection that proves nothing for ten seconds: what is closed sooner was closed for what it sent.
const SHORTER_THAN_PATIENCE: Duration = Duration::from_secs(7);

fn start(tcp_ports: &[u16]) -> Driver {
    Driver::start(&Options {
        port: 0,
        bind: LOOPBACK,
        addresses: vec![LOOPBACK],
        tcp_ports: tcp_ports.to_vec(),
        threads: 1,
        listeners_at_home: 256,
        bypass: None,
        long_packets_from: None,
        realtime: false,
    })
    .unwrap()
}

fn open(driver: &Driver) -> String {
    let new = NewOffer { session: "session", room: "room", person: "bob", direction: Direction::Listen, offer: OFFER };
    driver.call(move |engine, now| engine.open_session(now, new)).unwrap().unwrap().answer
}

/// (transport, port) of each candidate.
fn candidates(answer: &str) -> Vec<(&str, u16)> {
    let section = answer.split("m=").nth(1).unwrap();
    let words = section.lines().filter_map(|line| line.strip_prefix("a=candidate:")).map(|line| line.split(' ').collect::<Vec<_>>());
    words.map(|words| (words[2], words[5].parse().unwrap())).collect()
}

fn connect(answer: &str) -> TcpStream {
    let stream = TcpStream::connect((LOOPBACK, candidates(answer)[1].1)).unwrap();
    stream.set_read_timeout(Some(SHORTER_THAN_PATIENCE)).unwrap();
    stream
}

fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// A framed check by the offer's peer.
fn check(answer: &str, id: TransId, password: Option<&str>) -> Vec<u8> {
    let value = |text: &'static str, name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap();
    let answer: &'static str = answer.to_owned().leak();
    let username = format!("{}:{}", value(answer, "a=ice-ufrag:"), value(OFFER, "a=ice-ufrag:"));
    let password = password.map_or_else(|| value(answer, "a=ice-pwd:"), str::to_owned);
    let mut bytes = vec![0; 256];
    let len = StunMessage::binding_request(&username, id, true, 1, 100, true).to_bytes(Some(password.as_bytes()), &mut bytes, hmac_sha1);
    frame(&bytes[..len.unwrap()])
}

fn frame(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut content = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut content).unwrap();
    content
}

/// Whether the other end closes without a word; times out with an error otherwise.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(len) => len == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn tcp_is_offered_behind_udp_at_the_same_port_and_at_those_that_lead_there() {
    let driver = start(&[443]);
    let answer = open(&driver);
    let port = candidates(&answer)[0].1;
    assert_eq!(candidates(&answer), [("udp", port), ("tcp", port), ("tcp", 443)]);
}

#[test]
fn tcp_port_that_is_taken_is_refused_with_its_number() {
    let (_, taken) = ports::pair();
    let port = taken.local_addr().unwrap().port();
    let options = Options {
        port,
        bind: LOOPBACK,
        addresses: vec![LOOPBACK],
        tcp_ports: vec![],
        threads: 1,
        listeners_at_home: 256,
        bypass: None,
        long_packets_from: None,
        realtime: false,
    };
    let refused = Driver::start(&options).unwrap_err().0;
    assert!(refused.starts_with(&format!("TCP port {port} cannot be used: ")), "{refused}");
}

#[test]
fn genuine_check_is_answered_in_a_frame_however_its_bytes_arrive() {
    let driver = start(&[]);
    let answer = open(&driver);
    let mut stream = connect(&answer);
    stream.set_nodelay(true).unwrap();
    let id = TransId::new();
    for byte in check(&answer, id, None) {
        stream.write_all(&[byte]).unwrap();
    }
    let reply = read_frame(&mut stream);
    let reply = StunMessage::parse(&reply).unwrap();
    assert_eq!(reply.mapped_address(), Some(stream.local_addr().unwrap()));
    assert_eq!(reply.trans_id(), id);
}

#[test]
fn connection_that_begins_with_anything_but_a_check_is_closed_at_once() {
    let driver = start(&[]);
    let answer = open(&driver);
    let too_long = [&1_501_u16.to_be_bytes()[..], &[0; 100]].concat();
    let clear_text = b"GET / HTTP/1.1\r\n\r\n".to_vec(); // As a length, "GE" is 18,245.
    let hello = [0x16, 3, 1, 2, 0].to_vec(); // TLS. As a length it is 5,635.
    let null_packet_and_more = [frame(&[]), frame(&[0x80; 100])].concat();
    for first in [too_long, clear_text, hello, null_packet_and_more, frame(&[22; 100]), frame(&[0x80; 100]), frame(&[0; 20])] {
        let mut stream = connect(&answer);
        stream.write_all(&first).unwrap();
        assert!(is_closed(&mut stream), "{first:?}");
    }
    assert_eq!(driver.stats().unwrap().totals.packets_in, 0, "the engine does not hear of it");
}

#[test]
fn check_with_a_wrong_password_gets_no_answer_and_a_genuine_one_on_the_same_connection_does() {
    let driver = start(&[]);
    let answer = open(&driver);
    let mut stream = connect(&answer);
    stream.write_all(&check(&answer, TransId::new(), Some("a wrong password, long enough"))).unwrap();
    let id = TransId::new();
    stream.write_all(&check(&answer, id, None)).unwrap();
    assert_eq!(StunMessage::parse(&read_frame(&mut stream)).unwrap().trans_id(), id);
}

#[test]
fn frame_that_is_too_long_closes_a_connection_that_is_in_use() {
    let driver = start(&[]);
    let answer = open(&driver);
    let mut stream = connect(&answer);
    stream.write_all(&check(&answer, TransId::new(), None)).unwrap();
    read_frame(&mut stream);
    stream.write_all(&frame(&[0; 1_501])).unwrap();
    assert!(is_closed(&mut stream));
}

#[test]
fn flood_on_a_connection_holds_up_nobody_elses() {
    let driver = start(&[]);
    let answer = open(&driver);
    let mut flooding = connect(&answer);
    flooding.write_all(&check(&answer, TransId::new(), None)).unwrap();
    read_frame(&mut flooding);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let junk = frame(&[0x80; 1_000]).repeat(100);
            while flooding.write_all(&junk).is_ok() {}
        });
        let mut stream = connect(&answer);
        for _ in 0..20 {
            let id = TransId::new();
            stream.write_all(&check(&answer, id, None)).unwrap();
            assert_eq!(StunMessage::parse(&read_frame(&mut stream)).unwrap().trans_id(), id);
        }
        driver.close(); // Which closes the flooding connection, too.
    });
}

#[test]
fn connections_end_with_the_driver() {
    let driver = start(&[]);
    let answer = open(&driver);
    let mut stream = connect(&answer);
    stream.write_all(&check(&answer, TransId::new(), None)).unwrap();
    read_frame(&mut stream);
    assert!(driver.call(|engine, now| engine.close_session(now, "session", CloseReason::Asked("deleted".into()))).unwrap());
    driver.close();
    assert!(is_closed(&mut stream));
}
