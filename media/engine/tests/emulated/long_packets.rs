//! Three frames in a packet for the audience of a large room: every frame once, in order, at its time, and none after a mute.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use salon_engine::Direction;
use salon_netem::Weather;

use super::support::book::SharedBook;
use super::support::opus::{frame, number, recording, unpack};
use super::support::repair::request;
use super::support::{Heard, Repair, World, ms, secs};

/// A frame as a player gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Played {
    at: Instant,
    number: usize,
    timestamp: u32,
    csrc: u32,
}

/// The frames of packets, each with its own time.
fn played<'a>(heard: impl IntoIterator<Item = &'a Heard>) -> Vec<Played> {
    let frames = heard.into_iter().flat_map(|heard| {
        (0..).zip(unpack(&heard.payload)).map(|(at, frame)| Played {
            at: heard.at,
            number: number(&frame),
            timestamp: heard.timestamp.wrapping_add(960 * at),
            csrc: heard.csrc,
        })
    });
    frames.collect()
}

fn frames_in(heard: &[Heard]) -> Vec<usize> {
    heard.iter().map(|heard| unpack(&heard.payload).len()).collect()
}

/// A microphone that says numbers, at a time of its own clock from which whole packets follow for the first part of an audience.
fn speak(world: &mut World, speaker: usize) {
    speak_at(world, speaker, 2_880 * 1_000);
}

fn speak_at(world: &mut World, speaker: usize, timestamp: u32) {
    let now = world.now;
    let peer = &mut world.peers[speaker];
    peer.open_microphone(now, Some(30));
    let microphone = peer.microphone.as_mut().unwrap();
    microphone.recording = Some(recording(4_000));
    microphone.timestamp = timestamp;
}

/// Ada speaks with `up`'s repair, bob listens in a room whose packets are long from one listener on; (world, ada, bob).
fn one_speaks(up: Repair, down: Repair) -> (World, usize, usize) {
    let mut world = World::with_long_packets(1, Weather::FAIR, 11);
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.repairing("bob", Direction::Listen, down);
    let ada = world.repairing("ada", Direction::Speak, up);
    speak(&mut world, ada);
    (world, ada, bob)
}

const NOTHING: Repair = Repair { red: false, nack: false };

/// Assert that numbers and times rise together: what is missing is missing in both.
fn assert_in_step(played: &[Played]) {
    for pair in played.windows(2) {
        let frames = u32::try_from(pair[1].number - pair[0].number).unwrap();
        assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), 960 * frames, "{pair:?}");
        assert!(frames >= 1, "{pair:?}");
    }
}

fn assert_indices_rise(heard: &[Heard]) {
    assert!(heard.windows(2).all(|pair| pair[1].index == pair[0].index + 1), "no index is skipped or given twice");
}

#[test]
fn listener_gets_every_frame_in_a_third_of_the_packets() {
    let (mut world, _, bob) = one_speaks(NOTHING, NOTHING);
    let began = world.now;
    world.run_for(secs(3));
    let heard = &world.peers[bob].heard;
    assert_eq!(frames_in(heard), [3; 50]);
    let played = played(heard);
    assert_eq!(played.iter().map(|frame| frame.number).collect::<Vec<_>>(), (0..150).collect::<Vec<_>>());
    assert_in_step(&played);
    assert_indices_rise(heard);
    assert!(heard.iter().all(|packet| packet.csrc == 7 && packet.level == Some(30)));
    assert_eq!(heard.iter().map(|packet| packet.marker).collect::<HashSet<_>>().len(), 2, "the first one begins a talkspurt");
    assert!(played.iter().all(|frame| frame.at - began == ms(20) * u32::try_from(frame.number / 3 * 3 + 2).unwrap()), "with the third");
    assert_eq!(world.report("listen-bob").packets_out, 50);
}

#[test]
fn where_the_speakers_clock_wraps_packets_are_shorter_and_nothing_is_lost() {
    let (mut world, ada, bob) = one_speaks(NOTHING, NOTHING);
    speak_at(&mut world, ada, 0_u32.wrapping_sub(4 * 960 + 256));
    world.run_for(ms(300));
    let heard = &world.peers[bob].heard;
    assert_eq!(frames_in(heard)[..5], [1, 3, 1, 3, 3]);
    assert_in_step(&played(heard));
    assert_indices_rise(heard);
}

