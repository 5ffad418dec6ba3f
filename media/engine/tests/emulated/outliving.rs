//! Sessions outlive the engine: killed at any moment, it goes on where it stopped.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use salon_engine::{Direction, Input, Output};

use super::support::book::SharedBook;
use super::support::{ROOM, World, ms, secs};

/// Ada talks, Bob and Eve (with three slots) listen, and a book has it.
fn talking_room(book: &SharedBook) -> World {
    let mut world = World::new();
    assert_eq!(world.open_book(book), []);
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", Some(30));
    world.connected_listener("bob", 1);
    world.connected_listener("eve", 3);
    world.run_for(secs(2));
    world
}

#[test]
fn everybody_hears_on_after_a_kill_without_doing_anything() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    let before: Vec<_> = [1, 2].map(|at| world.peers[at].heard.last().unwrap().clone()).to_vec();
    world.run_without_engine_for(ms(400));
    let mut restored = world.restart(&book);
    restored.sort();
    assert_eq!(restored, ["listen-bob", "listen-eve", "speak-ada"]);
    world.set_stage(&[("ada", 7, false)]);
    world.engine.release();
    let (released_at, heard) = (world.now, [1, 2].map(|at| world.peers[at].heard.len()));
    world.run_for(secs(1));
    for (at, (last, count)) in [1, 2].into_iter().zip(before.iter().zip(heard)) {
        let after = &world.peers[at].heard[count..];
        assert!(after.len() >= 49, "{}", after.len());
        let first = &after[0];
        assert!(first.at - released_at <= ms(40));
        assert_eq!((first.ssrc, first.csrc), (last.ssrc, 7));
        assert_eq!(first.index, last.index + 1, "numbers go on where they stopped");
        let since_ms = (first.timestamp.wrapping_sub(last.timestamp)) / 48;
        assert!(since_ms.abs_diff(u32::try_from((first.at - last.at).as_millis()).unwrap()) <= 20, "{since_ms} ms of RTP time");
        assert_eq!(world.peers[at].undecipherable, 0);
    }
    world.run_for(secs(60));
    assert_eq!(world.closed(), [], "checks and reports go on");
    assert!(world.peers.iter().all(|peer| peer.undecipherable == 0 && peer.reports.last().unwrap().0 > released_at));
}

#[test]
fn nothing_is_forwarded_before_the_release_and_nobody_unstaged_after() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    world.restart(&book);
    world.set_stage(&[("ada", 7, false)]);
    let heard = world.peers[1].heard.len();
    world.run_for(secs(5));
    assert_eq!(world.peers[1].heard.len(), heard, "held");
    assert!(world.report("listen-bob").connected, "but alive");
    world.engine.release();
    world.set_stage(&[]);
    world.run_for(secs(1));
    assert_eq!(world.peers[1].heard.len(), heard);
    assert_eq!(world.closed(), [("speak-ada", "left_stage")]);
}

#[test]
fn mute_that_came_before_the_release_holds() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    world.restart(&book);
    world.set_stage(&[("ada", 7, true)]);
    world.engine.release();
    let heard = world.peers[1].heard.len();
    world.run_for(secs(1));
    assert_eq!(world.peers[1].heard.len(), heard);
}

#[test]
fn closed_session_is_gone_from_the_book_when_its_command_returns() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    assert_eq!(book.bytes().len(), 3);
    world.close_person("bob");
    assert_eq!(book.bytes().len(), 2);
    assert!(book.bytes().iter().all(|record| !String::from_utf8_lossy(record).contains("bob")));
    let mut restored = world.restart(&book);
    restored.sort();
    assert_eq!(restored, ["listen-eve", "speak-ada"]);
    world.engine.close_room(world.now, ROOM, &salon_engine::CloseReason::Asked("room_ended".into()));
    assert_eq!(book.bytes(), Vec::<Vec<u8>>::new());
}

#[test]
fn session_that_never_connected_is_not_in_the_book() {
    let book = SharedBook::default();
    let mut world = World::new();
    world.open_book(&book);
    world.listener("bob", 1);
    assert_eq!(book.bytes().len(), 0);
}

#[test]
fn packets_from_before_the_kill_are_refused_after_it() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    let (route, packet) = (world.peers[0].route, world.peers[0].last_rtp.clone());
    world.peers[0].microphone = None;
    world.run_for(ms(100));
    world.restart(&book);
    world.set_stage(&[("ada", 7, false)]);
    world.engine.release();
    assert_eq!(world.inject(route, &packet), 0, "the very last one");
    assert_eq!((world.report("speak-ada").packets_in, world.report("speak-ada").packets_dropped), (0, 1));
}

