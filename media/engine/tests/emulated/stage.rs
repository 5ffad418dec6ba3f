//! The stage decides who may be heard.

use salon_engine::{CloseReason, Dropped};

use super::support::{ROOM, World, ms, secs};

#[test]
fn speaker_who_is_not_on_the_stage_is_dropped_at_ingress() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 3);
    world.talking("eve", Some(20));
    world.run_for(secs(1));
    assert!(world.peers[bob].heard.is_empty());
    let eve = world.report("speak-eve");
    assert!(eve.packets_dropped > 45 && !eve.may_be_heard && eve.connected, "{eve:?}");
    assert_eq!(world.engine.totals().dropped, Dropped { unheard: eve.packets_dropped, ..Dropped::default() });
}

#[test]
fn muted_speaker_is_silent_from_the_next_packet_and_continues_without_a_gap() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    world.set_stage(&[("ada", 7, true)]);
    let (muted, heard_before) = (world.now, world.peers[bob].heard.len());
    world.run_for(secs(30));
    assert_eq!(world.peers[bob].heard.len(), heard_before);
    assert!(world.report("speak-ada").packets_dropped >= 1_499, "{:?}", world.report("speak-ada"));
    world.set_stage(&[("ada", 7, false)]);
    let unmuted = world.now;
    world.run_for(secs(1));
    let heard = world.peers[bob].heard_in(0);
    let first_after = heard.iter().find(|packet| packet.at >= unmuted).unwrap();
    assert_eq!(first_after.index, heard[heard_before - 1].index + 1, "silence is no loss");
    let pause = first_after.timestamp.wrapping_sub(heard[heard_before - 1].timestamp);
    assert!(pause.abs_diff(48 * u32::try_from((first_after.at - muted).as_millis()).unwrap()) <= 960, "{pause}");
    assert_eq!(world.peers[bob].undecipherable, 0);
}

#[test]
fn losing_the_place_on_the_stage_ends_speaking_and_not_listening() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    let own = world.connected_listener("ada", 1);
    let (ada, _) = (world.talking("ada", Some(30)), world.talking("eve", Some(30)));
    let bob = world.connected_listener("bob", 3);
    world.run_for(secs(1));
    world.set_stage(&[("eve", 8, false)]);
    let before = [bob, own].map(|at| world.peers[at].heard.len());
    world.run_for(secs(1));
    assert_eq!(world.closed(), [("speak-ada", "left_stage")]);
    assert!(world.peers[ada].said_goodbye);
    assert_eq!(world.peers[bob].voices_after(before[0]), [8]);
    assert_eq!(world.peers[own].voices_after(before[1]), [8]);
    assert_eq!(world.peers[own].undecipherable, 0);
}

#[test]
fn removed_person_is_silent_in_both_directions_at_once() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    let own = world.connected_listener("ada", 1);
    let ada = world.talking("ada", Some(30));
    let bob = world.connected_listener("bob", 3);
    world.talking("eve", Some(30));
    world.run_for(secs(1));
    let (at_bob, at_ada) = (world.peers[bob].heard.len(), world.peers[own].heard.len());
    assert_eq!(world.close_person("ada"), 2);
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_after(at_bob), [8]);
    assert_eq!(world.peers[own].heard.len(), at_ada, "not one more packet");
    assert!(world.peers[own].said_goodbye && world.peers[ada].said_goodbye);
    let mut closed = world.closed();
    closed.sort_unstable();
    assert_eq!(closed, [("listen-ada", "removed"), ("speak-ada", "removed")]);
    assert_eq!(world.close_person("ada"), 0, "nothing is left to close");
}

#[test]
fn closing_a_room_ends_every_session_and_forgets_the_stage() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", Some(30));
    world.connected_listener("bob", 1);
    let count = world.engine.close_room(world.now, ROOM, &CloseReason::Asked("room_ended".into()));
    world.drain();
    assert_eq!(count, 2);
    assert_eq!(world.closed().iter().map(|(_, reason)| *reason).collect::<Vec<_>>(), ["room_ended"; 2]);
    assert_eq!((world.engine.totals().sessions, world.engine.totals().rooms), (0, 0));
}

#[test]
fn csrc_that_changes_is_used_from_the_next_packet() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let (own, bob) = (world.connected_listener("ada", 1), world.connected_listener("bob", 1));
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    world.set_stage(&[("ada", 70, false)]);
    let from = world.now + ms(1);
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(from), [70]);
    assert!(world.peers[own].heard.is_empty(), "still their own voice");
}
