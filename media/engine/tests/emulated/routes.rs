//! Routes that end and routes that change: a connection that is closed, a phone that goes from Wi-Fi to cellular.

use std::time::Instant;

use salon_engine::{Direction, Input, Output, Route};

use super::support::peer::check;
use super::support::repair::Sender;
use super::support::{Peer, Repair, World, ms, secs};

const CELLULAR: &str = "203.0.113.200:4000";
const FRAGMENT: &str = "a=ice-ufrag:moved\r\na=ice-pwd:another+password+of+the+peer\r\n";

fn tcp(port: u16) -> Route {
    Route::tcp(([198, 51, 100, 7], port).into())
}

fn listener_over(world: &mut World, route: Route) -> usize {
    let peer = Peer::new(route, "bob", Direction::Listen, 1);
    let at = world.open(peer);
    world.run_until_connected(at);
    at
}

fn close_route(world: &mut World, route: Route) {
    world.engine.handle_input(world.now, Input::RouteClosed { route });
    world.drain();
}

/// The longest silence of a listener between two moments, with both ends.
fn longest_gap(world: &World, at: usize, from: Instant, until: Instant) -> std::time::Duration {
    let heard = world.peers[at].heard.iter().map(|heard| heard.at).filter(|at| (from..until).contains(at));
    let moments: Vec<Instant> = std::iter::once(from).chain(heard).chain([until]).collect();
    moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

#[test]
fn listener_over_tcp_is_answered_over_the_same_connection_alone() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = listener_over(&mut world, tcp(9_000));
    world.talking("ada", Some(30));
    let from = world.now;
    world.sent_to.clear();
    world.run_for(secs(1));
    assert_eq!(world.peers[bob].voices_since(from), [7]);
    assert!(world.sent_to.contains_key(&tcp(9_000)) && !world.sent_to.contains_key(&Route::udp(tcp(9_000).peer)));
}

#[test]
fn nothing_is_sent_to_who_opens_a_connection_from_the_same_address_later() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    listener_over(&mut world, tcp(9_000));
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    close_route(&mut world, tcp(9_000));
    world.peers[0].is_unplugged = true;
    world.sent_to.clear();
    world.run_for(secs(1));
    assert!(!world.sent_to.contains_key(&tcp(9_000)), "{:?}", world.sent_to);
    assert_eq!(world.closed(), [], "the session waits for another route");
    world.run_for(secs(15));
    assert_eq!(world.closed(), [("listen-bob", "timed_out")]);
}

#[test]
fn session_lives_on_over_the_connection_that_follows() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = listener_over(&mut world, tcp(9_000));
    world.talking("ada", Some(30));
    world.run_for(secs(1));
    close_route(&mut world, tcp(9_000));
    world.peers[bob].route = tcp(9_001);
    world.run_for(secs(3)); // its next check
    let from = world.now;
    world.run_for(secs(1));
    assert_eq!((world.peers[bob].voices_since(from), world.peers[bob].undecipherable), (vec![7], 0));
}

#[test]
fn session_whose_connection_ends_goes_on_over_its_other_route_at_once() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = listener_over(&mut world, Route::udp(([198, 51, 100, 7], 9_000).into()));
    world.talking("ada", Some(30));
    world.run_for(ms(500)); // its next check is two seconds away
    let check = check(&world.peers[bob].username(), &world.peers[bob].theirs.1);
    assert_eq!(world.inject(tcp(9_000), &check), 1);
    world.sent_to.clear();
    world.run_for(ms(200));
    assert!(world.sent_to[&tcp(9_000)] >= 10, "the peer's nomination is followed: {:?}", world.sent_to);
    close_route(&mut world, tcp(9_000));
    let from = world.now;
    world.run_for(ms(200));
    assert_eq!(world.peers[bob].voices_since(from), [7]);
}

#[test]
fn close_of_a_connection_that_proved_nothing_is_nothing() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    let route = Route::tcp(world.peers[bob].route.peer);
    close_route(&mut world, route);
    let from = world.now;
    world.run_for(ms(200));
    assert_eq!(world.peers[bob].voices_since(from), [7], "UDP from the same address is another route");
}

#[test]
fn from_wifi_to_cellular_by_an_ice_restart_the_gap_is_below_two_seconds_and_the_old_address_is_left_at_once() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let bob = world.connected_listener("bob", 1);
    world.talking("ada", Some(30));
    world.run_for(secs(2));
    let (wifi, moved_at) = (world.peers[bob].route, world.now);
    let captured = check(&world.peers[bob].username(), &world.peers[bob].theirs.1);
    // The phone notices within a second, and asks for a restart over the new network.
    world.peers[bob].route = Route::udp(CELLULAR.parse().unwrap());
    world.peers[bob].is_unplugged = true;
    world.run_for(secs(1));
    let (fragment, _) = world.engine.restart_ice("listen-bob", FRAGMENT).unwrap();
    world.drain();
    let now = world.now;
    let peer = &mut world.peers[bob];
    peer.is_unplugged = false;
    peer.ufrag = "moved".into();
    peer.password = "another+password+of+the+peer".into();
    peer.restart(now, &fragment);
    world.run_for(ms(100));
    world.sent_to.clear();
    world.run_for(secs(3));
    let gap = longest_gap(&world, bob, moved_at, world.now);
    assert!(gap < ms(1_200), "{gap:?}");
    assert!(!world.sent_to.contains_key(&wifi), "{:?}", world.sent_to);
    assert_eq!((world.peers[bob].undecipherable, world.closed()), (0, vec![]));
    assert_eq!(world.inject(wifi, &captured), 0, "whoever has the old address now cannot call the sound back by what was captured there");
}

#[test]
fn speaker_without_a_route_is_not_asked_for_lost_packets_again_and_again() {
    let mut world = World::new();
    world.set_stage(&[("ada", 7, false)]);
    let mut peer = Peer::new(tcp(9_000), "ada", Direction::Speak, 1);
    peer.repair = Repair { red: false, nack: true };
    let ada = world.open(peer);
    world.run_until_connected(ada);
    let now = world.now;
    world.peers[ada].open_microphone(now, Some(30));
    world.run_for(secs(1));
    world.peers[ada].next_frame();
    world.peers[ada].sender = Sender::default(); // Lost, and forgotten.
    world.run_for(ms(50));
    assert_eq!(world.peers[ada].sender.asked_for.len(), 1);
    world.peers[ada].microphone = None;
    close_route(&mut world, tcp(9_000));
    let end = world.now + secs(2);
    let mut timeouts = 0;
    loop {
        match world.engine.poll_output(world.now) {
            Output::Deadline(Some(at)) if at < end => {
                world.now = world.now.max(at);
                world.engine.handle_input(world.now, Input::Timeout);
                timeouts += 1;
            }
            Output::Deadline(_) => break,
            Output::Transmit(_) | Output::Event(_) | Output::Speech(_) => {}
        }
    }
    assert!(timeouts < 10, "{timeouts} in two seconds");
}
