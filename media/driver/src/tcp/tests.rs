//! Patience and slow readers, on real connections, at moments that the tests choose.

use std::io::Read;
use std::net::Ipv4Addr;

use super::*;

/// A check by somebody who knows no password.
fn check(username: &str) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    let request = is::stun::StunMessage::binding_request(username, is::stun::TransId::new(), true, 1, 1, true);
    let len = request.to_bytes(Some(b"password"), &mut bytes, |_, _| [0; 20]).expect("fits");
    bytes.truncate(len);
    bytes
}

struct Fixture {
    connections: Connections,
    inbox: Inbox,
    now: Instant,
}

impl Fixture {
    fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let connections = Connections::new(0, Some(listener), Arc::default()).expect("epoll");
        Self { connections, inbox: Inbox::default(), now: Instant::now() }
    }

    /// A peer, accepted.
    fn connect(&mut self) -> TcpStream {
        let listener = self.connections.listener.as_ref().expect("this shard's");
        let stream = TcpStream::connect(listener.socket.local_addr().expect("bound")).expect("accepted");
        let address = stream.local_addr().expect("connected");
        while !self.connections.fd_of.contains_key(&address) {
            self.receive();
        }
        stream
    }

    fn receive(&mut self) {
        self.inbox.clear();
        self.connections.receive(self.now, &mut self.inbox);
    }

    fn sweep_after(&mut self, secs: u64) -> Vec<Route> {
        self.inbox.clear();
        self.connections.sweep(self.now + Duration::from_secs(secs), &mut self.inbox);
        self.inbox.closed.clone()
    }

    fn send(&mut self, now: Instant, to: &TcpStream, datagrams: &[&[u8]]) -> Sent {
        let mut batch = Transmits::default();
        for datagram in datagrams {
            batch.push(route_of(to), datagram);
        }
        self.connections.send(now, &batch)
    }
}

fn route_of(peer: &TcpStream) -> Route {
    Route::tcp(peer.local_addr().expect("connected"))
}

fn write(mut peer: &TcpStream, bytes: &[u8]) {
    use std::io::Write;
    peer.write_all(bytes).expect("open");
}

fn framed(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short");
    [&length.to_be_bytes()[..], content].concat()
}

#[test]
fn who_proves_nothing_is_closed_after_ten_seconds_whatever_they_send() {
    let mut fixture = Fixture::new();
    let silent = fixture.connect();
    let slow = fixture.connect();
    let check = framed(&check("Aours:theirs"));
    write(&slow, &check[..20]);
    let busy = fixture.connect();
    write(&busy, &check.repeat(20));
    while fixture.inbox.frames().count() < 20 {
        fixture.connections.receive(fixture.now, &mut fixture.inbox);
        assert!(fixture.inbox.closed.is_empty());
    }
    assert_eq!(fixture.sweep_after(9), []);
    let mut closed = fixture.sweep_after(10);
    closed.sort();
    let mut all = [&silent, &slow, &busy].map(route_of);
    all.sort();
    assert_eq!(closed, all);
    assert_eq!((fixture.connections.is_empty(), fixture.connections.deadline()), (true, None));
}

#[test]
fn who_is_answered_is_closed_once_the_engine_has_been_silent_for_thirty_seconds() {
    let mut fixture = Fixture::new();
    let peer = fixture.connect();
    fixture.send(fixture.now, &peer, &[b"answer"]);
    assert_eq!(fixture.sweep_after(29), []);
    fixture.send(fixture.now + Duration::from_secs(29), &peer, &[b"answer"]);
    assert_eq!(fixture.sweep_after(58), []);
    assert_eq!(fixture.sweep_after(59), [route_of(&peer)]);
}

#[test]
fn reader_that_stands_still_holds_up_nobody_and_hears_what_is_new_when_it_reads_again() {
    let mut fixture = Fixture::new();
    let (still, well) = (fixture.connect(), fixture.connect());
    let mut lost = 0;
    // Ten minutes of sound, so that it fills whatever the kernel takes.
    for number in 0..30_000_u32 {
        let at = fixture.now + Duration::from_millis(20) * number;
        let sound = [&[0x80; 196][..], &number.to_be_bytes()].concat();
        lost += fixture.send(at, &still, &[&sound]).errors;
        assert_eq!(fixture.send(at, &well, &[&sound]), Sent { bytes: 200, errors: 0 });
        let mut got = [0; 202];
        (&well).read_exact(&mut got).expect("all of it");
    }
    assert!(lost > 10_000, "{lost}");
    assert_eq!(fixture.sweep_after(600 - 1), [route_of(&still)], "ten seconds of stillness end it");
    let heard = std::iter::from_fn(|| {
        let mut frame = [0; 202];
        (&still).read_exact(&mut frame).ok()?;
        Some(u32::from_be_bytes([frame[198], frame[199], frame[200], frame[201]]))
    });
    let heard: Vec<u32> = heard.collect();
    assert!(
        heard.len() > 1 && heard.iter().zip(0..).all(|(heard, number)| *heard == number),
        "whole frames, none twice, up to where it stood still"
    );
}

