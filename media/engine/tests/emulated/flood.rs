//! A speaker who sends more than speech can be.

use std::time::Duration;

use salon_engine::{Direction, Dropped};

use super::support::{Peer, World, ms, secs};

const HALL: &str = "hall";

/// (speaker, listener) of a second room.
fn talk_in_the_hall(world: &mut World) -> (usize, usize) {
    world.set_stage_of(HALL, &[("eve", 8, false)]);
    let [eve, ida] = [("eve", Direction::Speak), ("ida", Direction::Listen)].map(|(person, direction)| {
        let mut peer = Peer::new(world.next_route(), person, direction, 1);
        peer.room = HALL;
        let at = world.open(peer);
        world.run_until_connected(at);
        at
    });
    (eve, ida)
}

#[test]
fn flood_of_genuine_packets_is_clipped_and_another_room_untouched() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    let (eve, ida) = talk_in_the_hall(&mut world);
    let ada = world.talking("ada", Some(30));
    let now = world.now;
    world.peers[eve].open_microphone(now, Some(30));
    world.peers[ada].microphone.as_mut().unwrap().interval = Duration::from_micros(200); // 5,000 a second
    world.run_for(ms(2_001));

    // At 0.0, 0.2 ... 2,001.0 ms; a burst of 100 and then 75 a second: one and a half times what browsers send.
    let (sent, passed) = (10_006, 100 + 150);
    assert_eq!(world.peers[bob].heard.len(), passed);
    let report = world.report("speak-ada");
    assert_eq!((report.packets_in, report.packets_dropped), (250, sent - 250), "what is clipped is not even decrypted");
    assert_eq!(world.engine.totals().dropped, Dropped { rtp: sent - 250, ..Dropped::default() });
    assert_eq!(world.peers[ida].heard.len(), 101, "50 a second in the other room");
    assert!(world.peers[ida].heard.windows(2).all(|pair| pair[1].index == pair[0].index + 1 && pair[1].at - pair[0].at == ms(20)));
    assert_eq!(world.report("speak-eve").packets_dropped, 0);
}

#[test]
fn clipped_packet_that_comes_again_is_taken_once_as_if_late_and_later_speech_is_heard() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    let ada = world.talking("ada", Some(30));
    world.peers[ada].microphone.as_mut().unwrap().interval = Duration::from_micros(200);
    world.run_for(ms(2_001));
    let (from, refused) = (world.peers[ada].route, world.peers[ada].last_rtp.clone());
    let microphone = world.peers[ada].microphone.as_mut().unwrap();
    (microphone.interval, microphone.next_at) = (ms(20), world.now + secs(1));
    world.run_for(ms(999));
    assert_eq!(world.inject(from, &refused), 1, "it was not opened before");
    assert_eq!(world.inject(from, &refused), 0, "and never twice, though the bucket has tokens");
    let heard = world.peers[bob].heard.len();
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].heard.len() - heard, 1 + 50);
    assert_eq!(world.peers[bob].undecipherable, 0);
}

#[test]
fn payload_longer_than_a_frame_of_opus_can_be_is_dropped() {
    for (len, heard) in [(1_275, 51), (1_400, 51), (1_401, 0), (1_440, 0)] {
        let mut world = World::new();
        world.set_stage(&[("ada", 7, false)]);
        let bob = world.connected_listener("bob", 1);
        let ada = world.talking("ada", Some(30));
        world.peers[ada].microphone.as_mut().unwrap().stuffing = len - "ada 65500".len();
        world.run_for(secs(1));
        assert_eq!(world.peers[bob].heard.len(), heard, "{len} bytes");
        assert_eq!(world.report("speak-ada").packets_dropped, 51 - heard as u64, "{len} bytes");
    }
}