#[test]
fn packets_from_before_a_kill_right_after_the_first_ones_are_refused_after_it() {
    let book = SharedBook::default();
    let mut world = World::new();
    world.open_book(&book);
    world.set_stage(&[("ada", 7, false)]);
    world.talking("ada", Some(30));
    world.run_for(ms(50));
    let (route, packet) = (world.peers[0].route, world.peers[0].last_rtp.clone());
    world.peers[0].microphone = None;
    world.run_for(ms(50));
    assert!(world.report("speak-ada").packets_in > 0);
    world.restart(&book);
    world.set_stage(&[("ada", 7, false)]);
    world.engine.release();
    world.inject(route, &packet);
    assert_eq!((world.report("speak-ada").packets_in, world.report("speak-ada").packets_dropped), (0, 1));
}

/// What its numbers are is not known after a kill, so that its packets could be taken twice.
#[test]
fn speaker_for_whom_the_book_has_no_cell_is_not_in_it_until_one_is_free() {
    let book = SharedBook::with_cells(1);
    let mut world = World::new();
    world.open_book(&book);
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    world.talking("ada", Some(30));
    world.talking("eve", Some(30));
    world.run_for(secs(2));
    assert_eq!(world.restart(&book), ["speak-ada"]);
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    world.engine.release();
    assert_eq!(world.engine.totals().sessions, 1);

    let book = SharedBook::with_cells(1);
    let mut world = World::new();
    world.open_book(&book);
    world.set_stage(&[("ada", 7, false), ("eve", 8, false)]);
    world.talking("ada", Some(30));
    world.talking("eve", Some(30));
    world.close_person("ada");
    assert_eq!(book.bytes().len(), 0);
    world.run_for(secs(2));
    let (route, packet) = (world.peers[1].route, world.peers[1].last_rtp.clone());
    world.peers[1].microphone = None;
    world.run_for(ms(100));
    assert_eq!(world.restart(&book), ["speak-eve"], "with her next report");
    world.set_stage(&[("eve", 8, false)]);
    world.engine.release();
    assert_eq!(world.inject(route, &packet), 0);
    assert_eq!(world.report("speak-eve").packets_in, 0, "and nothing is taken twice");
}

#[test]
fn newcomer_after_a_kill_takes_nobodys_place_in_the_book() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    world.restart(&book);
    world.set_stage(&[("ada", 7, false)]);
    world.engine.release();
    world.connected_listener("zoe", 1);
    let mut restored = world.restart(&book);
    restored.sort();
    assert_eq!(restored, ["listen-bob", "listen-eve", "listen-zoe", "speak-ada"]);
}

#[test]
fn cells_of_a_view_that_everybody_left_serve_the_next_one() {
    let book = SharedBook::with_cells(1);
    let mut world = World::new();
    world.open_book(&book);
    for person in ["ann", "bob", "eve"] {
        world.connected_listener(person, 1);
        assert_eq!(book.bytes().len(), 1, "{person}");
        world.close_person(person);
    }
}

#[test]
fn every_record_is_written_anew_before_another_process_follows() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    book.tamper(Vec::clear);
    world.engine.keep_all();
    let mut restored = world.restart(&book);
    restored.sort();
    assert_eq!(restored, ["listen-bob", "listen-eve", "speak-ada"]);
}

#[test]
fn tag_comes_back_and_a_longer_one_is_refused() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    assert!(world.engine.tag_session("listen-bob", b"epoch 3"));
    assert!(!world.engine.tag_session("listen-bob", &[0; salon_engine::MAX_TAG_LEN + 1]));
    assert!(!world.engine.tag_session("listen-zoe", b""));
    let tags: HashMap<String, Vec<u8>> = world
        .replace_engine(&book)
        .into_iter()
        .map(|restored| {
            assert_eq!((&*restored.room, restored.direction == Direction::Speak), (ROOM, &*restored.person == "ada"));
            (restored.session.to_string(), restored.tag.to_vec())
        })
        .collect();
    assert_eq!((&*tags["listen-bob"], &*tags["listen-eve"]), (b"epoch 3".as_slice(), b"".as_slice()));
}

#[test]
fn record_that_cannot_be_read_is_dropped_and_erased() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    book.tamper(|record| {
        if String::from_utf8_lossy(record).contains("bob") {
            record.truncate(100);
        }
    });
    let mut restored = world.restart(&book);
    restored.sort();
    assert_eq!((restored, book.bytes().len()), (vec!["listen-eve".to_owned(), "speak-ada".to_owned()], 2));
}

