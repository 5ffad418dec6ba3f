//! Whoever means harm, counted to the packet and the byte: a hostile speaker, a race for the handshake, and outsiders who inject and reflect.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use salon_engine::{Direction, Route};

use super::support::peer::{binding_request, check};
use super::support::{Peer, Repair, World, ms, secs};

fn outsider(number: usize) -> Route {
    Route::udp(SocketAddr::new("203.0.113.66".parse().unwrap(), 10_000 + u16::try_from(number % 50_000).unwrap()))
}

/// Ada speaks and is to be heard by Bob to the last packet, whatever else goes on. (Ada, Bob.)
fn talk(world: &mut World) -> (usize, usize) {
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    let bob = world.connected_listener("bob", 3);
    (world.talking("ada", Some(30)), bob)
}

/// Packets of Ada's that Bob heard since `before`, and the longest time between two of them.
fn ada_heard(world: &World, bob: usize, before: usize) -> (usize, Duration) {
    let heard: Vec<_> = world.peers[bob].heard[before..].iter().filter(|heard| heard.csrc == 7).collect();
    let gap = heard.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
    (heard.len(), gap)
}

/// Send `packets` evenly over a second, all of it while Ada speaks: (datagrams sent to each route of theirs, how often Ada was heard).
fn second_of(world: &mut World, bob: usize, packets: &[(Route, Vec<u8>)]) -> (HashMap<Route, usize>, (usize, Duration)) {
    let before = world.peers[bob].heard.len();
    world.bytes_to.clear();
    let each = secs(1) / u32::try_from(packets.len()).unwrap();
    let end = world.now + secs(1);
    for (from, packet) in packets {
        world.inject(*from, packet);
        world.run_for(each);
    }
    let left = end - world.now;
    world.run_for(left);
    (world.bytes_to.clone(), ada_heard(world, bob, before))
}

/// Packets of a speaker's, each with something wrong.
fn spoilt(genuine: &[u8], count: usize, from: impl Fn(usize) -> Route) -> Vec<(Route, Vec<u8>)> {
    let packet = |number: usize| {
        let mut packet = genuine.to_vec();
        let sequence = u16::from_be_bytes([packet[2], packet[3]]).wrapping_add(1 + u16::try_from(number % 60_000).unwrap());
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        *packet.last_mut().unwrap() ^= 1;
        packet
    };
    (0..count).map(|number| (from(number), packet(number))).collect()
}

#[test]
fn ten_thousand_bad_tags_a_second_from_outside_and_from_the_speakers_own_address_cost_no_packet_of_theirs() {
    let mut world = World::new();
    let (ada, bob) = talk(&mut world);
    world.run_for(secs(1));
    let (own, genuine) = (world.peers[ada].route, world.peers[ada].last_rtp.clone());
    for from in [&(|number| outsider(number)) as &dyn Fn(usize) -> Route, &|_| own] {
        let dropped = world.engine.totals().dropped.sum();
        let (sent, heard) = second_of(&mut world, bob, &spoilt(&genuine, 10_000, from));
        assert_eq!(heard, (50, ms(20)));
        assert_eq!(world.engine.totals().dropped.sum() - dropped, 10_000);
        assert!((0..10_000).all(|number| !sent.contains_key(&outsider(number))), "nobody outside is told anything");
    }
    assert_eq!(world.closed(), [], "the speaker's session stays up");
}

#[test]
fn replays_and_sixty_five_thousand_streams_and_extensions_of_nonsense_are_dropped() {
    let mut world = World::new();
    let (ada, bob) = talk(&mut world);
    world.run_for(secs(1));
    let (own, genuine) = (world.peers[ada].route, world.peers[ada].last_rtp.clone());
    let with_ssrc = |ssrc: u32| [&genuine[..8], &ssrc.to_be_bytes(), &genuine[12..]].concat();
    let with_extension = |kind: u8| {
        let mut packet = genuine.clone();
        packet[12..16].copy_from_slice(&[kind, kind, kind, kind]);
        packet
    };
    let replays = (0..1_000).map(|_| (own, genuine.clone()));
    let streams = (0..65_536).map(|ssrc| (own, with_ssrc(ssrc)));
    let extensions = (0..=255).map(|kind| (own, with_extension(kind)));
    let packets: Vec<_> = replays.chain(streams).chain(extensions).collect();
    let heard = second_of(&mut world, bob, &packets).1;
    assert_eq!(heard, (50, ms(20)));
    assert_eq!(world.report("speak-ada").packets_dropped, 1_000 + 65_536 + 256);
    assert_eq!(world.closed(), []);
}

