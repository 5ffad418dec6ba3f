//! The three gates of the port, and what does not pass them.

use std::net::SocketAddr;

use salon_engine::Route;
use salon_netem::Weather;

use super::support::peer::{binding_request, check};
use super::support::{World, ms, secs};

fn stranger() -> Route {
    Route::udp("203.0.113.66:6666".parse().unwrap())
}

#[test]
fn checks_are_answered_only_with_the_right_credentials() {
    let mut world = World::new();
    let bob = world.listener("bob", 1);
    let (username, password) = (world.peers[bob].username(), world.peers[bob].theirs.1.clone());
    let (ours, theirs) = username.split_once(':').unwrap();
    for (username, password) in [
        (username.as_str(), "a wrong password of the engine"),
        (username.as_str(), ""),
        (&format!("{ours}:somebody"), &password),
        (&format!("unknown1:{theirs}"), &password),
        (ours, &password),
    ] {
        assert_eq!(world.inject(stranger(), &check(username, password)), 0, "{username}");
    }
    let mut without_integrity = check(&username, &password);
    without_integrity.truncate(without_integrity.len() - 32);
    without_integrity[3] -= 32;
    assert_eq!(world.inject(stranger(), &without_integrity), 0);
    let genuine = check(&username, &password);
    for bit in 0..8 * (genuine.len() - 8) {
        let mut forged = genuine.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(world.inject(stranger(), &forged), 0, "bit {bit}"); // but for the fingerprint, which protects nothing
    }
    assert_eq!(world.inject(stranger(), &genuine), 1);
}

#[test]
fn dtls_is_not_answered_before_a_check_has_validated_the_address() {
    let mut world = World::new();
    let bob = world.listener("bob", 1);
    let hello = client_hello(12);
    assert_eq!(world.inject(world.peers[bob].route, &hello), 0);
    let check = check(&world.peers[bob].username(), &world.peers[bob].theirs.1);
    assert_eq!(world.inject(world.peers[bob].route, &check), 1);
    assert_ne!(world.inject(world.peers[bob].route, &hello), 0, "the same ClientHello, now from a validated address");
    assert_eq!(world.inject(stranger(), &hello), 0, "another address still is not");
}

pub fn client_hello(version: u8) -> Vec<u8> {
    let certificate = dimpl::DtlsCertificate {
        certificate: include_bytes!("support/peer-certificate.der").to_vec(),
        private_key: include_bytes!("support/peer-key.der").to_vec(),
    };
    let now = std::time::Instant::now();
    let begin = if version == 12 { dimpl::Dtls::new_12 } else { dimpl::Dtls::new_13 };
    let mut dtls = begin(std::sync::Arc::new(dimpl::Config::default()), certificate, now);
    dtls.set_active(true);
    dtls.handle_timeout(now).unwrap();
    let mut buffer = [0; 2_048];
    match dtls.poll_output(&mut buffer) {
        dimpl::Output::Packet(packet) => packet.to_vec(),
        other => panic!("no ClientHello but {other:?}"),
    }
}

#[test]
fn media_from_a_foreign_address_is_dropped_and_the_address_not_learned() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    let ada = world.talking("ada", Some(30));
    world.run_for(secs(1));
    let heard = world.peers[bob].heard.len();
    // A genuine packet that Ada's peer never sent from its own address.
    world.peers[ada].is_unplugged = true;
    world.run_for(secs(1));
    world.peers[ada].is_unplugged = false;
    let packets = world.peers[ada].take_datagrams(world.now);
    let (in_flight, stolen): (Vec<_>, Vec<_>) = packets.into_iter().partition(|packet| packet[0] < 128);
    assert!(!stolen.is_empty() && in_flight.is_empty());
    for packet in &stolen {
        assert_eq!(world.inject(stranger(), packet), 0);
    }
    assert_eq!(world.peers[bob].heard.len(), heard);
    assert_eq!(world.inject(world.peers[ada].route, &stolen[0]), 1, "from the selected address it is forwarded");
}