#[test]
fn people_on_the_stage_and_small_rooms_keep_short_packets() {
    let mut world = World::with_long_packets(3, Weather::FAIR, 1);
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    let [eve, bob, zoe] = ["eve", "bob", "zoe"].map(|person| world.connected_listener(person, 1));
    let ada = world.speaker("ada");
    world.run_until_connected(ada);
    speak(&mut world, ada);
    world.run_for(secs(1));
    assert!([eve, bob, zoe].iter().all(|at| frames_in(&world.peers[*at].heard) == [1; 51]), "two in the audience");
    let joe = world.connected_listener("joe", 1);
    let counts = [eve, bob, zoe, joe].map(|at| world.peers[at].heard.len());
    world.run_for(secs(1));
    for (at, count) in [eve, bob, zoe, joe].into_iter().zip(counts) {
        let frames: HashSet<usize> = frames_in(&world.peers[at].heard[count..]).into_iter().collect();
        assert_eq!(frames, HashSet::from([if at == eve { 1 } else { 3 }]));
    }
}

#[test]
fn packets_grow_with_the_audience_and_shrink_when_it_is_clearly_smaller() {
    let mut world = World::with_long_packets(4, Weather::FAIR, 1);
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    let ada = world.speaker("ada");
    world.run_until_connected(ada);
    speak(&mut world, ada);
    let (mut sizes, mut people) = (Vec::new(), Vec::new());
    let mut measure = |world: &mut World| {
        world.run_for(ms(100));
        let count = world.peers[bob].heard.len();
        world.run_for(ms(600));
        sizes.push(frames_in(&world.peers[bob].heard[count..]).into_iter().max().unwrap());
    };
    measure(&mut world);
    for number in 0..3 {
        people.push(format!("listener-{number}"));
        world.connected_listener(&people[number], 1);
        measure(&mut world);
    }
    for person in &people {
        world.close_person(person);
        measure(&mut world);
    }
    assert_eq!(sizes, [1, 1, 1, 3, 3, 1, 1], "four make it so, three leave it so, two end it");
    let heard = &world.peers[bob].heard;
    let played = played(heard);
    assert_in_step(&played);
    assert!(played.windows(2).all(|pair| pair[1].number == pair[0].number + 1), "through both changes");
    assert_indices_rise(heard);
}

#[test]
fn speakers_take_turns_without_a_gap_in_the_numbers() {
    let mut world = World::with_long_packets(1, Weather::FAIR, 1);
    world.set_stage(&[("ada", 1, false), ("eve", 2, false)]);
    let bob = world.connected_listener("bob", 1);
    let speakers = ["ada", "eve"].map(|person| world.speaker(person));
    for at in speakers {
        world.run_until_connected(at);
        speak(&mut world, at);
    }
    for turn in 0..6 {
        for (at, speaker) in speakers.into_iter().enumerate() {
            world.peers[speaker].microphone.as_mut().unwrap().level = Some(if at == turn % 2 { 30 } else { 127 });
        }
        world.run_for(ms(1_990));
    }
    let heard = &world.peers[bob].heard;
    assert_indices_rise(heard);
    let all = played(heard);
    let changes = all.windows(2).filter(|pair| pair[0].csrc != pair[1].csrc).count();
    assert!(changes >= 5, "{changes}");
    for pair in all.windows(2) {
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!((960..48_000).contains(&step), "{pair:?}");
        assert!(pair[0].csrc != pair[1].csrc || pair[1].number == pair[0].number + 1, "{pair:?}");
    }
    let begins = heard.windows(2).filter(|pair| pair[0].csrc != pair[1].csrc).all(|pair| pair[1].marker);
    assert!(begins, "each turn begins a talkspurt");
}

#[test]
fn losses_of_the_speaker_are_holes_in_time_and_nothing_waits_for_them() {
    let (mut world, _, bob) = one_speaks(NOTHING, NOTHING);
    world.set_uplink_weather(Weather { loss: 0.2, ..Weather::FAIR });
    let began = world.now;
    world.run_for(secs(20));
    let heard = &world.peers[bob].heard;
    assert_indices_rise(heard);
    let played = played(heard);
    assert_in_step(&played);
    assert!((700..900).contains(&played.len()), "{} of 1000", played.len());
    let late = played.iter().map(|frame| frame.at - began - ms(20) * u32::try_from(frame.number).unwrap()).max().unwrap();
    assert!(late <= ms(60), "{late:?}");
}

#[test]
fn frames_recovered_from_copies_take_their_place() {
    let (mut world, ada, bob) = one_speaks(Repair { red: true, nack: false }, NOTHING);
    world.peers[ada].copies = 2;
    world.run_for(ms(100));
    world.set_uplink_weather(Weather { loss: 0.2, ..Weather::FAIR });
    world.run_for(secs(20));
    let heard = &world.peers[bob].heard;
    assert_indices_rise(heard);
    let played = played(heard);
    assert_in_step(&played);
    assert!(played.len() > 980, "{}: three in a row are lost once in 125", played.len());
    assert!(heard.len() < 400, "{}: still in long packets", heard.len());
}

