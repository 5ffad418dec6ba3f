//! What forwarding a packet to one listener costs the engine alone: one thread, no sockets, no peers around it.
//!
//! `cargo run --release --example fanout -- LISTENERS [ROOMS [KIB]]` spreads the listeners over the rooms, each with a speaker of its own,
//! and prints a JSON line. Between rounds it writes to so many KiB, as the kernel does that sends the packets: what the engine had in the
//! processor's caches goes. The peers offer AES-256-GCM, which costs as good as the same as AES-128-GCM.
#![allow(missing_docs, unused_imports, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/emulated/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use salon_engine::{Direction, Input, Output, Route};
use support::{Peer, World, ms};

const RUNS: usize = 5;
const PACKETS_PER_RUN: usize = 400_000;
/// A frame of 20 ms at 32 kbit/s.
const PAYLOAD_LEN: usize = 80;
/// Taken together, where there are so many speakers: what comes within a millisecond of 200 speakers.
const PACKETS_PER_ROUND: usize = 10;
const CACHE_LINE: usize = 64;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|word| word.parse().expect("a number")).collect();
    let listeners = numbers.first().copied().unwrap_or(1_000);
    let rooms = numbers.get(1).copied().unwrap_or(1);
    let mut evicted = vec![0; numbers.get(2).copied().unwrap_or(0) * 1024];
    let (mut world, speakers) = connected(listeners, rooms);
    let frames = PACKETS_PER_RUN.div_ceil(listeners);
    let mut costs: Vec<f64> = (0..RUNS).map(|_| us_per_packet(&mut world, &speakers, frames, &mut evicted)).collect();
    costs.sort_by(f64::total_cmp);
    println!(
        "{{\"figure\": \"media.engine_us_per_packet\", \"value\": {:.3}, \"unit\": \"us\", \"better\": \"lower\", \"runs\": {RUNS}, \
         \"min\": {:.3}, \"max\": {:.3}, \"listeners\": {listeners}, \"rooms\": {rooms}}}",
        costs[RUNS / 2],
        costs[0],
        costs[RUNS - 1]
    );
}

/// A world with everybody in it, and the speakers' numbers among its peers.
fn connected(listeners: usize, rooms: usize) -> (World, Vec<usize>) {
    let mut world = World::new();
    let names: Vec<&'static str> = (0..rooms).map(|room| &*format!("room-{room}").leak()).collect();
    for room in &names {
        world.set_stage_of(room, &[(&speaker_of(room), 7, false)]);
    }
    let mut join = |name: &str, direction, slots, room| {
        let mut peer = Peer::new(world.next_route(), name, direction, slots);
        (peer.room, peer.session) = (room, format!("{name}-{room}"));
        world.open(peer)
    };
    for listener in 0..listeners {
        join(&format!("listener-{listener}"), Direction::Listen, 3, names[listener % rooms]);
    }
    let speakers: Vec<usize> = names.iter().map(|room| join(&speaker_of(room), Direction::Speak, 1, room)).collect();
    world.run_for(ms(900));
    assert!(world.peers.iter().all(Peer::is_connected), "everybody is connected");
    let now = world.now;
    for speaker in &speakers {
        world.peers[*speaker].open_microphone(now, Some(30));
        world.peers[*speaker].microphone.as_mut().expect("open").stuffing = PAYLOAD_LEN - 10;
    }
    (world, speakers)
}

/// One person may have five unfinished sessions only, so each room has a person of its own.
fn speaker_of(room: &str) -> String {
    format!("ada-{room}")
}

fn us_per_packet(world: &mut World, speakers: &[usize], frames: usize, evicted: &mut [u8]) -> f64 {
    let (mut sent, mut spent) = (0, Duration::ZERO);
    for _ in 0..frames {
        world.now += ms(20);
        for round in speakers.chunks(PACKETS_PER_ROUND) {
            let packets: Vec<_> = round.iter().map(|speaker| next_packet(&mut world.peers[*speaker])).collect();
            evicted.iter_mut().step_by(CACHE_LINE).for_each(|byte| *byte = byte.wrapping_add(1));
            let began = Instant::now();
            world.engine.gather(true);
            for (from, bytes) in &packets {
                world.engine.handle_input(world.now, Input::Datagram { from: *from, bytes });
                sent += take_output(world);
            }
            world.engine.gather(false);
            sent += take_output(world);
            spent += began.elapsed();
        }
    }
    spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(sent).expect("few"))
}

fn next_packet(speaker: &mut Peer) -> (Route, Vec<u8>) {
    speaker.next_frame();
    (speaker.route, speaker.last_rtp.clone())
}

/// How many datagrams that were.
fn take_output(world: &mut World) -> usize {
    let mut sent = 0;
    loop {
        match world.engine.poll_output(world.now) {
            Output::Transmit(batch) => sent += batch.len(),
            Output::Deadline(_) => return sent,
            _ => {}
        }
    }
}
