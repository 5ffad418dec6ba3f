//! Who hears whom, and how it is numbered.

use super::support::{Heard, World, ms, secs};

/// Assert that a slot's packets have consecutive indices and rising timestamps, and return how many there were.
fn assert_continuous(heard: &[&Heard]) -> usize {
    for pair in heard.windows(2) {
        assert_eq!(pair[1].index, pair[0].index + 1, "a gap between {:?} and {:?}", pair[0], pair[1]);
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!((960..48_000 * 60).contains(&step), "time went by {step} from {:?} to {:?}", pair[0], pair[1]);
    }
    heard.len()
}

#[test]
fn listener_hears_the_speaker_as_it_was_said() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(secs(2));
    let heard = world.peers[bob].heard_in(0);
    assert_eq!(assert_continuous(&heard), 101);
    assert_eq!(heard[0].payload, b"ada 65500");
    assert_eq!(heard[100].payload, b"ada 65600");
    assert!(heard.iter().all(|packet| packet.csrc == 7 && packet.level == Some(30)));
    assert_eq!(heard.iter().filter(|packet| packet.marker).count(), 1, "one talkspurt");
    assert_eq!((world.report("speak-ada").packets_in, world.report("listen-bob").packets_out), (101, 101));
}

#[test]
fn speaker_without_levels_is_heard_and_nothing_is_invented() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", None);
    world.run_for(secs(1));
    assert!(world.peers[bob].heard.len() > 45);
    assert!(world.peers[bob].heard.iter().all(|packet| packet.level.is_none()));
}

#[test]
fn nobody_hears_their_own_voice() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    let (ada, one_slot) = (world.connected_listener("ada", 3), world.connected_listener("eve", 1));
    world.talking("ada", Some(20));
    world.talking("eve", Some(40));
    world.run_for(secs(2));
    assert_eq!(world.peers[ada].voices_since(world.start), [8]);
    assert_eq!(world.peers[one_slot].voices_since(world.start), [7]);
}

#[test]
fn listener_who_comes_to_the_stage_no_longer_hears_themselves_and_keeps_counting() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 3);
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    world.set_stage(&[("ada", 7, false), ("bob", 9, false)]);
    world.talking("bob", Some(20));
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(world.start), [7]);
    let heard = world.peers[bob].heard_in(0);
    assert_eq!(assert_continuous(&heard), world.peers[bob].heard.len(), "one slot, unbroken");
    assert_eq!(world.peers[bob].undecipherable, 0);
}

#[test]
fn three_slots_carry_three_voices_and_a_fourth_waits() {
    let mut world = World::new();
    world.set_stage(&[("ada", 1, false), ("eve", 2, false), ("ida", 3, false), ("joe", 4, false)]);
    let bob = world.connected_listener("bob", 3);
    for person in ["ada", "eve", "ida", "joe"] {
        world.talking(person, Some(30));
    }
    world.run_for(secs(2));
    assert_eq!(world.peers[bob].voices_since(world.start), [1, 2, 3], "all equally loud: first come, first heard");
    for slot in 0..3 {
        let heard = world.peers[bob].heard_in(slot);
        assert!(assert_continuous(&heard) > 90);
        assert!(heard.iter().all(|packet| packet.csrc == heard[0].csrc), "nobody changes slot");
    }
}

