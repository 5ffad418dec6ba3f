//! What forwarding one packet to one listener costs the engine alone: no sockets, no peers around it, one thread.
//!
//! `cargo run --release --example fanout -- LISTENERS [ROOMS]` prints a JSON line.
#![allow(missing_docs, unused_imports, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/emulated/support/mod.rs"]
mod support;

use std::time::Instant;

use salon_engine::{Input, Output};
use support::{World, ms};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|word| word.parse().expect("a number")).collect();
    let listeners = numbers.first().copied().unwrap_or(1_000);
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    for number in 0..listeners {
        world.listener(&format!("listener-{number}"), 3);
    }
    let ada = world.speaker("ada");
    world.run_for(ms(900));
    assert!(world.peers.iter().all(support::Peer::is_connected));
    eprintln!("connected");
    let now = world.now;
    world.peers[ada].open_microphone(now, Some(30));
    let from = world.peers[ada].route;
    let mut costs = Vec::new();
    for _ in 0..5 {
        let mut sent = 0;
        let mut spent = std::time::Duration::ZERO;
        for _ in 0..(400_000 / listeners).max(1) {
            let mut packet = Vec::new();
            while packet.first() != Some(&0x90) {
                world.peers[ada].next_frame();
                packet = world.peers[ada].last_rtp.clone();
            }
            world.now += ms(20);
            let began = Instant::now();
            world.engine.handle_input(world.now, Input::Datagram { from, bytes: &packet });
            loop {
                match world.engine.poll_output(world.now) {
                    Output::Transmit(batch) => sent += batch.len(),
                    Output::Event(_) => {}
                    Output::Deadline(_) => break,
                }
            }
            spent += began.elapsed();
        }
        costs.push(spent.as_secs_f64() * 1e6 / sent as f64);
        eprintln!("{sent} {:.3} us", costs.last().unwrap());
    }
}
