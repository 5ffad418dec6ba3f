//! What cannot be reached from outside: a bug in one session's code.

use super::*;
use crate::sdp::OfferRefused;

const OFFER: &str = include_str!("../sdp/corpus/chromium-speak.sdp");

fn engine(now: Instant) -> Engine {
    let config = Config { addresses: vec![IpAddr::from([192, 0, 2, 1])], port: 8004, seed: [1; 32], unix_time: Duration::ZERO };
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
            Output::Transmit(_) => {}
            Output::Deadline(_) => return events,
        }
    }
}

/// A check of the offer's peer.
fn check(answer: &str) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).expect("in the answer");
    let username = format!("{}:POXT", value("a=ice-ufrag:"));
    let message = is::stun::StunMessage::binding_request(&username, is::stun::TransId::new(), true, 1, 1, true);
    let mut bytes = vec![0; 256];
    let len = message.to_bytes(Some(value("a=ice-pwd:").as_bytes()), &mut bytes, |key, parts| {
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
        let from = SocketAddr::from(([198, 51, 100, 1], port));
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
    assert_eq!((engine.sessions.len(), engine.by_ufrag.len(), engine.by_address.len()), (1, 1, 1));
}

#[test]
fn nothing_of_a_closed_session_is_left_behind() {
    let now = Instant::now();
    let mut engine = engine(now);
    let answer = open(&mut engine, now, "session", "ada").expect("opened").answer;
    let from = SocketAddr::from(([198, 51, 100, 1], 1));
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
    assert_eq!((engine.by_ufrag.len(), engine.by_address.len(), engine.half_open.len()), (0, 0, 0));
    engine.handle_input(now + Duration::from_secs(60), Input::Timeout);
    assert!(engine.timers.is_empty());
}

#[test]
fn engine_without_an_address_to_offer_does_not_start() {
    let config = Config { addresses: vec![], port: 8004, seed: [1; 32], unix_time: Duration::ZERO };
    assert_eq!(Engine::new(config, Instant::now()).err(), Some(StartFailed("At least one address must be offered to peers.".into())));
}
