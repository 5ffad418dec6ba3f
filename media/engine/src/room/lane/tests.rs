use std::collections::HashSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn stream(ssrc: u32) -> StreamKey {
    StreamKey { shard: 0, session: 1, ssrc }
}

fn packet(ssrc: u32, index: u64) -> UplinkPosition {
    #[allow(clippy::cast_possible_truncation)]
    let timestamp = (index as u32).wrapping_mul(960).wrapping_add(ssrc);
    UplinkPosition { stream: stream(ssrc), index, timestamp, marker: false, is_late: false }
}

fn place(lane: &mut Lane, now: Instant, ssrc: u32, index: u64) -> Option<(u64, bool)> {
    lane.follow(Some(ssrc));
    lane.place(now, packet(ssrc, index)).map(|position| (position.index, position.marker))
}

#[test]
fn switching_speakers_leaves_no_gap_and_begins_a_talkspurt() {
    let now = Instant::now();
    let mut lane = Lane::new(now);
    assert_eq!(place(&mut lane, now, 1, 500), Some((1, true)));
    assert_eq!(place(&mut lane, now, 1, 501), Some((2, false)));
    assert_eq!(place(&mut lane, now, 2, 90_000), Some((3, true)));
    assert_eq!(place(&mut lane, now, 1, 600), Some((4, true)));
}

#[test]
fn losses_of_the_uplink_show_and_late_packets_fill_them() {
    let now = Instant::now();
    let mut lane = Lane::new(now);
    assert_eq!(place(&mut lane, now, 1, 500), Some((1, true)));
    assert_eq!(place(&mut lane, now, 1, 503), Some((4, false)));
    assert_eq!(place(&mut lane, now, 1, 501), Some((2, false)));
}

#[test]
fn packets_from_before_the_switch_are_dropped() {
    let now = Instant::now();
    let mut lane = Lane::new(now);
    assert_eq!(place(&mut lane, now, 1, 500), Some((1, true)));
    assert_eq!(place(&mut lane, now, 1, 499), None);
}

#[test]
fn timestamps_count_the_time_between_speakers() {
    let start = Instant::now();
    let mut lane = Lane::new(start);
    lane.follow(Some(1));
    let first = lane.place(start, packet(1, 500)).expect("first").timestamp;
    lane.follow(Some(2));
    let second = lane.place(start + Duration::from_millis(300), packet(2, 7)).expect("second").timestamp;
    assert_eq!(second.wrapping_sub(first), 14_400);
    lane.follow(Some(1));
    let third = lane.place(start + Duration::from_millis(301), packet(1, 800)).expect("third").timestamp;
    assert_eq!(third.wrapping_sub(second), FRAME_UNITS, "at least a frame");
}

/// The invariant that SRTP rests on, through everything that can happen to a listener and its lanes.
#[test]
fn a_listener_never_gets_an_index_twice() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let start = Instant::now();
        let mut lanes: Vec<Lane> = (0..3).map(|_| Lane::new(start)).collect();
        let mut tap = Tap::new(1, random.random_range(0..1 << 15), 0);
        let mut at_lane = 0;
        tap.join(&lanes[0], start);
        let mut uplinks = [10_u64, 60_000, 70_000];
        let mut received = HashSet::new();
        let (mut given, mut highest) = (HashSet::new(), 0);
        for step in 0..2_000_u64 {
            let now = start + Duration::from_millis(step * 7);
            match random.random_range(0..20) {
                0 => {
                    tap.leave(&lanes[at_lane], now);
                    at_lane = random.random_range(0..3);
                    tap.join(&lanes[at_lane], now);
                }
                1 => lanes[random.random_range(0..3)].follow(Some(random.random_range(0..3))),
                2 => lanes[random.random_range(0..3)].follow(None),
                3 => uplinks[random.random_range(0..3)] += random.random_range(0..40_000),
                _ => {}
            }
            let speaker = random.random_range(0..3_usize);
            uplinks[speaker] += 1;
            let index = uplinks[speaker] - random.random_range(0..8); // some late
            #[allow(clippy::cast_possible_truncation)]
            let ssrc = speaker as u32;
            if !received.insert((ssrc, index)) {
                continue; // the replay window lets none through twice
            }
            for (at, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.speaker() == Some(ssrc)) {
                let placed = lane.place(now, packet(ssrc, index)).filter(|_| at == at_lane);
                if let Some((index, _)) = placed.and_then(|position| tap.place(position)) {
                    assert!(given.insert(index), "seed {seed}, step {step}: {index} twice");
                    assert!(index <= highest + MAX_GAP || highest == 0, "seed {seed}: no listener loses its way");
                    highest = highest.max(index);
                }
            }
        }
        assert!(given.len() > 100, "seed {seed}: {}", given.len());
    }
}
