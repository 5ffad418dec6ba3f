//! One speaker, the real engine, one listener, and a leg of emulated network on either side: what arrives, and when.
//!
//! `bench/loss` feeds it Opus frames and listens to what comes out. Nothing is measured in real time.
//!
//! Standard input: Opus frames of 20 ms, each after its length in two bytes, highest first. Arguments: `name=value`, see [`Path`].
//! Standard output, a line each: `frame NUMBER MICROSECONDS HEXADECIMAL` for whatever brought frame NUMBER to the listener, by packet,
//! copy or repetition, so long after it was said; then `total NAME VALUE`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, missing_debug_implementations)]

#[path = "../tests/emulated/support/mod.rs"]
mod support;

use std::collections::VecDeque;
use std::io::Read;
use std::time::Duration;

use salon_engine::Direction;
use salon_netem::Weather;
use support::{Heard, Repair, World, ms, secs};

const FRAME: Duration = Duration::from_millis(20);
/// Said on fair links, so that the listener's first packet is the first frame.
const ANCHOR_FRAMES: u32 = 10;

/// What is between the two, and what they do about it.
#[derive(Default)]
struct Path {
    seed: u64,
    /// One way, each leg.
    delay: Duration,
    /// Beyond it, up to this much more on either leg; and the share that comes twice.
    jitter: Duration,
    duplication: f64,
    up: Loss,
    down: Loss,
    speaker: Repair,
    /// Copies in the speaker's packets.
    speaker_copies: usize,
    listener: Repair,
}

#[derive(Default, Clone, Copy)]
struct Loss {
    share: f64,
    mean_burst: Option<f64>,
}

impl Path {
    fn from_arguments() -> Self {
        let mut path = Self::default();
        for argument in std::env::args().skip(1) {
            let (name, value) = argument.split_once('=').unwrap_or_else(|| panic!("{argument} is no name=value"));
            match name {
                "seed" => path.seed = value.parse().unwrap(),
                "delay_ms" => path.delay = ms(value.parse().unwrap()),
                "jitter_ms" => path.jitter = ms(value.parse().unwrap()),
                "duplication" => path.duplication = value.parse().unwrap(),
                "up_loss" => path.up.share = value.parse().unwrap(),
                "down_loss" => path.down.share = value.parse().unwrap(),
                "up_burst" => path.up.mean_burst = Some(value.parse().unwrap()),
                "down_burst" => path.down.mean_burst = Some(value.parse().unwrap()),
                "speaker_copies" => (path.speaker.red, path.speaker_copies) = (value != "0", value.parse().unwrap()),
                "speaker_nack" => path.speaker.nack = value == "1",
                "listener_red" => path.listener.red = value == "1",
                "listener_nack" => path.listener.nack = value == "1",
                other => panic!("there is no {other}"),
            }
        }
        path
    }

    fn weather(&self, loss: Loss) -> Weather {
        let Self { delay, jitter, duplication, .. } = *self;
        Weather { delay, jitter, loss: loss.share, mean_burst: loss.mean_burst, duplication }
    }
}

fn frames() -> VecDeque<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).unwrap();
    let mut frames = VecDeque::new();
    let mut rest = &bytes[..];
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let (frame, after) = after.split_at(u16::from_be_bytes(*len).into());
        frames.push_back(frame.to_vec());
        rest = after;
    }
    frames
}

fn main() {
    let path = Path::from_arguments();
    let frames = frames();
    let count = u32::try_from(frames.len()).unwrap();
    let mut world = World::with_weather(Weather::FAIR, path.seed);
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.repairing("bob", Direction::Listen, path.listener);
    let ada = world.repairing("ada", Direction::Speak, path.speaker);
    world.peers[ada].copies = path.speaker_copies;
    let fair = Weather { delay: path.delay, ..Weather::FAIR };
    world.give_links(ada, fair, path.seed);
    world.give_links(bob, fair, path.seed + 2);
    let start = world.now;
    world.peers[ada].open_microphone(start, Some(30));
    world.peers[ada].microphone.as_mut().unwrap().recording = Some(frames);
    world.run_for(FRAME * ANCHOR_FRAMES + path.delay * 2);
    world.give_links(ada, path.weather(path.up), path.seed);
    world.give_links(bob, path.weather(path.down), path.seed + 2);
    world.run_for(FRAME * count - FRAME * ANCHOR_FRAMES);
    world.peers[ada].microphone = None;
    world.run_for(secs(1));

    let bob = &world.peers[bob];
    let brought: Vec<&Heard> = bob.heard.iter().chain(&bob.copied).collect();
    assert_eq!(bob.undecipherable, 0);
    let first = bob.heard[0].index;
    for heard in brought {
        let number = u32::try_from(heard.index - first).unwrap();
        let payload: String = heard.payload.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("frame {number} {} {payload}", (heard.at - start - FRAME * number).as_micros());
    }
    let ada = &world.peers[ada];
    let fractions: Vec<f64> = ada
        .reports
        .iter()
        .filter(|(_, report)| report[0] & 0x1f == 1 && report[1] == 201)
        .map(|(_, report)| f64::from(report[12]) / 256.0)
        .collect();
    let later = &fractions[fractions.len() / 2..];
    #[allow(clippy::cast_precision_loss)]
    let reported = later.iter().sum::<f64>() / later.len().max(1) as f64;
    println!("total reported_loss {reported}");
    println!("total asked_of_speaker {}", ada.sender.asked_for.len());
    println!("total asked_by_listener {}", bob.receiver.asked);
    println!("total datagrams_to_listener {}", bob.datagrams.len());
    println!("total bytes_to_listener {}", bob.datagrams.iter().map(Vec::len).sum::<usize>());
}
