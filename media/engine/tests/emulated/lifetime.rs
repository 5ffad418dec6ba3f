//! How sessions end, and how they go on.

use salon_engine::{CloseReason, RestartRefused, SessionUnknown};

use super::support::{World, ms, sdp, secs};

#[test]
fn session_that_never_connects_is_given_up_after_fifteen_seconds() {
    let mut world = World::new();
    let bob = world.listener("bob", 1);
    world.peers[bob].is_unplugged = true;
    world.run_for(ms(13_900));
    assert_eq!(world.closed(), []);
    world.run_for(ms(200));
    assert_eq!(world.closed(), [("listen-bob", "timed_out")]);
}

#[test]
fn session_that_falls_silent_is_closed_after_seven_seconds() {
    let mut world = World::new();
    let bob = world.connected_listener("bob", 1);
    world.run_for(secs(60));
    assert_eq!(world.closed(), [], "checks alone keep it alive");
    world.peers[bob].is_unplugged = true;
    world.run_for(ms(4_400));
    assert_eq!(world.closed(), [], "its last check may have come 2.5 s before");
    world.run_for(ms(2_700));
    assert_eq!(world.closed(), [("listen-bob", "timed_out")]);
    assert_eq!(world.engine.totals().rooms, 0);
}

#[test]
fn peer_that_only_answers_lives_on_though_it_checks_nothing_itself() {
    let mut world = World::new();
    let bob = world.connected_listener("bob", 1);
    world.peers[bob].checks_by_itself = false;
    world.run_for(secs(60));
    assert_eq!(world.closed(), []);
    world.peers[bob].is_unplugged = true;
    world.run_for(secs(8));
    assert_eq!(world.closed(), [("listen-bob", "timed_out")]);
}

#[test]
fn nobody_is_given_up_because_the_engine_stood_still() {
    let mut world = World::new();
    let bob = world.connected_listener("bob", 1);
    world.run_without_engine_for(secs(30));
    world.run_for(secs(30));
    assert_eq!((world.closed(), world.report("listen-bob").connected), (vec![], true));
    assert!(world.peers[bob].checks_answered > 0);
}

#[test]
fn forged_packets_do_not_keep_a_session_alive() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let ada = world.talking("ada", Some(30));
    world.run_for(secs(1));
    world.peers[ada].is_unplugged = true;
    let (from, packet) = (world.peers[ada].route, world.peers[ada].last_rtp.clone());
    for _ in 0..160 {
        world.inject(from, &packet);
        world.run_for(ms(100));
    }
    assert_eq!(world.closed(), [("speak-ada", "timed_out")]);
}

#[test]
fn goodbye_of_the_peer_closes_the_session() {
    let mut world = World::new();
    let bob = world.connected_listener("bob", 1);
    world.peers[bob].say_goodbye();
    for datagram in world.peers[bob].take_datagrams(world.now) {
        world.inject(world.peers[bob].route, &datagram);
    }
    assert_eq!(world.closed(), [("listen-bob", "peer_closed")]);
}

#[test]
fn closed_session_is_told_goodbye_and_gone() {
    let mut world = World::new();
    let bob = world.connected_listener("bob", 1);
    assert!(world.engine.close_session(world.now, "listen-bob", CloseReason::Asked("deleted".into())));
    world.drain();
    world.run_for(ms(10));
    assert!(world.peers[bob].said_goodbye);
    assert_eq!(world.closed(), [("listen-bob", "deleted")]);
    assert!(!world.engine.close_session(world.now, "listen-bob", CloseReason::Asked("deleted".into())));
}

#[test]
fn ice_restart_gives_new_credentials_while_sound_goes_on() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    let fragment = "a=ice-ufrag:peer2\r\na=ice-pwd:another+password+of+the+peer\r\n";
    let (answer, etag) = world.engine.restart_ice("listen-bob", fragment).unwrap();
    let before = world.peers[bob].theirs.clone();
    let value = |name| sdp::value(&answer, name).unwrap().to_owned();
    let after = (value("ice-ufrag"), value("ice-pwd"));
    assert!(before.0 != after.0 && before.1 != after.1 && etag.starts_with('"'));
    world.run_for(secs(5));
    assert!(world.peers[bob].checks_answered > 1, "the old credentials work until the new ones are used");
    let answered = world.peers[bob].checks_answered;
    world.peers[bob].theirs = after;
    world.peers[bob].ufrag = "peer2".into();
    world.run_for(secs(5));
    assert!(world.peers[bob].checks_answered > answered);
    let username = format!("{}:peer", before.0);
    assert_eq!(world.inject(world.peers[bob].route, &super::support::peer::check(&username, &before.1)), 0, "then no longer");
    let heard = world.peers[bob].heard_in(0);
    assert!(heard.len() > 490 && heard.windows(2).all(|pair| pair[1].index == pair[0].index + 1));
}

#[test]
fn ice_restart_without_new_credentials_or_session_is_refused() {
    let mut world = World::new();
    world.connected_listener("bob", 1);
    let candidates_only = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n";
    match world.engine.restart_ice("listen-bob", candidates_only) {
        Err(RestartRefused::Offer(refused)) => assert_eq!(refused.0, "no new credentials"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.engine.restart_ice("nobody", "a=ice-ufrag:peer2\r\n"), Err(RestartRefused::Unknown(SessionUnknown)));
}
