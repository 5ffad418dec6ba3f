//! Loss, on either leg, and what is done about it.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use salon_engine::{Direction, Transport};
use salon_netem::Weather;

use super::support::repair::{request, requested};
use super::support::{Heard, Repair, World, ms, secs};

const NOTHING: Repair = Repair { red: false, nack: false };
const RED: Repair = Repair { red: true, nack: false };
const NACK: Repair = Repair { red: false, nack: true };
const BOTH: Repair = Repair { red: true, nack: true };
/// Ahead of the lost packet, the next one tells that it is missing.
const ONE_WAY: Weather = Weather { delay: Duration::from_millis(30), ..Weather::FAIR };

fn lossy(loss: f64) -> Weather {
    Weather { loss, ..ONE_WAY }
}

/// Ada speaks with `speaker`'s repair, bob listens with `listener`'s; (world, ada, bob).
fn one_speaks(speaker: Repair, listener: Repair) -> (World, usize, usize) {
    let mut world = World::with_weather(Weather::FAIR, 11);
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.repairing("bob", Direction::Listen, listener);
    let ada = world.repairing("ada", Direction::Speak, speaker);
    let now = world.now;
    world.peers[ada].open_microphone(now, Some(30));
    world.run_for(secs(1));
    (world, ada, bob)
}

/// The share of the frames said within the last `span` that bob could play who waits for up to 120 ms, by packets, copies or both.
fn playable(world: &World, bob: usize, span: Duration) -> f64 {
    let bob = &world.peers[bob];
    let mut soonest: BTreeMap<u64, Instant> = BTreeMap::new();
    for heard in bob.heard.iter().chain(&bob.copied) {
        let at = soonest.entry(heard.index).or_insert(heard.at);
        *at = (*at).min(heard.at);
    }
    // The leg in question takes 30 ms, the other one nothing.
    let first = bob.heard[0].clone();
    let due = |index: u64| first.at + ms(20) * u32::try_from(index - first.index).unwrap() + ms(30) + ms(120);
    let newest = *soonest.keys().last().unwrap();
    let wanted = (newest + 1 - u64::try_from(span.as_millis() / 20).unwrap()..newest - 10).collect::<Vec<_>>();
    let played = wanted.iter().filter(|index| soonest.get(index).is_some_and(|at| *at <= due(**index))).count();
    #[allow(clippy::cast_precision_loss)]
    let share = played as f64 / wanted.len() as f64;
    share
}

/// Every index stands for one content only: what SRTP's secrecy rests on.
fn assert_each_index_once(world: &World, bob: usize) {
    let mut by_index: BTreeMap<(u32, u64), HashSet<&[u8]>> = BTreeMap::new();
    for datagram in &world.peers[bob].datagrams {
        let ssrc = u32::from_be_bytes(datagram[8..12].try_into().unwrap());
        let sequence = u64::from(u16::from_be_bytes([datagram[2], datagram[3]]));
        by_index.entry((ssrc, sequence)).or_default().insert(datagram);
    }
    assert!(by_index.values().all(|different| different.len() == 1), "a repetition is byte for byte the packet");
    assert_eq!(world.peers[bob].undecipherable, 0);
}

fn said(heard: &Heard) -> u64 {
    std::str::from_utf8(&heard.payload).unwrap().strip_prefix("ada ").unwrap().parse().unwrap()
}

#[test]
fn speakers_copies_fill_what_is_lost_on_the_way_up() {
    let (mut world, ada, bob) = one_speaks(RED, NOTHING);
    world.peers[ada].copies = 2;
    world.set_uplink_weather(lossy(0.2));
    world.run_for(secs(20));
    let share = playable(&world, bob, secs(19));
    assert!(share > 0.985, "{share}: three in a row are lost once in 125");
    let bob = &world.peers[bob];
    let shifts: HashSet<u64> = bob.heard.iter().map(|heard| said(heard).wrapping_sub(heard.index)).collect();
    assert_eq!(shifts.len(), 1, "every frame in its own place");
    let steps: HashSet<u32> =
        bob.heard.iter().map(|heard| heard.timestamp.wrapping_sub(u32::try_from(said(heard)).unwrap().wrapping_mul(960))).collect();
    assert_eq!(steps.len(), 1, "and at its own time");
    assert!(bob.copied.is_empty(), "redundancy ends at the engine");
}

