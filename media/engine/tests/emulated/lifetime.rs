//! How sessions end, and how they go on.

use std::time::{Duration, Instant};

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

/// The longest time between two signs that a path works, whatever they are: sound, reports, signs of life. `from` and `to` count as such.
fn longest_silence(world: &World, peer: usize, from: Instant, to: Instant) -> Duration {
    let peer = &world.peers[peer];
    let heard = peer.heard.iter().map(|heard| heard.at);
    let mut at: Vec<Instant> = heard.chain(peer.reports.iter().map(|(at, _)| *at)).chain(peer.signs.iter().copied()).collect();
    at.retain(|at| (from..to).contains(at));
    at.extend([from, to]);
    at.sort_unstable();
    at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

#[test]
fn listener_is_shown_that_the_path_works_when_the_voice_falls_silent() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    let ada = world.talking("ada", Some(30));
    world.run_for(secs(4));
    assert_eq!(world.peers[bob].signs, [], "sound is sign enough");
    world.peers[ada].is_unplugged = true;
    let silent = world.now;
    world.run_for(secs(15));
    let longest = longest_silence(&world, bob, silent, world.now - ms(300));
    assert!((ms(250)..ms(550)).contains(&longest), "{longest:?}");
    let signs = world.peers[bob].signs.len();
    assert!((50..=60).contains(&signs), "four a second: {signs}");
    world.run_for(secs(60));
    assert!(world.peers[bob].signs.len() <= signs + 1, "an audience that hears nothing for long costs nothing");
    assert!(world.report("listen-bob").connected);
}

#[test]
fn signs_of_life_come_again_with_the_next_sound() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.run_for(secs(40));
    assert_eq!(world.peers[bob].signs, [], "nothing was heard yet");
    let ada = world.talking("ada", Some(30));
    world.run_for(ms(3_100));
    world.peers[ada].is_unplugged = true;
    let silent = world.now;
    world.run_for(secs(3));
    assert!(longest_silence(&world, bob, silent, world.now) < ms(550));
}

#[test]
fn speaker_is_shown_four_times_a_second_that_the_path_works() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, true)]);
    let ada = world.talking("ada", Some(30));
    let from = world.now;
    world.run_for(secs(10));
    assert!(longest_silence(&world, ada, from, world.now) <= ms(300));
    let signs = world.peers[ada].signs.len();
    assert!((36..=40).contains(&signs), "{signs}");
}