#[test]
fn media_from_a_validated_address_that_is_not_selected_is_dropped() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.connected_listener("bob", 1);
    let ada = world.talking("ada", Some(30));
    world.run_for(secs(1));
    let second = Route::udp(SocketAddr::new(world.peers[ada].route.peer.ip(), 20_000));
    let (username, password) = (world.peers[ada].username(), world.peers[ada].theirs.1.clone());
    assert_eq!(world.inject(second, &binding_request(&username, &password, false)), 1);
    let next_frame = world.peers[ada].microphone.as_ref().unwrap().next_at;
    let packet = world.peers[ada].take_datagrams(next_frame).remove(0);
    assert_eq!(world.inject(second, &packet), 0);
    assert_eq!(world.inject(second, &binding_request(&username, &password, true)), 1);
    assert_eq!(world.inject(second, &packet), 0, "nominated, but not proven");
    (world.peers[ada].microphone, world.peers[ada].route) = (None, second);
    world.run_for(ms(200));
    assert_eq!(world.peers[ada].checked, 2, "each of its checks was answered by ours");
    assert_eq!(world.inject(second, &packet), 1, "nominated, and proven by an answer from there");
}

/// A peer with a session, or who has seen somebody's check, sends one as if it came from a victim.
#[test]
fn sound_does_not_go_to_a_forged_address_and_goes_on_to_the_old_one() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    let check = check(&world.peers[bob].username(), &world.peers[bob].theirs.1);
    let (from, before) = (world.now, world.peers[bob].heard.len());
    let mut reflected = 0;
    for _ in 0..100 {
        world.sent_to.clear();
        world.bytes_to.clear();
        world.inject(stranger(), &check);
        reflected += world.bytes_to.get(&stranger()).copied().unwrap_or(0);
        world.run_for(ms(20));
        assert!(world.sent_to.get(&stranger()).copied().unwrap_or(0) <= 1, "a check of ours at most");
    }
    assert!(reflected <= 100 * check.len(), "{reflected} bytes for {}", 100 * check.len());
    assert_eq!(world.peers[bob].heard.len() - before, 100, "not one packet went elsewhere");
    assert_eq!(world.peers[bob].voices_since(from), [7]);
}

#[test]
fn forged_addresses_before_the_handshake_get_answers_alone_and_no_more_bytes_than_came() {
    let mut world = World::new();
    let bob = world.listener("bob", 1);
    world.peers[bob].is_unplugged = true;
    let check = check(&world.peers[bob].username(), &world.peers[bob].theirs.1);
    let (mut came, mut went) = (0, 0);
    for _ in 0..20 {
        came += check.len();
        world.bytes_to.clear();
        assert!(world.inject(stranger(), &check) <= 1);
        went += world.bytes_to.get(&stranger()).copied().unwrap_or(0);
    }
    assert!(went <= came, "{went} bytes for {came}");
    for version in [12, 13] {
        let hello = client_hello(version);
        world.bytes_to.clear();
        world.inject(stranger(), &hello);
        world.run_for(secs(14));
        let answer = world.bytes_to.get(&stranger()).copied().unwrap_or(0);
        assert!((1..=hello.len()).contains(&answer), "cookies for DTLS {version}: {answer} bytes for {}", hello.len());
        world = World::new();
        let bob = world.listener("bob", 1);
        world.peers[bob].is_unplugged = true;
        let check = self::check(&world.peers[bob].username(), &world.peers[bob].theirs.1);
        world.inject(stranger(), &check);
    }
}

#[test]
fn change_of_address_takes_one_round_trip_more_than_the_check() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.set_weather(Weather { delay: ms(50), ..Weather::FAIR });
    world.run_for(secs(1));
    world.peers[bob].route = Route::udp("198.51.100.99:4000".parse().unwrap());
    let (check, heard) = (check(&world.peers[bob].username(), &world.peers[bob].theirs.1), world.peers[bob].heard.len());
    world.inject(world.peers[bob].route, &check);
    let asked_at = world.now;
    world.run_for(secs(1));
    let first = world.peers[bob].heard[heard].at - asked_at;
    // Down with our check and up with its answer; then the next frame of 20 ms, and its way down.
    assert!(first <= 3 * ms(50) + ms(20), "{first:?} at 50 ms one way");
    assert_eq!((world.peers[bob].checked, world.peers[bob].undecipherable), (1, 0));
}

