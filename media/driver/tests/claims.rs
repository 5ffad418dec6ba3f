//! One address that the peers of two threads' sessions say is theirs.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use is::stun::{StunMessage, TransId};
use salon_driver::engine::Direction;
use salon_driver::{Driver, NewSession, Options};
use sha1::Sha1;

const OFFER: &str = include_str!("../../engine/src/sdp/corpus/chromium-listen.sdp");
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(name)).unwrap()
}

fn signed(message: &StunMessage<'_>, password: &str) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    let len = message.to_bytes(Some(password.as_bytes()), &mut bytes, |key, parts| {
        let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    });
    bytes.truncate(len.unwrap());
    bytes
}

/// The answer of a session in a room of its own.
fn open(driver: &Driver, person: &str) -> String {
    let (session, room, person) = (person.to_owned(), person.to_owned(), person.to_owned());
    let new = NewSession { session, room, person, direction: Direction::Listen, offer: OFFER.into(), tag: vec![] };
    driver.open_session(new).unwrap().unwrap().answer
}

fn check(answer: &str) -> Vec<u8> {
    let username = format!("{}:{}", value(answer, "a=ice-ufrag:"), value(OFFER, "a=ice-ufrag:"));
    signed(&StunMessage::binding_request(&username, TransId::new(), true, 1, 1, true), value(answer, "a=ice-pwd:"))
}

fn answers(bytes: &[u8], check: &[u8]) -> bool {
    let [message, check] = [bytes, check].map(|bytes| StunMessage::parse(bytes).unwrap());
    message.is_successful_binding_response() && message.trans_id() == check.trans_id()
}

fn receive(peer: &UdpSocket) -> Vec<u8> {
    let mut bytes = [0; 1_500];
    let len = peer.recv(&mut bytes).expect("in time");
    bytes[..len].to_vec()
}

/// Each peer has an address of its own, so that the kernel hands some of their packets to the one thread and some to the other.
#[test]
fn address_claimed_at_one_thread_is_proven_at_another() {
    let options = Options {
        port: 0,
        bind: LOOPBACK,
        addresses: vec![LOOPBACK],
        tcp_ports: vec![],
        threads: 2,
        listeners_at_home: 256,
        bypass: None,
        long_packets_from: None,
        realtime: false,
    };
    let driver = Driver::start(&options).unwrap();
    for number in 0..16 {
        let [eve, bob] = ["eve", "bob"].map(|name| open(&driver, &format!("{name}-{number}")));
        let shards = [&eve, &bob].map(|answer| &value(answer, "a=ice-ufrag:")[..1]);
        assert!(shards == ["A", "B"] || shards == ["B", "A"], "{shards:?}");
        let peer = UdpSocket::bind((LOOPBACK, 0)).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let port = value(&eve, "m=audio ").split(' ').next().unwrap().parse().unwrap();
        peer.connect((LOOPBACK, port)).unwrap();

        let claim = check(&eve);
        peer.send(&claim).unwrap();
        assert!(answers(&receive(&peer), &claim));
        driver.stats().unwrap(); // answered once both threads have done all that follows

        let proving = check(&bob);
        peer.send(&proving).unwrap();
        let question = receive(&peer);
        let question = StunMessage::parse(&question).unwrap();
        assert!(question.is_binding_request(), "Bob is asked, not left without an answer");
        let reply = StunMessage::binding_reply(question.trans_id(), peer.local_addr().unwrap());
        peer.send(&signed(&reply, value(OFFER, "a=ice-pwd:"))).unwrap();
        assert!(answers(&receive(&peer), &proving));

        peer.send(&claim).unwrap();
        for _ in 0..2 {
            driver.stats().unwrap(); // from one thread to the other, and there
        }
        let further = check(&bob);
        peer.send(&further).unwrap();
        assert!(answers(&receive(&peer), &further), "Bob's is answered at once, and Eve's not");
    }
}