#[test]
fn engine_asks_a_speaker_for_what_is_missing_and_passes_it_on_late() {
    let (mut world, ada, bob) = one_speaks(NACK, NOTHING);
    world.set_uplink_weather(lossy(0.2));
    world.run_for(secs(20));
    let share = playable(&world, bob, secs(19));
    assert!(share > 0.95, "{share}: of one in five lost, one in five is lost again");
    assert!(world.peers[ada].sender.asked_for.len() < 400, "{} requests for 200 losses", world.peers[ada].sender.asked_for.len());
    assert_each_index_once(&world, bob);
    let heard: HashSet<u64> = world.peers[bob].heard.iter().map(|heard| heard.index).collect();
    assert_eq!(heard.len(), world.peers[bob].heard.len(), "each once");
}

#[test]
fn speakers_are_asked_for_nothing_unless_they_offered_it() {
    for repair in [NOTHING, RED] {
        let (mut world, ada, _) = one_speaks(repair, NOTHING);
        world.set_uplink_weather(lossy(0.3));
        world.run_for(secs(3));
        assert_eq!(world.peers[ada].sender.asked_for, []);
        assert!(world.peers[ada].reports.iter().all(|(_, report)| requested(report).is_empty()));
    }
}

#[test]
fn copies_spare_requests() {
    let (mut world, ada, _) = one_speaks(BOTH, NOTHING);
    world.set_uplink_weather(Weather { loss: 0.05, ..ONE_WAY });
    world.run_for(secs(20));
    let asked = world.peers[ada].sender.asked_for.len();
    assert!(asked < 15, "{asked}: of 50 losses, few came two in a row");
}

#[test]
fn listener_is_sent_again_what_it_asks_for_byte_for_byte() {
    let (mut world, _, bob) = one_speaks(NOTHING, NACK);
    world.set_downlink_weather(lossy(0.1));
    world.run_for(secs(20));
    let share = playable(&world, bob, secs(19));
    assert!(share > 0.985, "{share}");
    assert_each_index_once(&world, bob);
}

#[test]
fn copies_grow_with_a_legs_loss_and_are_sent_again_as_they_were() {
    let (mut world, _, bob) = one_speaks(NOTHING, BOTH);
    assert!(world.peers[bob].copied.is_empty(), "nothing is lost");
    for (loss, copies) in [(0.04, 1), (0.2, 2)] {
        world.set_downlink_weather(lossy(loss));
        world.run_for(secs(15));
        let from = world.now;
        world.run_for(secs(10));
        let bob = &world.peers[bob];
        let count = |all: &[Heard]| all.iter().filter(|heard| heard.at > from).count();
        assert_eq!(count(&bob.copied), copies * count(&bob.heard), "{loss}");
    }
    assert!(playable(&world, bob, secs(10)) > 0.995);
    assert_each_index_once(&world, bob);
    world.set_downlink_weather(ONE_WAY);
    world.run_for(secs(60));
    let copied = world.peers[bob].copied.len();
    world.run_for(secs(5));
    assert_eq!(world.peers[bob].copied.len(), copied, "no longer, once nothing is lost");
}

#[test]
fn listener_who_offered_nothing_is_sent_nothing_twice() {
    let (mut world, _, bob) = one_speaks(NOTHING, NOTHING);
    let ssrc = world.peers[bob].ssrcs[0];
    let newest = world.peers[bob].heard.last().unwrap().index;
    world.peers[bob].send_rtcp(&request(ssrc, &[newest, newest - 1]));
    world.set_downlink_weather(lossy(0.3));
    world.run_for(secs(5));
    let different: HashSet<u64> = world.peers[bob].heard.iter().map(|heard| heard.index).collect();
    assert_eq!(different.len(), world.peers[bob].heard.len());
    assert!(world.peers[bob].copied.is_empty());
}

