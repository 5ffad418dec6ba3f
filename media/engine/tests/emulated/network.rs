//! Bad networks.

use std::collections::HashSet;
use std::time::Duration;

use salon_netem::Weather;

use super::support::{World, ms, secs};

#[test]
fn sound_survives_loss_reordering_and_duplicates() {
    for seed in 1..=5 {
        let mut world = World::with_weather(Weather::ROUGH, 100 * seed);
        world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
        let bob = world.connected_listener("bob", 3);
        world.talking("ada", Some(30));
        world.talking("eve", Some(30));
        let from = world.now;
        world.run_for(secs(20));
        assert_eq!(world.closed(), []);
        let bob = &world.peers[bob];
        assert_eq!(bob.undecipherable, 0, "seed {seed}");
        for slot in 0..2 {
            let heard: Vec<_> = bob.heard_in(slot).into_iter().filter(|packet| packet.at >= from).collect();
            let different: HashSet<u64> = heard.iter().map(|packet| packet.index).collect();
            // Twice 5 % of 1,000 packets are lost, and no more than that.
            assert!((850..=960).contains(&different.len()), "seed {seed}: {} packets", different.len());
            let spread = heard.iter().map(|packet| packet.index).max().unwrap() - heard.iter().map(|packet| packet.index).min().unwrap();
            assert!((980..=1_010).contains(&spread), "seed {seed}: losses on the way up show as gaps, {spread}");
            // Each packet has one place only: the same index is always the same speech.
            let said: HashSet<(u64, Vec<u8>)> = heard.iter().map(|packet| (packet.index, packet.payload.clone())).collect();
            assert_eq!(said.len(), different.len(), "seed {seed}");
        }
    }
}

#[test]
fn duplicates_on_the_way_up_are_forwarded_once() {
    let mut world = World::with_weather(Weather { duplication: 1.0, ..Weather::FAIR }, 1);
    world.set_stage(&[("ada", 7, false)]);
    world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    assert_eq!(world.report("listen-bob").packets_out, 51);
    assert_eq!(world.report("speak-ada").packets_dropped, 51);
}

#[test]
fn connecting_works_through_rough_weather() {
    // The weather is seeded, the DTLS library's own waiting times are not. With one packet in ten lost, a handshake may lose the same
    // flight four times running and its quarter of a minute with it; a client then tries again. Two such of ten would be our fault.
    let unlucky: Vec<u64> = (1..=10).filter(|seed| !connects_within(secs(14), 1_000 * seed)).collect();
    assert!(unlucky.len() <= 1, "seeds {unlucky:?}");
}

fn connects_within(patience: Duration, seed: u64) -> bool {
    let mut world = World::with_weather(Weather { loss: 0.1, ..Weather::ROUGH }, seed);
    let bob = world.listener("bob", 1);
    world.run_for(patience);
    world.peers[bob].is_connected() && world.report("listen-bob").connected
}

#[test]
fn sound_returns_after_a_break_of_four_seconds() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(secs(2));
    world.set_weather(Weather { loss: 1.0, ..Weather::FAIR });
    world.run_for(secs(4));
    world.set_weather(Weather::FAIR);
    let from = world.now;
    world.run_for(secs(3));
    assert_eq!(world.closed(), []);
    assert!(world.peers[bob].heard.iter().filter(|packet| packet.at >= from).count() > 140);
    assert_eq!(world.peers[bob].undecipherable, 0);
}

#[test]
fn a_jump_of_the_speakers_numbering_does_not_deafen_listeners() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    let ada = world.talking("ada", Some(30));
    for _ in 0..6 {
        world.run_for(ms(200));
        world.peers[ada].microphone.as_mut().unwrap().index += 30_000; // within what SRTP can follow, far beyond any loss
    }
    world.run_for(ms(200));
    let bob = &world.peers[bob];
    let heard = bob.heard_in(0);
    assert_eq!(bob.undecipherable, 0);
    assert!(heard.windows(2).all(|pair| pair[1].index == pair[0].index + 1), "renumbered");
    assert!(heard.last().unwrap().payload.ends_with(format!("{}", world.peers[ada].microphone.as_ref().unwrap().index - 1).as_bytes()));
}