#[test]
fn fifty_thousand_valid_packets_a_second_of_one_speaker_are_clipped_below_twice_the_nominal_and_another_is_heard_whole() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let eve = world.talking("eve", Some(90));
    world.peers[eve].microphone.as_mut().unwrap().interval = Duration::from_micros(20);
    world.run_for(ms(100)); // the burst is used up
    let before = world.peers[bob].heard.len();
    world.run_for(secs(1));
    let eves = world.peers[bob].heard[before..].iter().filter(|heard| heard.csrc == 8).count();
    assert_eq!(eves, 75, "one and a half times 50");
    assert_eq!(ada_heard(&world, bob, before), (50, ms(20)));
    assert_eq!(world.closed(), []);
}

#[test]
fn thousand_client_hellos_from_other_addresses_during_a_hundred_joins_fail_none_and_are_answered_by_nothing() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let hellos: Vec<Vec<u8>> = [12, 13].map(super::gates::client_hello).into();
    let peers: Vec<usize> = (0..100).map(|number| world.listener(&format!("listener-{number}"), 1)).collect();
    // Some from an address beside a peer's, as whoever races it would send them: the same host, the next port.
    let beside = |at: usize| Route::udp(SocketAddr::new(world.peers[at].route.peer.ip(), 40_000 + u16::try_from(at).unwrap()));
    let racing: Vec<Route> = peers.iter().map(|at| beside(*at)).chain((0..900).map(outsider)).collect();
    let mut to_strangers = 0;
    for (number, from) in racing.iter().enumerate() {
        to_strangers += world.inject(*from, &hellos[number % 2]);
        world.run_for(ms(1));
    }
    assert_eq!(to_strangers, 0);
    assert!(racing.iter().all(|route| !world.bytes_to.contains_key(route)), "not one byte");
    world.run_for(secs(1));
    assert!(peers.iter().all(|at| world.peers[*at].is_connected()), "every join succeeds");
    assert_eq!(world.engine.totals().sessions, 100);
}

/// Bytes sent to where each kind of input came from, against the bytes that came: at most as many, and none at all to outsiders.
#[test]
fn no_input_of_an_outsider_is_answered_by_a_byte() {
    let mut world = World::new();
    let (ada, bob) = talk(&mut world);
    world.run_for(secs(1));
    let genuine = world.peers[ada].last_rtp.clone();
    let (username, password) = (world.peers[bob].username(), world.peers[bob].theirs.1.clone());
    world.peers[ada].send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0x5e, 0xed]);
    let now = world.now;
    let report = world.peers[ada].take_datagrams(now).into_iter().find(|packet| packet[1] == 201).unwrap();
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("a check without credentials", binding_request("unknown:peer", "unknown", true)),
        ("a check with a wrong password", binding_request(&username, "wrong", true)),
        ("sound", genuine),
        ("control", report),
        ("a ClientHello", super::gates::client_hello(12)),
        ("a ClientHello of 1.3", super::gates::client_hello(13)),
        ("an answer to nothing", {
            let mut answer = check(&username, &password);
            answer[0] = 1;
            answer[1] = 1;
            answer
        }),
        ("nothing known", vec![70; 1_400]),
        ("nothing", Vec::new()),
    ];
    for (kind, bytes) in inputs {
        let heard = world.peers[bob].heard.len();
        for number in 0..100 {
            assert_eq!(world.inject(outsider(number), &bytes), 0, "{kind}");
        }
        assert_eq!(world.peers[bob].heard.len(), heard, "{kind} is not heard");
    }
    world.run_for(secs(1));
    assert!((0..100).all(|number| !world.bytes_to.contains_key(&outsider(number))));
}