#[test]
fn fourth_speaker_takes_the_slot_of_a_silent_one_without_a_gap() {
    let mut world = World::new();
    world.set_stage(&[("ada", 1, false), ("eve", 2, false), ("ida", 3, false), ("joe", 4, false)]);
    let bob = world.connected_listener("bob", 3);
    let ada = world.talking("ada", Some(30));
    for person in ["eve", "ida"] {
        world.talking(person, Some(30));
    }
    world.run_for(secs(2));
    world.peers[ada].microphone.as_mut().unwrap().level = Some(127);
    world.run_for(secs(1));
    let from = world.now;
    world.talking("joe", Some(30));
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(from + ms(500)), [2, 3, 4]);
    let shared: Vec<_> =
        (0..3).map(|slot| world.peers[bob].heard_in(slot)).filter(|heard| heard.iter().any(|packet| packet.csrc == 4)).collect();
    assert_eq!(shared.len(), 1);
    assert!(shared[0].iter().any(|packet| packet.csrc == 1), "it was Ada's slot");
    assert_continuous(&shared[0]);
    let first_of_joe = shared[0].iter().find(|packet| packet.csrc == 4).unwrap();
    assert!(first_of_joe.marker, "a talkspurt begins");
}

#[test]
fn one_slot_follows_the_dominant_speaker_without_a_gap() {
    let mut world = World::new();
    world.set_stage(&[("ada", 1, false), ("eve", 2, false)]);
    let bob = world.connected_listener("bob", 1);
    let ada = world.talking("ada", Some(30));
    let eve = world.talking("eve", Some(127));
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(world.start), [1]);
    for turn in 0..4 {
        let (speaking, silent, csrc) = if turn % 2 == 0 { (eve, ada, 2) } else { (ada, eve, 1) };
        world.peers[silent].microphone.as_mut().unwrap().level = Some(127);
        world.peers[speaking].microphone.as_mut().unwrap().level = Some(30);
        world.run_for(secs(1));
        let settled = world.now;
        world.run_for(secs(1));
        assert_eq!(world.peers[bob].voices_since(settled), [csrc], "turn {turn}");
    }
    assert_continuous(&world.peers[bob].heard_in(0));
    assert_eq!(world.peers[bob].undecipherable, 0);
}

#[test]
fn every_listener_hears_the_same_across_batches() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let listeners: Vec<usize> = (0..150).map(|number| world.listener(&format!("listener-{number}"), 1)).collect();
    for at in &listeners {
        world.run_until_connected(*at);
    }
    world.talking("ada", Some(30));
    world.run_for(ms(500));
    for at in listeners {
        assert_eq!(world.peers[at].heard.len(), 26);
    }
}

#[test]
fn sender_reports_tie_the_slots_time_to_the_wall_clock() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 2);
    world.talking("ada", Some(30));
    world.run_for(secs(7));
    let bob = &world.peers[bob];
    assert_eq!(bob.reports.len(), 2, "every 3 s, for the slot that carries sound");
    for (at, report) in &bob.reports {
        let word = |at: usize| u32::from_be_bytes(report[at..at + 4].try_into().unwrap());
        let heard: Vec<_> = bob.heard_in(0).into_iter().filter(|packet| packet.at < *at).collect();
        let last = heard.last().unwrap();
        assert_eq!((report[1], word(4)), (200, bob.ssrcs[0]));
        let since_1900 = (*at - world.start).as_secs_f64() + 1_795_000_000.0 + 2_208_988_800.0;
        let ntp = f64::from(word(8)) + f64::from(word(12)) / 4_294_967_296.0;
        assert!((ntp - since_1900).abs() < 0.001, "{ntp} is not {since_1900}");
        let ahead = word(16).wrapping_sub(last.timestamp);
        assert!(ahead <= 960, "within a frame of the last packet: {ahead}");
        assert_eq!(word(20) as usize, heard.len());
        assert_eq!(word(24) as usize, heard.iter().map(|packet| packet.payload.len()).sum::<usize>());
    }
}

#[test]
fn receiver_reports_tell_a_speaker_of_loss() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let ada = world.talking("ada", Some(30));
    world.run_for(ms(500));
    world.peers[ada].microphone.as_mut().unwrap().index += 10; // ten packets never were
    world.run_for(secs(2));
    let lost: Vec<u8> = world.peers[ada].reports.iter().map(|(_, report)| report[15]).collect();
    assert_eq!(world.peers[ada].reports[0].1[1], 201);
    assert_eq!(lost, [10, 10]);
}
