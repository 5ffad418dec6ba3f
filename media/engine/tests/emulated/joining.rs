//! Opening sessions.

use salon_engine::{Connected, Direction, Event, NewOffer};

use super::support::{Peer, ROOM, World, ms, secs};

#[test]
fn listener_connects_within_a_few_round_trips() {
    let mut world = World::new();
    let bob = world.listener("bob", 1);
    assert!(!world.report("listen-bob").connected);
    world.run_for(ms(200));
    assert!(world.peers[bob].is_connected());
    assert_eq!(
        world.events,
        [Event::Connected(Connected {
            session: "listen-bob".into(),
            room: ROOM.into(),
            person: "bob".into(),
            direction: Direction::Listen
        })]
    );
    assert!(world.report("listen-bob").connected);
}

#[test]
fn refused_offer_changes_nothing() {
    let mut world = World::new();
    let opened = world.engine.open_session(
        world.now,
        NewOffer { session: "listen-bob", room: ROOM, person: "bob", direction: Direction::Listen, offer: "hello" },
    );
    assert_eq!(opened.unwrap_err().0, "This is not SDP: the first line must be v=0.");
    assert_eq!((world.engine.totals().sessions, world.engine.totals().rooms), (0, 0));
}

#[test]
fn newer_session_takes_over_and_the_older_one_is_told() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", Some(30));
    let first = world.connected_listener("bob", 1);
    world.run_for(secs(1));
    let mut second = Peer::new(world.next_route(), "bob", Direction::Listen, 1);
    second.session = "listen-bob-again".into();
    let second = world.open(second);
    world.run_until_connected(second);
    assert_eq!(world.closed(), [("listen-bob", "taken_over")]);
    assert!(world.peers[first].said_goodbye);
    let before = [first, second].map(|at| world.peers[at].heard.len());
    world.run_for(secs(1));
    assert_eq!(world.peers[first].heard.len(), before[0]);
    assert_eq!(world.peers[second].voices_after(before[1]), [7]);
}

#[test]
fn listening_and_speaking_of_one_person_do_not_take_over_each_other() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.connected_listener("ada", 1);
    world.talking("ada", Some(30));
    assert_eq!(world.closed(), []);
    assert_eq!(world.engine.totals().sessions, 2);
}

#[test]
fn sixth_unfinished_session_of_a_person_is_refused_until_one_finishes() {
    let mut world = World::new();
    let offer = Peer::new(world.next_route(), "bob", Direction::Listen, 1).offer();
    let open = |world: &mut World, number: u32| {
        let (session, room) = (format!("session-{number}"), format!("room-{number}"));
        let new = NewOffer { session: &session, room: &room, person: "bob", direction: Direction::Listen, offer: &offer };
        let opened = world.engine.open_session(world.now, new);
        world.drain();
        opened
    };
    for number in 0..5 {
        assert!(open(&mut world, number).is_ok());
    }
    assert!(open(&mut world, 5).unwrap_err().0.starts_with("There are 5 unfinished sessions"));
    assert!(open(&mut world, 4).is_err(), "the same session id twice");
    world.run_for(secs(16));
    assert!(open(&mut world, 5).is_ok(), "the others were given up");
}