#[test]
fn what_waits_is_sent_when_the_reader_goes_on() {
    let mut fixture = Fixture::new();
    let peer = fixture.connect();
    let sound = [0x80; 1_000];
    let mut taken = 0;
    while fixture.send(fixture.now, &peer, &[&sound]) == (Sent { bytes: 1_000, errors: 0 }) {
        taken += 1;
    }
    fixture.send(fixture.now, &peer, &[&sound]);
    peer.set_nonblocking(true).expect("set");
    let (mut got, mut bytes) = (0, [0; 4_096]);
    while got < (taken + 2) * 1_002 {
        fixture.receive();
        got += (&peer).read(&mut bytes).unwrap_or(0);
    }
    assert_eq!(got, (taken + 2) * 1_002);
    assert!(fixture.connections.by_fd.values().all(|connection| !connection.is_waiting()));
}

#[test]
fn newcomers_beyond_512_take_the_place_of_the_oldest_and_never_of_who_has_proven_themselves() {
    let mut fixture = Fixture::new();
    let proven = fixture.connect();
    fixture.send(fixture.now, &proven, &[b"answer"]);
    let newcomers: Vec<TcpStream> = (0..512).map(|_| fixture.connect()).collect();
    assert_eq!(fixture.connections.by_fd.len(), 513);
    let last = fixture.connect();
    assert_eq!(fixture.inbox.closed, [route_of(&newcomers[0])]);
    assert!([&proven, &last].iter().all(|peer| fixture.connections.fd_of.contains_key(&route_of(peer).peer)));
}

#[test]
fn connection_for_another_shard_is_handed_on_with_all_it_has_brought() {
    let (mut first, mut other) = (Fixture::new(), Fixture::new());
    other.connections.shard = 1;
    let peer = first.connect();
    let check = check("Bours:theirs");
    write(&peer, &[framed(&check), framed(b"and much more")].concat());
    first.inbox.clear();
    while first.inbox.strangers.is_empty() {
        first.connections.receive(first.now, &mut first.inbox);
        assert!(first.inbox.closed.is_empty());
    }
    assert!(first.connections.is_empty() && first.inbox.frames.is_empty());
    let (shard, connection) = first.inbox.strangers.remove(0);
    assert_eq!(shard, 1);
    other.connections.adopt(other.now, connection, &mut other.inbox);
    let frames: Vec<_> = other.inbox.frames().collect();
    assert_eq!(frames, [(route_of(&peer), &check[..]), (route_of(&peer), &b"and much more"[..])]);
    assert_eq!(other.send(other.now, &peer, &[b"answer"]), Sent { bytes: 6, errors: 0 });
}

#[test]
fn newcomers_that_another_shard_accepted_are_no_more_than_its_own() {
    let (mut first, mut other) = (Fixture::new(), Fixture::new());
    other.connections.shard = 1;
    let mut peers = Vec::new();
    for _ in 0..513 {
        let peer = first.connect();
        write(&peer, &framed(&check("Bours:theirs")));
        first.inbox.clear();
        while first.inbox.strangers.is_empty() {
            first.connections.receive(first.now, &mut first.inbox);
        }
        let (_, connection) = first.inbox.strangers.remove(0);
        other.inbox.clear();
        other.connections.adopt(other.now, connection, &mut other.inbox);
        peers.push(peer);
    }
    assert_eq!((other.connections.by_fd.len(), other.inbox.closed.clone()), (512, vec![route_of(&peers[0])]));
}

#[test]
fn null_packets_are_passed_over_and_frames_too_short_for_any_packet_close() {
    let mut fixture = Fixture::new();
    let peer = fixture.connect();
    let check = framed(&check("Aours:theirs"));
    write(&peer, &[&framed(b"")[..], &framed(b"").repeat(100), &check, &framed(b"").repeat(1_000), &framed(&[0x80; 12])].concat());
    fixture.inbox.clear();
    while fixture.inbox.frames().count() < 2 {
        fixture.connections.receive(fixture.now, &mut fixture.inbox);
    }
    assert_eq!(fixture.inbox.frames().map(|(_, frame)| frame.len()).collect::<Vec<_>>(), [check.len() - 2, 12]);
    assert_eq!(fixture.inbox.closed, []);
    write(&peer, &framed(&[0x80; 11]));
    while fixture.inbox.closed.is_empty() {
        fixture.connections.receive(fixture.now, &mut fixture.inbox);
    }
    assert_eq!((fixture.inbox.frames().count(), fixture.inbox.closed.clone()), (2, vec![route_of(&peer)]));
}
