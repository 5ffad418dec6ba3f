//! A storm of commands against peers that ignore every one of them: what is heard agrees with the stage from the next packet on.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use salon_engine::Direction;

use super::support::{Peer, World, ms};

const PEOPLE: [(&str, u32); 3] = [("ada", 7), ("bob", 8), ("eve", 9)];
const STEPS: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// In the audience: never accepted, stepped down, moved, removed.
    Off,
    /// By themselves, by a moderator, or held.
    Muted,
    Heard,
}

/// Everybody keeps their microphone open and sends on, whatever they are told; who lost a session asks for a new one.
struct Storm {
    world: World,
    random: StdRng,
    standings: BTreeMap<&'static str, Standing>,
    /// Whose speak session the engine has. Others send with keys that it has forgotten.
    speaks: BTreeMap<&'static str, usize>,
    /// The present listen session of somebody who is removed again and again.
    listens: Option<usize>,
    sessions: usize,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let standings = PEOPLE.map(|(person, _)| (person, Standing::Off)).into();
        let (random, speaks) = (StdRng::seed_from_u64(seed), BTreeMap::new());
        Self { world: World::new(), random, standings, speaks, listens: None, sessions: 0 }
    }

    fn open(&mut self, person: &str, direction: Direction) -> usize {
        let mut peer = Peer::new(self.world.next_route(), person, direction, if direction == Direction::Listen { 3 } else { 1 });
        self.sessions += 1;
        peer.session = format!("{person}-{}", self.sessions);
        let at = self.world.open(peer);
        self.world.run_until_connected(at);
        if direction == Direction::Speak {
            let now = self.world.now;
            self.world.peers[at].open_microphone(now, Some(30));
        }
        at
    }

    /// One moderator's command, or a hostile peer's next try.
    fn act(&mut self) {
        match self.random.random_range(0..10) {
            0..=4 => self.change_stage(),
            5..=7 => {
                let (person, _) = PEOPLE[self.random.random_range(0..PEOPLE.len())];
                self.speak_again(person);
            }
            8 => {
                self.world.close_person("zoe");
                self.listens = None;
            }
            _ => {
                if self.listens.is_none() {
                    self.listens = Some(self.open("zoe", Direction::Listen));
                }
            }
        }
    }

    fn change_stage(&mut self) {
        let (changed, _) = PEOPLE[self.random.random_range(0..PEOPLE.len())];
        let standing = [Standing::Off, Standing::Muted, Standing::Heard, Standing::Heard, Standing::Heard][self.random.random_range(0..5)];
        self.standings.insert(changed, standing);
        let on_stage = PEOPLE.iter().filter(|(person, _)| self.standings[person] != Standing::Off);
        let stage: Vec<_> = on_stage.map(|(person, csrc)| (*person, *csrc, self.standings[person] == Standing::Muted)).collect();
        self.world.set_stage(&stage);
        self.speaks.retain(|person, _| self.standings[person] != Standing::Off);
    }

    fn speak_again(&mut self, person: &'static str) {
        let at = self.open(person, Direction::Speak);
        self.speaks.insert(person, at);
    }

    /// CSRCs that are to be heard: on the stage, not muted, and with a session.
    fn voices(&self) -> Vec<u32> {
        let heard = PEOPLE.iter().filter(|(person, _)| self.standings[person] == Standing::Heard && self.speaks.contains_key(person));
        heard.map(|(_, csrc)| *csrc).collect()
    }
}

#[test]
fn storm_of_commands_is_obeyed_from_the_next_packet_on() {
    for seed in 1..=3 {
        let mut storm = Storm::new(seed);
        let bob = storm.world.connected_listener("witness", 3);
        let mut tried = BTreeMap::new();
        for step in 0..STEPS {
            storm.act();
            let voices = storm.voices();
            let before: Vec<usize> = storm.world.peers.iter().map(|peer| peer.heard.len()).collect();
            storm.world.run_for(ms(61)); // three packets of everybody who sends
            assert_eq!(storm.world.peers[bob].voices_after(before[bob]), voices, "seed {seed}, step {step}: {:?}", storm.standings);
            for (at, before) in before.into_iter().enumerate().filter(|(at, _)| *at != bob) {
                let expected = if storm.listens == Some(at) { voices.clone() } else { Vec::new() };
                assert_eq!(storm.world.peers[at].voices_after(before), expected, "seed {seed}, step {step}, peer {at}");
            }
            *tried.entry(voices.len()).or_insert(0) += 1;
        }
        let senders = storm.world.peers.iter().filter(|peer| peer.microphone.is_some()).count();
        assert!(tried.len() == 4 && senders > 2 * PEOPLE.len(), "the storm has seen silence and every number of voices: {tried:?}");
    }
}