#[test]
fn peer_that_never_answers_checks_keeps_its_first_address_and_no_other() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    let second = Route::udp("198.51.100.99:4000".parse().unwrap());
    (world.peers[bob].ignores_checks, world.peers[bob].route) = (true, second);
    let heard = world.peers[bob].heard.len();
    world.run_for(secs(5));
    assert_eq!(world.peers[bob].heard.len(), heard);
    assert_eq!(world.closed(), [], "its checks are genuine");
}

#[test]
fn replayed_and_forged_media_is_dropped() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.connected_listener("bob", 1);
    let ada = world.talking("ada", Some(30));
    world.run_for(secs(1));
    let (from, packet) = (world.peers[ada].route, world.peers[ada].last_rtp.clone());
    let dropped = world.report("speak-ada").packets_dropped;
    assert_eq!(world.inject(from, &packet), 0, "replayed");
    let mut forged = packet.clone();
    forged[3] = forged[3].wrapping_add(1);
    assert_eq!(world.inject(from, &forged), 0, "forged");
    assert_eq!(world.report("speak-ada").packets_dropped, dropped + 2);
    assert_eq!(world.engine.totals().dropped.rtp, dropped + 2);
}

#[test]
fn certificate_other_than_announced_ends_the_session() {
    let mut world = World::new();
    let mut peer = super::support::Peer::new(world.next_route(), "bob", salon_engine::Direction::Listen, 1);
    let flipped = if peer.fingerprint.starts_with('0') { "1" } else { "0" };
    peer.fingerprint.replace_range(0..1, flipped);
    world.open(peer);
    world.run_for(secs(1));
    assert_eq!(world.closed(), [("listen-bob", "peer_closed")]);
    assert_eq!(world.engine.totals().sessions, 0);
}

#[test]
fn another_sessions_checks_cannot_take_over_an_address_in_use() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    let eve = world.listener("eve", 1);
    let check = check(&world.peers[eve].username(), &world.peers[eve].theirs.1);
    assert_eq!(world.inject(world.peers[bob].route, &check), 0, "Bob's address is Bob's");
    let from = world.now;
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(from), [7]);
}

#[test]
fn address_is_free_five_seconds_after_its_sessions_last_packet() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let ada = world.talking("ada", Some(30));
    world.run_for(secs(1));
    world.peers[ada].is_unplugged = true;
    let eve = world.listener("eve", 1);
    let check = check(&world.peers[eve].username(), &world.peers[eve].theirs.1);
    world.run_for(ms(4_900));
    assert_eq!(world.inject(world.peers[ada].route, &check), 0);
    world.run_for(ms(200));
    assert_eq!(world.inject(world.peers[ada].route, &check), 1, "answered");
}

#[test]
fn sound_follows_the_address_that_the_peer_nominates() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(ms(500));
    world.peers[bob].route = Route::udp("198.51.100.99:4000".parse().unwrap()); // from Wi-Fi to cellular
    world.run_for(secs(3));
    let from = world.now;
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(from), [7]);
    assert_eq!(world.peers[bob].undecipherable, 0);
}

#[test]
fn noise_is_dropped_and_answered_by_nothing() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let ada = world.talking("ada", Some(30));
    let from = world.peers[ada].route;
    let mut state = 1_u64;
    for len in (0..1_600).chain([9_000]) {
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .take(len)
        .collect();
        assert_eq!(world.inject(stranger(), &noise), 0);
        for first in [0, 1, 22, 23, 128, 144] {
            let mut noise = noise.clone();
            if let Some(byte) = noise.first_mut() {
                *byte = first;
            }
            world.inject(from, &noise);
        }
    }
    world.run_for(secs(1));
    assert_eq!(world.closed(), [], "the session of that address lives on");
}
