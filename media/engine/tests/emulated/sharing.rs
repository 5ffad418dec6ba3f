//! One room on two engines: speakers at one, listeners at both.

use std::time::Duration;

use salon_engine::{Input, Speech};

use super::support::{ROOM, World, ms, secs};

/// Speakers are at `home`; what they say is brought to `away`, unless it is held up.
struct Pair {
    home: World,
    away: World,
}

impl Pair {
    fn new(stage: &[(&str, u32, bool)]) -> Self {
        let mut pair = Self { home: World::new(), away: World::new() };
        pair.home.engine.share_room(ROOM, true);
        pair.set_stage(stage);
        pair
    }

    fn set_stage(&mut self, stage: &[(&str, u32, bool)]) {
        self.home.set_stage(stage);
        self.away.set_stage(stage);
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.home.now + duration;
        while self.home.now < end {
            self.home.run_for(ms(5));
            for speech in std::mem::take(&mut self.home.speech) {
                self.bring(&speech);
            }
            self.away.run_for(ms(5));
        }
    }

    /// How many datagrams follow at once.
    fn bring(&mut self, speech: &Speech) -> usize {
        self.away.engine.handle_input(self.away.now, Input::Speech(speech));
        self.away.drain()
    }
}

/// Payloads that a listener's slot heard, with the gaps between their numbers.
fn words(world: &World, at: usize, slot: usize) -> Vec<(Vec<u8>, u64)> {
    let heard = world.peers[at].heard_in(slot);
    let gaps = std::iter::once(1).chain(heard.windows(2).map(|pair| pair[1].index - pair[0].index));
    heard.iter().zip(gaps).map(|(heard, gap)| (heard.payload.clone(), gap)).collect()
}

#[test]
fn listener_elsewhere_hears_the_same_packets_with_the_same_gaps() {
    let mut pair = Pair::new(&[("ada", 7, false)]);
    let here = pair.home.connected_listener("bob", 1);
    let there = pair.away.connected_listener("eve", 1);
    let ada = pair.home.talking("ada", Some(30));
    pair.run_for(ms(500));
    let microphone = pair.home.peers[ada].microphone.as_mut().unwrap();
    microphone.index += 3; // lost on the way to us
    microphone.timestamp = microphone.timestamp.wrapping_add(3 * 960);
    pair.run_for(secs(1));
    let (at_home, away) = (words(&pair.home, here, 0), words(&pair.away, there, 0));
    assert!(away.len() > 70);
    assert!(at_home.ends_with(&away[1..]), "all but what was said before the second one came");
    assert_eq!(away.iter().map(|(_, gap)| *gap).max(), Some(4));
    assert_eq!(pair.away.peers[there].undecipherable, 0);
}

#[test]
fn both_choose_the_same_three_of_four_speakers() {
    let stage = [("ada", 7, false), ("bea", 8, false), ("cleo", 9, false), ("dora", 10, false)];
    let mut pair = Pair::new(&stage);
    let here = pair.home.connected_listener("bob", 3);
    let there = pair.away.connected_listener("eve", 3);
    for (at, (person, _, _)) in stage.iter().enumerate() {
        pair.home.talking(person, Some(if at == 0 { 90 } else { 25 }));
    }
    pair.run_for(secs(2));
    let (from_home, from_away) = (pair.home.now, pair.away.now);
    pair.run_for(secs(1));
    assert_eq!(pair.home.peers[here].voices_since(from_home), [8, 9, 10]);
    assert_eq!(pair.away.peers[there].voices_since(from_away), [8, 9, 10]);
}

#[test]
fn speech_still_on_its_way_is_not_heard_once_policy_forbids_it() {
    let mut pair = Pair::new(&[("ada", 7, false)]);
    let there = pair.away.connected_listener("eve", 1);
    pair.home.talking("ada", Some(30));
    pair.run_for(ms(500));
    pair.home.run_for(ms(100));
    let on_its_way = std::mem::take(&mut pair.home.speech);
    assert!(on_its_way.len() >= 4);
    for stage in [&[("ada", 7, true)][..], &[("bea", 7, true)], &[("bea", 9, false)], &[]] {
        pair.away.set_stage(stage);
        assert_eq!(on_its_way.iter().map(|speech| pair.bring(speech)).sum::<usize>(), 0, "{stage:?}");
    }
    pair.away.set_stage(&[("ada", 7, false)]);
    let heard = pair.away.peers[there].heard.len();
    pair.run_for(ms(500));
    assert!(pair.away.peers[there].heard.len() > heard + 20);
}

#[test]
fn muted_speaker_is_told_to_nobody() {
    let mut pair = Pair::new(&[("ada", 7, true)]);
    pair.away.connected_listener("eve", 1);
    pair.home.talking("ada", Some(30));
    pair.home.run_for(secs(1));
    assert_eq!(pair.home.speech, []);
}

#[test]
fn speaker_who_leaves_gives_up_the_place_elsewhere_too() {
    let mut pair = Pair::new(&[("ada", 7, false)]);
    pair.away.connected_listener("eve", 1);
    pair.home.talking("ada", Some(30));
    pair.run_for(ms(200));
    pair.home.close_person("ada");
    let last: Vec<Speech> = std::mem::take(&mut pair.home.speech);
    assert_eq!(last.iter().map(|speech| (speech.csrc, speech.frames.len())).collect::<Vec<_>>(), [(7, 0)]);
    assert_eq!(pair.bring(&last[0]), 0);
}

#[test]
fn talk_is_counted_once_where_the_speaker_is() {
    let mut pair = Pair::new(&[("ada", 7, false)]);
    pair.away.connected_listener("eve", 1);
    pair.home.talking("ada", Some(30));
    pair.run_for(secs(1));
    let (home, away) = (pair.home.engine.take_talk(pair.home.now), pair.away.engine.take_talk(pair.away.now));
    assert_eq!((home.len(), away.len()), (1, 0));
}

#[test]
fn room_nobody_shares_is_told_to_nobody_and_one_shared_before_it_exists_is() {
    let mut world = World::new();
    world.engine.share_room("elsewhere", true);
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", Some(30));
    world.run_for(ms(200));
    assert_eq!(world.speech, []);
    world.engine.share_room(ROOM, true);
    world.run_for(ms(200));
    assert!(!world.speech.is_empty());
    world.engine.share_room(ROOM, false);
    world.speech.clear();
    world.run_for(ms(200));
    assert_eq!(world.speech, []);
}

#[test]
fn speech_for_a_room_that_is_not_here_is_nothing() {
    let mut pair = Pair::new(&[("ada", 7, false)]);
    pair.home.talking("ada", Some(30));
    pair.home.run_for(ms(200));
    let mut speech = pair.home.speech.remove(0);
    speech.room = "nowhere".into();
    assert_eq!(pair.bring(&speech), 0);
    assert_eq!(pair.away.engine.totals().rooms, 1);
}