#[test]
fn requests_bring_no_more_than_was_sent_once_more() {
    let (mut world, _, bob) = one_speaks(NOTHING, NACK);
    world.run_for(secs(4));
    let ssrc = world.peers[bob].ssrcs[0];
    let (before, newest) = (world.peers[bob].heard.len(), world.peers[bob].heard.last().unwrap().index);
    for _ in 0..50 {
        let all: Vec<u64> = (newest - 15..=newest).collect();
        world.peers[bob].send_rtcp(&request(ssrc, &all));
        world.run_for(ms(1));
    }
    let again = world.peers[bob].heard.len() - before;
    assert!((64..=64 + 2 * 3).contains(&again), "{again} for 800 requests within 50 ms: the credit, and what was sent meanwhile");
    assert_each_index_once(&world, bob);
}

#[test]
fn however_much_is_asked_for_in_one_packet_little_is_looked_up() {
    let (mut world, _, bob) = one_speaks(NOTHING, NACK);
    world.run_for(secs(4));
    let (ssrc, newest) = (world.peers[bob].ssrcs[0], world.peers[bob].heard.last().unwrap().index);
    // Eighteen requests of sixteen entries of seventeen packets each.
    let mut all = request(ssrc, &[newest - 16; 16]);
    all[12..].chunks_mut(4).for_each(|entry| entry[2..].fill(0xff));
    world.peers[bob].send_rtcp(&all.repeat(18));
    world.run_for(ms(25));
    assert_eq!(world.engine.totals().repaired.nacked, 272, "of 4,896");
}

#[test]
fn what_is_not_kept_or_never_was_is_not_sent() {
    let (mut world, _, bob) = one_speaks(NOTHING, NACK);
    world.run_for(secs(4));
    let (ssrc, newest) = (world.peers[bob].ssrcs[0], world.peers[bob].heard.last().unwrap().index);
    let before = world.report("listen-bob");
    for index in [newest + 2, newest + 100, newest + 40_000, newest - 64, newest - 200] {
        world.peers[bob].send_rtcp(&request(ssrc, &[index]));
    }
    world.peers[bob].send_rtcp(&request(ssrc + 1, &[newest]));
    let heard = world.peers[bob].heard.len();
    world.run_for(ms(15));
    assert!(world.peers[bob].heard.len() <= heard + 1, "nothing but the next packet");
    assert_eq!(world.report("listen-bob").packets_dropped, before.packets_dropped);
}

#[test]
fn who_was_muted_is_silent_in_repetitions_too() {
    for muted in [false, true] {
        let (mut world, _, bob) = one_speaks(NOTHING, NACK);
        let (ssrc, newest) = (world.peers[bob].ssrcs[0], world.peers[bob].heard.last().unwrap().index);
        world.set_stage(&[("ada", 7, muted)]);
        let heard = world.peers[bob].heard.len();
        world.peers[bob].send_rtcp(&request(ssrc, &[newest]));
        world.run_for(ms(25));
        let again = world.peers[bob].heard[heard..].iter().filter(|packet| packet.index == newest).count();
        assert_eq!(again, usize::from(!muted));
    }
}

#[test]
fn what_was_said_while_muted_and_lost_is_not_brought_back_after() {
    for repair in [RED, NACK, BOTH] {
        let (mut world, ada, bob) = one_speaks(repair, NOTHING);
        world.peers[ada].copies = 2;
        world.set_stage(&[("ada", 7, true)]);
        world.run_for(ms(100));
        world.peers[ada].next_frame(); // Lost; the next packet has a copy, and a request would bring it.
        let lost = world.peers[ada].microphone.as_ref().unwrap().index - 1;
        world.set_stage(&[("ada", 7, false)]);
        world.run_for(ms(300));
        let heard: Vec<u64> = world.peers[bob].heard.iter().map(said).collect();
        assert!(heard.contains(&(lost + 1)), "{heard:?}");
        assert!(!heard.iter().any(|index| (lost - 4..=lost).contains(index)), "{heard:?}");
    }
}

