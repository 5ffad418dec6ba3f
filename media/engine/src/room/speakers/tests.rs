//! The tables of docs/algorithms/speaker.md, replayed.

use super::*;

/// Speech, loud speech, and a quiet room, as RFC 6464 has them.
const SPEECH: u8 = 30;
const LOUD: u8 = 20;
const ROOM_NOISE: u8 = 65;

struct Table {
    choice: SpeakerChoice,
    start: Instant,
    now_ms: u64,
}

impl Table {
    fn new() -> Self {
        Self { choice: SpeakerChoice::default(), start: Instant::now(), now_ms: 0 }
    }

    /// For `ms`, everybody named sends a packet every 20 ms at their level.
    fn run(&mut self, ms: u64, levels: &[(u32, u8)]) -> &mut Self {
        for _ in 0..ms / 20 {
            self.now_ms += 20;
            for (csrc, level) in levels {
                self.choice.on_packet(self.start + Duration::from_millis(self.now_ms), *csrc, *level);
            }
        }
        self
    }

    fn loudness(&self, csrc: u32) -> f32 {
        self.choice.speaker(csrc).expect("has sent").loudness
    }

    /// Whose place is taken by 4 after how many ms, in steps of a packet.
    fn until_forwarded(&mut self, csrc: u32, levels: &[(u32, u8)]) -> u64 {
        let from = self.now_ms;
        while !self.choice.forwarded().contains(&csrc) {
            assert!(self.now_ms - from < 5_000, "{csrc} is not forwarded within 5 s");
            self.run(20, levels);
        }
        self.now_ms - from
    }
}

#[test]
fn up_to_three_are_forwarded_from_their_first_packet() {
    let mut table = Table::new();
    table.run(20, &[(1, ROOM_NOISE), (2, 127), (3, SPEECH), (4, SPEECH)]);
    assert_eq!(table.choice.forwarded(), [1, 2, 3]);
}

#[test]
fn loudness_rises_within_the_attack_and_falls_within_the_release() {
    let mut table = Table::new();
    let rising: Vec<u32> = (0..5).map(|_| table.run(20, &[(1, SPEECH)]).loudness(1).round() as u32).collect();
    assert_eq!(rising, [27, 47, 61, 71, 79], "speech counts from the fifth packet, 100 ms");
    table.run(1_000, &[(1, SPEECH)]);
    let falling: Vec<u32> = (0..5).map(|_| table.run(20, &[(1, 127)]).loudness(1).round() as u32).collect();
    assert_eq!(falling, [91, 85, 79, 74, 70]);
}

#[test]
fn fourth_speaker_waits_for_three_who_speak() {
    let mut table = Table::new();
    table.run(5_000, &[(1, SPEECH), (2, SPEECH), (3, SPEECH), (4, SPEECH)]);
    assert_eq!(table.choice.forwarded(), [1, 2, 3]);
}

#[test]
fn fourth_speaker_takes_the_place_of_the_longest_silent() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, SPEECH), (3, SPEECH)]);
    table.run(500, &[(1, SPEECH), (2, 127), (3, SPEECH)]);
    table.run(1_000, &[(1, SPEECH), (2, 127), (3, 127)]);
    assert_eq!(table.choice.forwarded(), [1, 2, 3], "silence alone frees no place");
    assert_eq!(table.until_forwarded(4, &[(1, SPEECH), (2, 127), (3, 127), (4, SPEECH)]), 160, "100 ms to be loud, 60 ms of speech");
    assert_eq!(table.choice.forwarded(), [1, 3, 4]);
}

#[test]
fn a_pause_in_speech_loses_nothing() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, SPEECH), (3, SPEECH), (4, SPEECH)]);
    table.run(200, &[(1, 127), (2, SPEECH), (3, SPEECH), (4, SPEECH)]);
    table.run(1_000, &[(1, SPEECH), (2, SPEECH), (3, SPEECH), (4, SPEECH)]);
    assert_eq!(table.choice.forwarded(), [1, 2, 3]);
}

#[test]
fn much_louder_speaker_overtakes_the_weakest_after_a_while() {
    let mut table = Table::new();
    let others = [(1, SPEECH), (2, SPEECH), (3, SPEECH + 5)];
    table.run(1_000, &others);
    let waited = table.until_forwarded(4, &[others[0], others[1], others[2], (4, LOUD)]);
    assert_eq!(waited, 560, "160 ms until it is louder by 6 dB, then 400 ms");
    assert_eq!(table.choice.forwarded(), [1, 2, 4]);
}

#[test]
fn slightly_louder_speaker_does_not_overtake() {
    let mut table = Table::new();
    table.run(10_000, &[(1, SPEECH), (2, SPEECH), (3, SPEECH), (4, SPEECH - 5)]);
    assert_eq!(table.choice.forwarded(), [1, 2, 3]);
}

#[test]
fn a_click_takes_nobodys_place() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, 127), (3, 127)]);
    table.run(40, &[(1, SPEECH), (2, 127), (3, 127), (4, 0)]);
    table.run(1_000, &[(1, SPEECH), (2, 127), (3, 127), (4, ROOM_NOISE)]);
    assert_eq!(table.choice.forwarded(), [1, 2, 3]);
}

#[test]
fn dominance_passes_when_the_dominant_speaker_is_silent() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, 127)]);
    assert_eq!(table.choice.forwarded(), [1, 2]);
    table.run(1_000, &[(1, 127), (2, SPEECH)]);
    assert_eq!(table.choice.forwarded(), [2, 1]);
}

#[test]
fn dominance_stays_with_who_speaks_while_another_agrees() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, 127)]);
    table.run(3_000, &[(1, SPEECH), (2, SPEECH)]);
    assert_eq!(table.choice.forwarded(), [1, 2]);
}

#[test]
fn dominance_passes_to_who_talks_over_for_long_enough() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, 127)]);
    table.run(400, &[(1, SPEECH), (2, LOUD)]);
    assert_eq!(table.choice.forwarded(), [1, 2]);
    table.run(400, &[(1, SPEECH), (2, LOUD)]);
    assert_eq!(table.choice.forwarded(), [2, 1]);
}

#[test]
fn who_stops_sending_counts_as_silent() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, SPEECH), (3, SPEECH)]);
    table.run(1_000, &[(2, SPEECH), (3, SPEECH)]);
    table.run(400, &[(2, SPEECH), (3, SPEECH), (4, SPEECH)]);
    assert_eq!(table.choice.forwarded(), [2, 3, 4]);
}

#[test]
fn who_is_removed_frees_the_place_at_once() {
    let mut table = Table::new();
    table.run(1_000, &[(1, SPEECH), (2, SPEECH), (3, SPEECH), (4, SPEECH)]);
    assert!(table.choice.remove(1));
    assert!(!table.choice.remove(1));
    assert_eq!(table.choice.forwarded(), [2, 3]);
    table.run(20, &[(4, SPEECH)]);
    assert_eq!(table.choice.forwarded(), [2, 3, 4]);
}
