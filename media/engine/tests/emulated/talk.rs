//! How long who has talked, and who talks now.

use std::time::Duration;

use salon_engine::Direction;
use salon_netem::Weather;

use super::support::{Peer, ROOM, World, ms, secs};

/// (talked, talking) of the one room since the last taking; nothing where there is nothing to tell.
fn take(world: &mut World) -> (Vec<(String, u64)>, Vec<String>) {
    let now = world.now;
    let mut rooms = world.engine.take_talk(now);
    assert!(rooms.len() <= 1 && rooms.iter().all(|room| &*room.room == ROOM), "{rooms:?}");
    let Some(room) = rooms.pop() else {
        return Default::default();
    };
    let mut talked: Vec<(String, u64)> = room.talked_ms.iter().map(|(person, ms)| (person.to_string(), *ms)).collect();
    talked.sort_unstable();
    (talked, room.talking.iter().map(ToString::to_string).collect())
}

/// Milliseconds of one person, who is the only one.
fn talked_by(world: &mut World, person: &str) -> u64 {
    match take(world).0.as_slice() {
        [] => 0,
        [(only, ms)] if only == person => *ms,
        several => panic!("{several:?}"),
    }
}

#[test]
fn voice_is_counted_and_who_talks_is_named_until_they_stop() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    let ada = world.talking("ada", Some(30));
    world.talking("eve", Some(65)); // an open microphone in a quiet room
    world.run_for(secs(10));
    let (talked, talking) = take(&mut world);
    assert_eq!(talking, ["ada"]);
    let [(person, ms)] = talked.as_slice() else { panic!("{talked:?}") };
    assert_eq!(person, "ada");
    assert!((9_900..=10_020).contains(ms), "all but the first 100 ms, which make sure that it is speech: {ms}");

    world.peers[ada].microphone.as_mut().unwrap().level = Some(65);
    world.run_for(secs(5));
    let (talked, talking) = take(&mut world);
    assert!(talking.is_empty());
    assert!((280..=320).contains(&talked[0].1), "until her loudness has fallen: {talked:?}");
    world.run_for(secs(5));
    assert_eq!(take(&mut world), Default::default(), "nothing new, nothing told");
}

#[test]
fn who_is_not_on_the_stage_or_muted_talks_to_nobody_and_is_not_counted() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.talking("eve", Some(20));
    world.talking("ada", Some(30));
    world.run_for(secs(2));
    assert!(talked_by(&mut world, "ada") > 1_800);
    world.set_stage(&[("ada", 7, true)]);
    assert_eq!(take(&mut world), (Vec::new(), Vec::new()), "told once more: she has stopped");
    world.run_for(secs(10));
    assert_eq!(take(&mut world), Default::default());
    world.set_stage(&[("ada", 7, false)]);
    world.run_for(secs(1));
    let ms = talked_by(&mut world, "ada");
    assert!((850..=1_020).contains(&ms), "the muted time is not made up for: {ms}");
}

#[test]
fn microphone_without_levels_counts_by_its_packets() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", None);
    world.run_for(secs(5));
    let ms = talked_by(&mut world, "ada");
    assert!((4_850..=5_020).contains(&ms), "{ms}");
}

#[test]
fn flood_counts_as_no_more_than_the_time_it_took() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let ada = world.talking("ada", Some(30));
    world.peers[ada].microphone.as_mut().unwrap().interval = Duration::from_micros(200); // 5,000 a second, each 20 ms further
    world.run_for(secs(10));
    let ms = talked_by(&mut world, "ada");
    assert!((9_800..=11_000).contains(&ms), "{ms}");
}

#[test]
fn poor_network_takes_little_away() {
    let mut world = World::with_weather(Weather::ROUGH, 5);
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", Some(30));
    world.run_for(secs(60));
    let ms = talked_by(&mut world, "ada");
    assert!((57_000..=61_000).contains(&ms), "{ms}");
}

#[test]
fn what_was_said_before_a_session_ended_is_told_after_it() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    world.talking("ada", Some(30));
    world.run_for(secs(2));
    let mut other_device = Peer::new(world.next_route(), "ada", Direction::Speak, 1);
    other_device.session = "speak-ada-again".into();
    let ada = world.open(other_device);
    world.run_until_connected(ada);
    let now = world.now;
    world.peers[ada].open_microphone(now, Some(30));
    world.run_for(secs(2));
    assert_eq!(world.closed(), [("speak-ada", "taken_over")]);
    let (talked, talking) = take(&mut world);
    assert!((3_600..=4_040).contains(&talked[0].1), "both sessions: {talked:?}");
    assert_eq!(talking, ["ada"]);
    world.run_for(secs(1));
    world.set_stage(&[("eve", 8, false)]);
    let (talked, talking) = take(&mut world);
    assert!((900..=1_020).contains(&talked[0].1), "{talked:?}");
    assert!(talking.is_empty(), "nobody talks who is off the stage");
}

#[test]
fn of_several_who_talk_the_dominant_one_is_named_first() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false), ("bob", 8, false)]);
    world.talking("bob", Some(30));
    world.run_for(ms(500));
    world.talking("ada", Some(29));
    world.run_for(secs(2));
    assert_eq!(take(&mut world).1, ["bob", "ada"]);
}
