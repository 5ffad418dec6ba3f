//! What cannot be reached from outside: a bug in one session's code.

use hmac::{Hmac, KeyInit, Mac};
use is::stun::{StunMessage, TransId};

use super::*;
use crate::room::{StreamKey, UplinkPosition};
use crate::sdp::OfferRefused;
use crate::srtp::{MasterKeys, Profile};

const OFFER: &str = include_str!("../sdp/corpus/chromium-speak.sdp");
const LISTEN_OFFER: &str = include_str!("../sdp/corpus/aiortc-listen.sdp");

fn engine(now: Instant) -> Engine {
    let config = Config {
        addresses: vec![IpAddr::from([192, 0, 2, 1])],
        port: 8004,
        tcp_ports: vec![],
        shard: 0,
        seed: [1; 32],
        unix_time: Duration::ZERO,
        long_packets_from: None,
    };
    Engine::new(config, now).expect("starts")
}

fn open(engine: &mut Engine, now: Instant, session: &str, person: &str) -> Result<Opened, OfferRefused> {
    engine.open_session(now, NewOffer { session, room: "room", person, direction: Direction::Speak, offer: OFFER })
}

fn events(engine: &mut Engine, now: Instant) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        match engine.poll_output(now) {
            Output::Event(event) => events.push(event),
            Output::Transmit(_) | Output::Speech(_) => {}
            Output::Deadline(_) => return events,
        }
    }
}

/// A check of the offer's peer.
fn check(answer: &str) -> Vec<u8> {
    let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).expect("in the answer");
    let username = format!("{}:POXT", value("a=ice-ufrag:"));
    signed(&StunMessage::binding_request(&username, TransId::new(), true, 1, 1, true), value("a=ice-pwd:"))
}

fn signed(message: &StunMessage<'_>, password: &str) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    let len = message.to_bytes(Some(password.as_bytes()), &mut bytes, |key, parts| {
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key).expect("any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    });
    bytes.truncate(len.expect("fits"));
    bytes
}

#[test]
fn panic_in_one_session_ends_that_session_only() {
    let now = Instant::now();
    let mut engine = engine(now);
    let [broken, sound] = ["ada", "eve"].map(|person| open(&mut engine, now, person, person).expect("opened").answer);
    let key = engine.session_keys["ada"];
    engine.sessions.get_mut(key).expect("open").panics_on_purpose = true;
    for (answer, port) in [(&broken, 1), (&sound, 2)] {
        let from = Route::udp(([198, 51, 100, 1], port).into());
        engine.handle_input(now, Input::Datagram { from, bytes: &check(answer) });
    }
    let closed = Closed {
        session: "ada".into(),
        room: "room".into(),
        person: "ada".into(),
        direction: Direction::Speak,
        reason: CloseReason::Internal,
    };
    assert_eq!(events(&mut engine, now), [Event::Closed(closed)]);
    assert_eq!((engine.sessions.len(), engine.by_ufrag.len(), engine.by_route.len()), (1, 1, 1));
}

/// Datagrams to be sent now.
fn sent(engine: &mut Engine, now: Instant) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    loop {
        match engine.poll_output(now) {
            Output::Transmit(batch) => sent.extend(batch.iter().map(|(_, bytes)| bytes.to_vec())),
            Output::Event(_) | Output::Speech(_) => {}
            Output::Deadline(_) => return sent,
        }
    }
}