#[test]
fn loss_of_listeners_without_copies_is_reported_to_the_speaker() {
    let fraction = |world: &World, ada: usize| world.peers[ada].reports.last().unwrap().1[12];
    let (mut world, ada, _) = one_speaks(NOTHING, NACK);
    world.run_for(secs(3));
    assert_eq!(fraction(&world, ada), 0);
    world.set_downlink_weather(Weather { loss: 0.2, ..Weather::FAIR });
    world.run_for(secs(10));
    // The last report itself may be among the lost.
    let reported = fraction(&world, ada);
    assert!((38..=64).contains(&reported), "{reported}/256 of 20 %");

    let (mut world, ada, _) = one_speaks(NOTHING, BOTH);
    world.set_downlink_weather(Weather { loss: 0.2, ..Weather::FAIR });
    world.run_for(secs(10));
    assert_eq!(fraction(&world, ada), 0, "copies protect that listener: the speaker's bits are better spent on sound");
}

#[test]
fn loss_on_the_way_up_is_reported_as_it_is() {
    let (mut world, ada, _) = one_speaks(NOTHING, NOTHING);
    world.set_uplink_weather(Weather { loss: 0.25, ..Weather::FAIR });
    world.run_for(secs(10));
    let fractions: Vec<u8> = world.peers[ada].reports.iter().rev().take(8).map(|(_, report)| report[12]).collect();
    let mean = fractions.iter().map(|fraction| u32::from(*fraction)).sum::<u32>() / 8;
    assert!((40..=90).contains(&mean), "{fractions:?}");
}

#[test]
fn operators_see_how_much_was_lost_and_repaired_also_of_who_has_gone() {
    let (mut world, _, bob) = one_speaks(NACK, BOTH);
    assert_eq!(world.engine.totals().repaired.nacked, 0);
    assert_eq!(world.engine.totals().legs_by_depth, [1, 0, 0]);
    world.set_downlink_weather(lossy(0.2));
    world.set_uplink_weather(lossy(0.2));
    world.run_for(secs(20));
    let totals = world.engine.totals();
    let repaired = totals.repaired;
    assert!(repaired.nacked > 50 && repaired.requested > 50, "{repaired:?}");
    assert!((50..=repaired.nacked).contains(&repaired.retransmitted), "{repaired:?}");
    let lost = repaired.reported_lost_256ths as f64 / 256.0 / repaired.reported as f64;
    assert!((0.01..=0.1).contains(&lost), "{lost} of 20 %: what came again is not missing");
    assert_eq!(totals.legs_by_depth, [0, 0, 1]);
    let seen = world.report("listen-bob");
    assert!(seen.loss.is_some_and(|loss| (0.1..=0.5).contains(&loss)), "{seen:?}: on the way up, too");
    assert_eq!(seen.transport, Some(Transport::Udp));

    let person = world.peers[bob].person.clone();
    world.close_person(&person);
    let totals = world.engine.totals();
    assert_eq!((totals.repaired.nacked, totals.legs_by_depth), (repaired.nacked, [0, 0, 0]));
}

#[test]
fn round_trips_show_in_listeners_reports_and_in_what_speakers_send_again() {
    let (mut world, _, _) = one_speaks(NACK, NOTHING);
    let of = |world: &World| ["listen-bob", "speak-ada"].map(|session| world.report(session).round_trip);
    assert_eq!(of(&world), [None, None], "nothing was reported yet, and nothing lost");
    world.set_weather(lossy(0.05));
    world.run_for(secs(10));
    let seen = of(&world).map(Option::unwrap_or_default);
    assert!(seen.iter().all(|round_trip| (ms(59)..=ms(61)).contains(round_trip)), "{seen:?}: 30 ms each way");
}