#[test]
fn ice_restart_works_after_a_kill() {
    let book = SharedBook::default();
    let mut world = talking_room(&book);
    world.restart(&book);
    world.set_stage(&[("ada", 7, false)]);
    world.engine.release();
    let fragment = "a=ice-ufrag:next\r\na=ice-pwd:next+password+of+the+peer+1234\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n";
    let (answer, _) = world.engine.restart_ice("listen-bob", fragment).expect("accepted");
    let value = |name: &str| super::support::sdp::value(&answer, name).unwrap().to_owned();
    world.peers[1].theirs = (value("ice-ufrag"), value("ice-pwd"));
    world.peers[1].ufrag = "next".into();
    world.run_for(secs(3));
    // And once more: the credentials of the restart are in the book.
    world.restart(&book);
    world.set_stage(&[("ada", 7, false)]);
    world.engine.release();
    world.run_for(secs(30));
    assert_eq!(world.closed(), []);
    assert!(world.peers[1].heard.last().unwrap().at + ms(100) > world.now);
}

/// The invariant that SRTP rests on, with kills at every kind of moment: between inputs, and in the middle of a packet's fan-out.
#[test]
fn no_index_is_used_for_two_packets_whenever_the_engine_is_killed() {
    for seed in 0..12 {
        let mut random = StdRng::seed_from_u64(seed);
        let book = SharedBook::default();
        let mut world = talking_room(&book);
        world.connected_listener("zoe", 2);
        let everybody = ["ada", "bob", "eve", "zoe"];
        let mut sent: HashMap<(usize, u8, Vec<u8>), Vec<u8>> = HashMap::new();
        for _ in 0..120 {
            world.run_for(ms(random.random_range(0..150)));
            match random.random_range(0..6) {
                0 => {
                    // Who steps up or down changes view, and each time all numbers are chosen anew.
                    let stage: Vec<_> = (7..).zip(everybody).map(|(csrc, person)| (person, csrc, false)).collect();
                    world.set_stage(&stage[..random.random_range(1..=4)]);
                }
                1 => kill_in_the_fanout(&mut world, random.random_range(0..3)),
                2 => {
                    world.engine.keep_all();
                }
                _ => {}
            }
            if random.random_range(0..2) == 0 {
                world.restart(&book);
                world.set_stage(&[("ada", 7, false)]);
                world.engine.release();
            }
        }
        for (at, peer) in world.peers.iter().enumerate() {
            for heard in &peer.heard {
                let mut place = heard.ssrc.to_be_bytes().to_vec();
                place.extend(heard.index.to_be_bytes());
                let before = sent.insert((at, 0, place), heard.payload.clone());
                assert_eq!(before, None, "seed {seed}: {} of {} came twice", heard.index, peer.person);
            }
            assert_eq!(peer.undecipherable, 0, "seed {seed}: nobody loses their way");
        }
        assert!(sent.len() > 300, "seed {seed}: {}", sent.len());
    }
}

/// A process that is killed while it takes up the sessions leaves them to a third one.
#[test]
fn no_index_is_used_twice_when_a_successor_is_killed_at_its_start() {
    let mut changes = 0;
    loop {
        let book = SharedBook::default();
        let mut world = World::new();
        world.open_book(&book);
        world.set_stage(&[("ada", 7, false), ("zoe", 8, false)]);
        // Bob's place in the book is free again when Zoe comes: she stands before Eve, in whose view's lanes the numbers are.
        world.connected_listener("bob", 1);
        let eve = world.connected_listener("eve", 1);
        world.close_person("bob");
        world.speaker("zoe");
        world.run_until_connected(2);
        world.talking("ada", Some(30));
        world.run_for(secs(2));

        book.let_live_for(Some(changes));
        world.replace_engine(&book);
        let died = !book.let_live_for(None);
        world.restart(&book);
        world.set_stage(&[("ada", 7, false), ("zoe", 8, false)]);
        world.engine.release();
        world.run_for(secs(1));

        let eve = &world.peers[eve];
        let indices: std::collections::HashSet<u64> = eve.heard.iter().map(|heard| heard.index).collect();
        assert_eq!(indices.len(), eve.heard.len(), "killed after {changes} changes");
        assert!(eve.heard.len() > 140 && eve.undecipherable == 0, "killed after {changes} changes: {}", eve.heard.len());
        if !died {
            break;
        }
        changes += 1;
    }
    assert!(changes > 5, "{changes}");
}

/// Give the engine the speaker's next packet and take only some of what follows.
fn kill_in_the_fanout(world: &mut World, outputs: usize) {
    let now = world.now + ms(25);
    world.now = now;
    let route = world.peers[0].route;
    for datagram in world.peers[0].take_datagrams(now) {
        world.engine.handle_input(now, Input::Datagram { from: route, bytes: &datagram });
        for _ in 0..outputs {
            match world.engine.poll_output(now) {
                Output::Transmit(batch) => {
                    let batch: Vec<_> = batch.iter().map(|(to, bytes)| (to, bytes.to_vec())).collect();
                    batch.into_iter().for_each(|(to, bytes)| world.deliver(to, bytes));
                }
                Output::Deadline(_) => break,
                Output::Event(_) | Output::Speech(_) => {}
            }
        }
        world.drain(); // Lost with the process in some seeds, sent in others: both happen.
    }
}