#[test]
fn route_that_another_engine_contests_serves_once_it_is_proven_here() {
    let now = Instant::now();
    let mut engine = engine(now);
    let answer = open(&mut engine, now, "session", "ada").expect("opened").answer;
    let from = Route::udp(([198, 51, 100, 1], 1).into());
    let (check, client_hello) = (check(&answer), [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    engine.handle_input(now, Input::Contested { from, bytes: &check });
    let [question] = &sent(&mut engine, now)[..] else { panic!("one check") };
    let question = StunMessage::parse(question).expect("well formed");
    assert!(question.is_binding_request());
    assert!(!engine.owns(from) && !engine.has_proved(from));
    engine.handle_input(now, Input::Datagram { from, bytes: &client_hello });
    assert_eq!((sent(&mut engine, now).len(), engine.totals.dropped.dtls), (0, 1));

    let reply = signed(&StunMessage::binding_reply(question.trans_id(), from.peer), "YLbc+fY7Mkh7v4okfpIDokS8");
    engine.handle_input(now, Input::Contested { from, bytes: &reply });
    let [answered] = &sent(&mut engine, now)[..] else { panic!("one answer") };
    let trans_id = |bytes| StunMessage::parse(bytes).expect("well formed").trans_id();
    assert_eq!((&answered[..2], trans_id(answered)), (&[1, 1][..], trans_id(&check)));
    assert!(engine.owns(from) && engine.has_proved(from));
    for input in [Input::Contested { from, bytes: &check }, Input::Datagram { from, bytes: &check }] {
        engine.handle_input(now, input);
        assert_eq!(sent(&mut engine, now)[0][..2], [1, 1], "is answered at once from then on");
    }
    assert!(engine.close_session(now, "session", CloseReason::Asked("deleted".into())));
    assert_eq!(engine.challengers.of(from).count(), 0);
}

/// A connected listener whose peer is at `port`.
fn connected_listener(engine: &mut Engine, now: Instant, port: u16) -> SessionKey {
    let id = format!("listener-{port}");
    let new = NewOffer { session: &id, room: "room", person: &id, direction: Direction::Listen, offer: LISTEN_OFFER };
    engine.open_session(now, new).expect("opened");
    let key = engine.session_keys[id.as_str()];
    let keys = MasterKeys::new(&[1; 16], &[2; 14]);
    let route = Route::udp(([198, 51, 100, 1], port).into());
    engine.sessions.get_mut(key).expect("open").pretend_connected(route, Profile::Aes128CmSha1, &keys);
    engine.on_connected(now, key);
    key
}

#[test]
fn what_may_be_a_little_late_is_done_for_many_at_once() {
    let start = Instant::now();
    let at = |ms: u64| start + Duration::from_millis(ms);
    let mut engine = engine(start);
    let keys = [(1, 1), (2, 8), (3, 19), (4, 21)].map(|(port, ms)| {
        let key = connected_listener(&mut engine, at(ms), port);
        engine.schedule(at(ms), key);
        key
    });
    // Silent for three seconds, each is to be asked whether it is there.
    let asked = keys.map(|key| engine.sessions.get(key).and_then(|session| session.queued));
    assert_eq!(asked, [3_020, 3_020, 3_020, 3_040].map(|ms| Some(at(ms))));
    events(&mut engine, at(22));
    assert!(matches!(engine.poll_output(at(22)), Output::Deadline(Some(next)) if next == at(3_020)));
    engine.handle_input(at(3_020), Input::Timeout);
    let mut destinations = Vec::new();
    while let Output::Transmit(batch) = engine.poll_output(at(3_020)) {
        destinations.extend(batch.iter().map(|(to, _)| to.peer.port()));
    }
    destinations.sort_unstable();
    assert_eq!(destinations, [1, 2, 3]);
}

#[test]
fn moments_are_whole_steps_since_the_clock_was_set() {
    let start = Instant::now();
    let clock = NtpClock::new(start, Duration::ZERO);
    let step = Duration::from_millis(20);
    let next = |micros| clock.next_moment(start + Duration::from_micros(micros), step).duration_since(start).as_micros();
    assert_eq!([0, 1, 19_999, 20_000, 20_001, 1_000_000_001].map(next), [0, 20_000, 20_000, 20_000, 40_000, 1_000_020_000]);
}

/// An index of SRTCP is used once; who has none left comes again with other keys.
#[test]
fn session_ends_before_its_rtcp_numbers_do() {
    let now = Instant::now();
    for (sent, ends) in [(1 << 30, false), ((1 << 31) - 1_000, true)] {
        let mut engine = engine(now);
        let key = connected_listener(&mut engine, now, 1);
        engine.schedule(now, key);
        engine.sessions.get_mut(key).expect("open").pretend_rtcp_sent(sent);
        engine.handle_input(now + Duration::from_secs(5), Input::Timeout);
        let closed = events(&mut engine, now).into_iter().any(|event| matches!(event, Event::Closed(_)));
        assert_eq!(closed, ends, "after {sent}");
    }
}

#[test]
fn every_other_listener_gets_the_packet_once_when_some_fail_in_the_fan_out() {
    let now = Instant::now();
    let mut engine = engine(now);
    engine.set_stage(now, "room", &[Speaker { person: "ada".into(), csrc: 7, muted: false }]);
    for port in 0..150 {
        connected_listener(&mut engine, now, port);
    }
    events(&mut engine, now);
    // In the first of three batches, at the edges of the second, and the very last.
    let broken = [10, 11, 63, 64, 128, 149];
    for at in broken {
        engine.rooms[0].as_mut().expect("in use").leg_mut(Membership { view: 0, at: usize::from(at) }).panics_on_purpose = true;
    }
    let stream = StreamKey { shard: 0, session: 1, ssrc: 1 };
    let position = UplinkPosition { stream, index: 1, timestamp: 0, marker: false, is_late: false };
    let room = engine.rooms[0].as_mut().expect("in use");
    room.listen_to(now, 7, 30);
    room.place(now, 7, position, None, b"opus", &mut engine.fanout.targets);

    let (mut ports, mut closed) = (Vec::new(), Vec::new());
    loop {
        match engine.poll_output(now) {
            Output::Transmit(batch) => ports.extend(batch.iter().filter(|(_, bytes)| bytes[0] >= 128).map(|(to, _)| to.peer.port())),
            Output::Event(Event::Closed(event)) => closed.push((event.session.to_string(), event.reason)),
            Output::Event(Event::Connected(_)) | Output::Speech(_) => {}
            Output::Deadline(_) => break,
        }
    }
    assert_eq!(ports, (0..150).filter(|port| !broken.contains(port)).collect::<Vec<u16>>());
    assert_eq!(closed, broken.map(|port| (format!("listener-{port}"), CloseReason::Internal)));
    assert_eq!(engine.sessions.len(), 144);
}

#[test]
fn gathered_packets_come_out_together_once_a_batch_is_full_or_nothing_more_is_to_come() {
    let now = Instant::now();
    let mut engine = engine(now);
    engine.set_stage(now, "room", &[Speaker { person: "ada".into(), csrc: 7, muted: false }]);
    for port in 0..30 {
        connected_listener(&mut engine, now, port);
    }
    events(&mut engine, now);
    let speak = |engine: &mut Engine, index: u64| {
        let stream = StreamKey { shard: 0, session: 1, ssrc: 1 };
        let room = engine.rooms[0].as_mut().expect("in use");
        room.listen_to(now, 7, 30);
        let position = UplinkPosition { stream, index, timestamp: 960 * u32::try_from(index).expect("few"), marker: false, is_late: false };
        room.place(now, 7, position, None, b"opus", &mut engine.fanout.targets);
    };
    // Lengths of the batches of sound that come out now, and every destination.
    let sent = |engine: &mut Engine| {
        let mut batches: Vec<Vec<u16>> = Vec::new();
        loop {
            match engine.poll_output(now) {
                Output::Transmit(batch) => batches.push(batch.iter().map(|(to, _)| to.peer.port()).collect()),
                Output::Event(_) | Output::Speech(_) => {}
                Output::Deadline(_) => return batches,
            }
        }
    };
    engine.gather(true);
    for index in 1..=2 {
        speak(&mut engine, index);
        assert_eq!(sent(&mut engine), Vec::<Vec<u16>>::new(), "half a batch waits");
    }
    speak(&mut engine, 3);
    let full = sent(&mut engine);
    assert_eq!(full.iter().map(Vec::len).collect::<Vec<_>>(), [64]);
    engine.gather(false);
    let rest = sent(&mut engine);
    assert_eq!(rest.iter().map(Vec::len).collect::<Vec<_>>(), [26]);
    assert_eq!([full.concat(), rest.concat()].concat(), (0..30).cycle().take(90).collect::<Vec<u16>>(), "each packet to all, in order");
    assert_eq!(sent(&mut engine), Vec::<Vec<u16>>::new(), "and once");
}

#[test]
fn nothing_of_a_closed_session_is_left_behind() {
    let now = Instant::now();
    let mut engine = engine(now);
    let answer = open(&mut engine, now, "session", "ada").expect("opened").answer;
    let from = Route::udp(([198, 51, 100, 1], 1).into());
    engine.handle_input(now, Input::Datagram { from, bytes: &check(&answer) });
    events(&mut engine, now);
    let fragment = "a=ice-ufrag:new1\r\na=ice-pwd:new+password+of+the+peer\r\n";
    for _ in 0..3 {
        engine.restart_ice("session", fragment).expect("restarted");
    }
    assert_eq!(engine.by_ufrag.len(), 2, "the newest and the one in use");
    engine.handle_input(now, Input::Datagram { from, bytes: &check(&answer) });
    assert!(matches!(engine.poll_output(now), Output::Transmit(_)), "the one in use is the first one");
    events(&mut engine, now);
    assert!(engine.close_session(now, "session", CloseReason::Asked("deleted".into())));
    events(&mut engine, now);
    assert_eq!((engine.sessions.len(), engine.session_keys.len(), engine.room_at.len()), (0, 0, 0));
    assert_eq!((engine.by_ufrag.len(), engine.by_route.len(), engine.half_open.len()), (0, 0, 0));
    engine.handle_input(now + Duration::from_secs(60), Input::Timeout);
    assert!(engine.timers.is_empty());
}

#[test]
fn engine_without_an_address_to_offer_does_not_start() {
    let config = Config {
        addresses: vec![],
        port: 8004,
        tcp_ports: vec![],
        shard: 0,
        seed: [1; 32],
        unix_time: Duration::ZERO,
        long_packets_from: None,
    };
    assert_eq!(Engine::new(config, Instant::now()).err(), Some(StartFailed("At least one address must be offered to peers.".into())));
}