#[test]
fn silence_is_passed_on_at_once_and_by_itself() {
    let (mut world, ada, bob) = one_speaks(NOTHING, NOTHING);
    world.run_for(ms(70));
    // Two frames wait when the microphone goes silent.
    let microphone = world.peers[ada].microphone.as_mut().unwrap();
    let rest = microphone.recording.take().unwrap();
    microphone.recording = Some([frame(4), vec![super::support::opus::TOC]].into_iter().chain(rest.into_iter().skip(2)).collect());
    world.run_for(ms(89));
    let payloads: Vec<usize> = world.peers[bob].heard.iter().map(|heard| unpack(&heard.payload).len()).collect();
    assert_eq!(payloads, [3, 2, 1]);
    assert_eq!(world.peers[bob].heard[2].payload.len(), 1);
    let timestamps: Vec<u32> = world.peers[bob].heard.windows(2).map(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp)).collect();
    assert_eq!(timestamps, [3 * 960, 2 * 960]);
}

#[test]
fn last_words_are_sent_when_nothing_follows() {
    let (mut world, ada, bob) = one_speaks(NOTHING, NOTHING);
    let began = world.now;
    world.run_for(ms(70));
    world.peers[ada].microphone = None;
    world.run_for(secs(1));
    let heard = &world.peers[bob].heard;
    assert_eq!(frames_in(heard), [3, 1]);
    assert_eq!(heard[1].at - began, ms(60 + 60), "60 ms after it was said");
}

#[test]
fn signs_of_life_follow_a_lone_frame_that_waited_in_vain() {
    let (mut world, ada, bob) = one_speaks(NOTHING, NOTHING);
    world.run_for(ms(10));
    world.peers[ada].microphone = None;
    world.run_for(secs(2));
    assert_eq!(frames_in(&world.peers[bob].heard), [1]);
    assert!((5..=8).contains(&world.peers[bob].signs.len()), "{}", world.peers[bob].signs.len());
}

#[test]
fn nothing_said_is_heard_after_a_mute() {
    for pause in [10, 30, 50] {
        for leaves in [false, true] {
            let (mut world, _, bob) = one_speaks(NOTHING, Repair { red: false, nack: true });
            world.run_for(secs(1) + ms(pause));
            let heard = world.peers[bob].heard.len();
            world.set_stage(if leaves { &[] } else { &[("ada", 7, true)] });
            let ssrc = world.peers[bob].ssrcs[0];
            let newest = world.peers[bob].heard.last().unwrap().index;
            world.peers[bob].send_rtcp(&request(ssrc, &[newest, newest + 1]));
            world.run_for(secs(1));
            assert_eq!(world.peers[bob].heard.len(), heard, "not even what waited, {pause} ms");
            world.set_stage(&[("ada", 7, false)]);
            world.run_for(secs(1));
            if !leaves {
                let after = &world.peers[bob].heard[heard..];
                assert!(after.len() >= 16);
                assert_eq!(after[0].index, newest + 1, "and no index was lost by it");
            }
        }
    }
}

#[test]
fn large_audience_is_sent_to_by_turns_a_third_with_every_frame() {
    let mut world = World::with_long_packets(1, Weather::FAIR, 1);
    world.set_stage(&[("ada", 7, false)]);
    let audience: Vec<usize> = (0..9).map(|number| world.connected_listener(&format!("listener-{number}"), 1)).collect();
    let ada = world.speaker("ada");
    world.run_until_connected(ada);
    speak(&mut world, ada);
    world.run_for(secs(1));
    let mut sent: BTreeMap<Instant, usize> = BTreeMap::new();
    for at in &audience {
        let all = played(&world.peers[*at].heard);
        assert!(all.windows(2).all(|pair| pair[1].number == pair[0].number + 1), "nobody misses a frame");
        assert_in_step(&all);
        for packet in &world.peers[*at].heard {
            *sent.entry(packet.at).or_default() += 1;
        }
    }
    assert!((50..=51).contains(&sent.len()) && sent.values().all(|count| *count == 3), "{:?}", sent.values());
}