/// Credentials that were seen on the way are genuine, wherever they are sent from: so their answers may not be larger than they are.
#[test]
fn captured_credentials_from_forged_addresses_bring_victims_no_more_bytes_than_were_sent_in_their_name() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let mut peer = Peer::new(world.next_route(), "zoe", Direction::Listen, 1);
    peer.is_unplugged = true;
    let zoe = world.open(peer);
    let captured = [bob, zoe].map(|at| check(&world.peers[at].username(), &world.peers[at].theirs.1));
    world.bytes_to.clear();
    for (number, bytes) in captured.iter().cycle().take(2_000).enumerate() {
        world.inject(outsider(number % 20), bytes);
    }
    world.run_for(secs(1));
    for number in 0..20 {
        let (came, went) = (100 * captured[number % 2].len(), world.bytes_to.get(&outsider(number)).copied().unwrap_or(0));
        assert!(0 < went && went <= came, "{went} bytes for {came}");
    }
    let from = world.now;
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(from), [7], "and Bob hears on");
}

/// Who has a session sends checks in the name of an address, before and while its owner comes.
#[test]
fn address_that_somebody_claims_goes_to_who_proves_it() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", Some(30));
    let mut eve = Peer::new(world.next_route(), "eve", Direction::Listen, 1);
    (eve.is_unplugged, eve.password) = (true, "another+password+of+another+peer".into());
    let eve = world.open(eve);
    let claim = check(&world.peers[eve].username(), &world.peers[eve].theirs.1);
    let bobs = world.next_route();
    world.inject(bobs, &claim);
    world.inject(bobs, &super::gates::client_hello(12));
    let mut bob = Peer::new(bobs, "bob", Direction::Listen, 1);
    bob.is_impersonated = true;
    let bob = world.open(bob);
    for _ in 0..100 {
        world.inject(bobs, &claim);
        world.run_for(ms(5));
    }
    assert!(world.peers[bob].is_connected(), "within half a second");
    assert_eq!(world.inject(bobs, &claim), 0, "it is Bob's now");
    let from = world.now;
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(from), [7]);
    assert_eq!((world.report("listen-eve").connected, world.report("listen-eve").transport), (false, None), "and no path of Eve's");
    world.run_for(secs(15));
    assert_eq!(world.closed(), [("listen-eve", "timed_out")]);
}

/// With the next number 999 further each time, and so 998 losses to be seen by every listener.
#[test]
fn speaker_whose_numbers_jump_costs_others_no_requests_and_no_copies() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    let both = Repair { red: true, nack: true };
    let bob = world.repairing("bob", Direction::Listen, both);
    let ada = world.talking("ada", Some(30));
    let eve = world.repairing("eve", Direction::Speak, both);
    let now = world.now;
    world.peers[eve].open_microphone(now, Some(20));
    for jump in [999, 1] {
        let (from, asked, reports) = (world.now, world.peers[bob].receiver.asked, world.peers[ada].reports.len());
        for _ in 0..500 {
            world.run_for(ms(20));
            world.peers[eve].microphone.as_mut().unwrap().index += jump;
        }
        assert!(world.peers[bob].voices_since(from).contains(&8), "she is heard");
        let asked = world.peers[bob].receiver.asked - asked;
        assert!(asked <= 3 * (64 + 500), "asked for {asked} times in 10 s: as if every packet of one voice was lost");
        let report = world.report("listen-bob");
        assert!(report.loss.unwrap() < 0.01, "{report:?}: his line loses nothing");
        assert_eq!(world.engine.totals().legs_by_depth[0], 1, "so nothing is said twice");
        let lossy = world.peers[ada].reports[reports..].iter().filter(|(_, report)| report[1] == 201 && report[12] > 0).count();
        assert_eq!(lossy, 0, "and Ada's encoder is told of no loss");
    }
}