#[test]
fn long_packets_are_repeated_and_copied_as_they_were() {
    let (mut world, _, bob) = one_speaks(NOTHING, Repair { red: true, nack: true });
    world.set_downlink_weather(Weather { loss: 0.1, delay: ms(30), ..Weather::FAIR });
    world.run_for(secs(40));
    let (ssrc, newest) = (world.peers[bob].ssrcs[0], world.peers[bob].heard.last().unwrap().index);
    world.set_downlink_weather(Weather::FAIR);
    world.peers[bob].send_rtcp(&request(ssrc, &[newest, newest - 1, newest - 2]));
    world.run_for(ms(100));
    assert!(world.engine.totals().repaired.retransmitted > 20);
    let bob = &world.peers[bob];
    let mut by_number: BTreeMap<(u32, [u8; 2]), HashSet<&[u8]>> = BTreeMap::new();
    for datagram in &bob.datagrams {
        let ssrc = u32::from_be_bytes(datagram[8..12].try_into().unwrap());
        by_number.entry((ssrc, [datagram[2], datagram[3]])).or_default().insert(datagram);
    }
    assert!(by_number.values().all(|different| different.len() == 1), "a repetition is byte for byte the packet");
    assert!(bob.datagrams.len() > by_number.len() && !bob.copied.is_empty());
    let mut soonest: BTreeMap<usize, u32> = BTreeMap::new();
    for frame in played(bob.heard.iter().chain(&bob.copied)) {
        assert!(soonest.insert(frame.number, frame.timestamp).is_none_or(|before| before == frame.timestamp), "a copy tells the same time");
    }
    assert!(soonest.len() > 1_950, "{} of 1990", soonest.len());
}

#[test]
fn listener_who_steps_up_and_down_keeps_counting() {
    let (mut world, _, bob) = one_speaks(NOTHING, NOTHING);
    world.connected_listener("zoe", 1);
    for _ in 0..5 {
        world.run_for(ms(330));
        world.set_stage(&[("ada", 7, false), ("bob", 9, false)]);
        world.run_for(ms(330));
        world.set_stage(&[("ada", 7, false)]);
    }
    world.run_for(ms(330));
    let heard = &world.peers[bob].heard;
    assert_indices_rise(heard);
    assert!(heard.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 48_000), "time never goes back");
    let all = played(heard);
    let numbers: Vec<usize> = all.iter().map(|frame| frame.number).collect();
    let missing = numbers.windows(2).filter(|pair| pair[1] > pair[0] + 3).count();
    assert_eq!(missing, 0, "{numbers:?}");
    let sizes: HashSet<usize> = frames_in(heard).into_iter().collect();
    assert!(sizes.contains(&1) && sizes.contains(&3));
    assert_eq!(world.peers[bob].undecipherable, 0);
}

#[test]
fn everybody_hears_on_after_a_kill_wherever_the_packet_was() {
    for pause in [10, 30, 50, 70] {
        let book = SharedBook::default();
        let mut world = World::with_long_packets(1, Weather::FAIR, 1);
        world.open_book(&book);
        world.set_stage(&[("ada", 7, false)]);
        let bob = world.connected_listener("bob", 1);
        let ada = world.speaker("ada");
        world.run_until_connected(ada);
        speak(&mut world, ada);
        world.run_for(secs(1) + ms(pause));
        let last = world.peers[bob].heard.last().unwrap().clone();
        let count = world.peers[bob].heard.len();
        world.restart(&book);
        world.set_stage(&[("ada", 7, false)]);
        world.engine.release();
        world.run_for(secs(1));
        let after = &world.peers[bob].heard[count..];
        assert!(after.len() >= 16, "{}", after.len());
        assert_eq!((after[0].index, after[0].ssrc), (last.index + 1, last.ssrc), "{pause} ms");
        assert!((960..9_600).contains(&after[0].timestamp.wrapping_sub(last.timestamp)));
        assert_eq!(world.peers[bob].undecipherable, 0);
        assert_in_step(&played(after));
    }
}

#[test]
fn frames_that_differ_in_kind_are_not_put_together() {
    let (mut world, ada, bob) = one_speaks(NOTHING, NOTHING);
    let kinds = [31 << 3, 31 << 3, 31 << 3 | 4, 31 << 3 | 4, 31 << 3 | 4, 11 << 3, 0xff];
    let frames: VecDeque<Vec<u8>> =
        kinds.into_iter().enumerate().map(|(at, toc)| [&[toc][..], b"frame ", &[b'0' + at as u8]].concat()).collect();
    world.peers[ada].microphone.as_mut().unwrap().recording = Some(frames.clone());
    world.run_for(Duration::from_millis(139));
    let payloads: Vec<Vec<u8>> = world.peers[bob].heard.iter().map(|heard| heard.payload.clone()).collect();
    assert_eq!(payloads.len(), 5);
    assert_eq!(unpack(&payloads[0]), [frames[0].clone(), frames[1].clone()]);
    assert_eq!(unpack(&payloads[1]), [frames[2].clone()], "another kind, and the turn has come");
    assert_eq!(unpack(&payloads[2]), [frames[3].clone(), frames[4].clone()]);
    assert_eq!(payloads[3..], [frames[5].clone(), frames[6].clone()], "60 ms already, and not understood: as they are");
}
