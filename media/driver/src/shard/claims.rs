//! Which shard has a route: what each tells the others, and where a datagram goes by that.
//!
//! Two shards may claim the same route. The first one has it until one of them has proven it; until then each may ask there.

use std::time::{Duration, Instant};

use salon_engine::{Input, Route, addressed_shard, answered_shard};

use super::Shard;
use crate::exchange::Owner;

/// How often routes that are no longer in use are given back.
const GIVE_BACK_INTERVAL: Duration = Duration::from_secs(2);
/// So many routes beyond twice those that were in use are looked through at once: who has a session can claim one with every check.
const MAX_OUT_OF_USE: usize = 1_024;

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// is_contested: from a route that another shard's session claims as well.
    Here {
        is_contested: bool,
    },
    To(usize),
    /// It names this shard, and comes from a route that another shard's session has proven, who must not be deafened by it.
    Nowhere,
}

impl Shard {
    /// A check goes to the shard that it is addressed to, and an answer to the one that asked, so that several may ask on a route until one
    /// has proven it; everything else to the one that has the route.
    pub(super) fn way_of(&self, from: Route, bytes: &[u8]) -> Way {
        if self.shared.exchange.shards() == 1 {
            return Way::Here { is_contested: false };
        }
        let other_owner = || self.shared.exchange.owner_of(from).filter(|owner| owner.shard != self.number);
        match bytes.first() {
            Some(0..=3) if let Some(named) = answered_shard(bytes).or_else(|| addressed_shard(bytes)) => {
                if named != self.number {
                    return Way::To(named);
                }
                match other_owner() {
                    Some(Owner { is_proved: true, .. }) => Way::Nowhere,
                    claimant => Way::Here { is_contested: claimant.is_some() },
                }
            }
            _ if self.engine.owns(from) => Way::Here { is_contested: false },
            _ => other_owner().map_or(Way::Here { is_contested: false }, |owner| Way::To(owner.shard)),
        }
    }

    /// Tell the other shards that a session here has `route`, and whether it has proven it, if they do not know.
    pub(super) fn tell_claim(&mut self, now: Instant, route: Route) {
        let is_proved = self.engine.has_proved(route);
        if !self.engine.owns(route) || self.claimed.get(&route) == Some(&is_proved) {
            return;
        }
        if self.shared.exchange.claim(route, Owner { shard: self.number, is_proved }) {
            self.claimed.insert(route, is_proved);
        } else {
            // Two at the same moment: the first one has it. The other's next check finds it contested, or proven.
            self.lose_route(now, route);
        }
    }

    pub(super) fn lose_route(&mut self, now: Instant, route: Route) {
        self.claimed.remove(&route);
        self.engine.handle_input(now, Input::RouteClosed { route });
        self.drain(now);
    }

    pub(super) fn give_back_routes(&mut self, now: Instant) {
        if self.claimed.is_empty() || (now < self.gives_back_at && self.claimed.len() < self.gives_back_from) {
            return;
        }
        self.gives_back_at = now + GIVE_BACK_INTERVAL;
        let gone: Vec<Route> = self.claimed.keys().copied().filter(|route| !self.engine.owns(*route)).collect();
        if !gone.is_empty() {
            self.shared.exchange.give_back(&gone, self.number);
            self.claimed.retain(|route, _| self.engine.owns(*route));
        }
        self.gives_back_from = 2 * self.claimed.len() + MAX_OUT_OF_USE;
        // What no check has changed: a handshake proves, too. Until that is told, a peer of another shard must still prove as much.
        let untold = |(route, told): (&Route, &bool)| (self.engine.has_proved(*route) != *told).then_some(*route);
        for route in self.claimed.iter().filter_map(untold).collect::<Vec<_>>() {
            self.tell_claim(now, route);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use hmac::{Hmac, KeyInit, Mac};
    use is::stun::{StunMessage, TransId};
    use salon_engine::{Direction, Engine, NewOffer};

    use super::super::tests::{HERE, engine_of, two_shards};
    use super::super::{Shard, Shared};
    use super::*;
    use crate::exchange::Transfer;
    use crate::socket::ReceivedDatagram;
    use crate::tcp::Inbox;

    const OFFER: &str = include_str!("../../../engine/src/sdp/corpus/chromium-speak.sdp");
    /// As the offer says.
    const PEERS_PASSWORD: &str = "YLbc+fY7Mkh7v4okfpIDokS8";
    const CLIENT_HELLO: [u8; 13] = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// What the peer of a session signs its checks with.
    struct Credentials {
        username: String,
        password: String,
    }

    impl Credentials {
        fn check(&self) -> Vec<u8> {
            signed(&StunMessage::binding_request(&self.username, TransId::new(), true, 1, 1, true), &self.password)
        }
    }

    fn signed(message: &StunMessage<'_>, password: &str) -> Vec<u8> {
        let mut bytes = vec![0; 256];
        let len = message.to_bytes(Some(password.as_bytes()), &mut bytes, |key, parts| {
            let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key).expect("any length");
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().into()
        });
        bytes.truncate(len.expect("fits"));
        bytes
    }

    fn open(engine: &mut Engine, person: &str) -> Credentials {
        let new = NewOffer { session: person, room: "room", person, direction: Direction::Speak, offer: OFFER };
        let answer = engine.open_session(Instant::now(), new).expect("opened").answer;
        let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).expect("in the answer");
        Credentials { username: format!("{}:POXT", value("a=ice-ufrag:")), password: value("a=ice-pwd:").to_owned() }
    }

    /// Two shards and a peer, in whose name anybody may send.
    struct Contest {
        shards: [Shard; 2],
        shared: Arc<Shared>,
        peer: UdpSocket,
        route: Route,
    }

    impl Contest {
        fn new(engines: [Engine; 2]) -> Self {
            let (shards, shared) = two_shards(engines);
            let peer = UdpSocket::bind((HERE, 0)).expect("a free port");
            peer.set_read_timeout(Some(Duration::from_secs(10))).expect("may be set");
            let route = Route::udp(peer.local_addr().expect("is bound"));
            Self { shards, shared, peer, route }
        }

        /// Let a datagram from the peer's address come to the socket of a shard, and both do what follows. How many bytes are sent then.
        fn arrive(&mut self, at: usize, bytes: &[u8]) -> u64 {
            let before = self.shared.bytes_out.load(Ordering::Relaxed);
            self.shards[at].take_or_pass_on(ReceivedDatagram { from: self.route, bytes, arrived: None });
            for at in [0, 1, 0] {
                self.shards[at].take_transfers(&mut Inbox::default());
            }
            self.shared.bytes_out.load(Ordering::Relaxed) - before
        }

        /// What comes to the peer next.
        fn receive(&self) -> Vec<u8> {
            let mut bytes = [0; 1_500];
            let len = self.peer.recv(&mut bytes).expect("in time");
            bytes[..len].to_vec()
        }

        fn owner(&self) -> Option<(usize, bool)> {
            self.shared.exchange.owner_of(self.route).map(|owner| (owner.shard, owner.is_proved))
        }

        fn owns(&self) -> [bool; 2] {
            [0, 1].map(|shard| self.shards[shard].engine.owns(self.route))
        }
    }

    fn is_question(bytes: &[u8]) -> bool {
        StunMessage::parse(bytes).expect("well formed").is_binding_request()
    }

    fn answers(bytes: &[u8], check: &[u8]) -> bool {
        let message = StunMessage::parse(bytes).expect("well formed");
        message.is_successful_binding_response() && message.trans_id() == StunMessage::parse(check).expect("well formed").trans_id()
    }

    fn answer_to(question: &[u8], password: &str) -> Vec<u8> {
        let question = StunMessage::parse(question).expect("well formed");
        signed(&StunMessage::binding_reply(question.trans_id(), SocketAddr::new(HERE, 9)), password)
    }

    /// Sessions of shards 0 and 1.
    fn contest() -> (Contest, Credentials, Credentials) {
        let mut engines = [engine_of(0), engine_of(1)];
        let (first, second) = (open(&mut engines[0], "eve"), open(&mut engines[1], "bob"));
        (Contest::new(engines), first, second)
    }

    #[test]
    fn routes_of_sessions_that_came_back_are_claimed_before_their_next_check() {
        let (route, mut engines) = (Route::udp(SocketAddr::new(HERE, 9)), [engine_of(0), engine_of(1)]);
        let check = open(&mut engines[1], "ada").check();
        engines[1].handle_input(Instant::now(), Input::Datagram { from: route, bytes: &check });
        let (shards, shared) = two_shards(engines);
        assert_eq!(shared.exchange.owner_of(route), Some(Owner { shard: 1, is_proved: false }));
        assert_eq!(shards[1].claimed, HashMap::from([(route, false)]));
    }

    #[test]
    fn route_that_one_shard_only_claims_goes_to_the_other_whose_peer_proves_it() {
        for [checks_at, answers_at] in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            let (mut contest, eve, bob) = contest();
            contest.arrive(0, &eve.check());
            contest.receive(); // is answered, as before anybody else has said the same
            assert_eq!((contest.owner(), contest.owns()), (Some((0, false)), [true, false]));

            let check = bob.check();
            contest.arrive(checks_at, &check);
            let question = contest.receive();
            assert!(is_question(&question), "is asked before being answered");
            assert_eq!((contest.owner(), contest.owns()), (Some((0, false)), [true, false]), "nothing is proven yet");
            assert_eq!(contest.shards[1].way_of(contest.route, &CLIENT_HELLO), Way::To(0));

            contest.arrive(answers_at, &answer_to(&question, PEERS_PASSWORD));
            assert!(answers(&contest.receive(), &check));
            assert_eq!((contest.owner(), contest.owns()), (Some((1, true)), [false, true]));
            assert_eq!(contest.shards[0].way_of(contest.route, &CLIENT_HELLO), Way::To(1));
            for at in [0, 1] {
                assert_eq!(contest.arrive(at, &eve.check()), 0, "it is Bob's now");
                assert!(contest.arrive(at, &bob.check()) > 0);
            }
            assert_eq!((contest.owner(), contest.owns()), (Some((1, true)), [false, true]));
        }
    }

    #[test]
    fn claims_and_answers_in_the_name_of_who_came_first_take_nothing_from_them() {
        let (mut contest, bob, eve) = contest();
        contest.arrive(1, &bob.check());
        contest.receive();
        for at in [0, 1] {
            let claim = eve.check();
            assert!(contest.arrive(at, &claim) <= claim.len() as u64);
            let mut guess = contest.receive();
            guess[19] ^= 1;
            assert_eq!(contest.arrive(at, &answer_to(&guess, PEERS_PASSWORD)), 0);
            assert_eq!((contest.owner(), contest.owns()), (Some((0, false)), [true, false]));
            let check = bob.check();
            contest.arrive(at, &check);
            assert!(answers(&contest.receive(), &check));
        }
        assert_eq!(contest.shards[1].way_of(contest.route, &CLIENT_HELLO), Way::To(0));
    }

    #[test]
    fn of_two_claims_at_the_same_moment_the_first_stands_and_the_other_may_still_be_proven() {
        let (mut contest, eve, bob) = contest();
        let (route, now) = (contest.route, Instant::now());
        contest.shards[1].engine.handle_input(now, Input::Datagram { from: route, bytes: &bob.check() });
        contest.shards[1].drain(now);
        contest.arrive(0, &eve.check());
        contest.shards[1].tell_claim(now, route);
        assert_eq!((contest.owner(), contest.owns()), (Some((0, false)), [true, false]));
        let both_answered = [contest.receive(), contest.receive()];
        assert!(both_answered.iter().all(|bytes| !is_question(bytes)));
        contest.arrive(1, &bob.check());
        let question = contest.receive();
        contest.arrive(1, &answer_to(&question, PEERS_PASSWORD));
        assert_eq!((contest.owner(), contest.owns()), (Some((1, true)), [false, true]));
    }

    #[test]
    fn proof_of_who_claimed_first_keeps_other_shards_out() {
        let mut engines = [engine_of(0), engine_of(1)];
        let [eve, bob, mallory] = [(0, "eve"), (0, "bob"), (1, "mallory")].map(|(shard, person)| open(&mut engines[shard], person));
        let mut contest = Contest::new(engines);
        contest.arrive(0, &eve.check());
        contest.receive();
        contest.arrive(0, &bob.check()); // of the same shard
        let question = contest.receive();
        assert_eq!(contest.owner(), Some((0, false)));
        contest.arrive(0, &answer_to(&question, PEERS_PASSWORD));
        assert_eq!(contest.owner(), Some((0, true)));
        assert_eq!(contest.arrive(1, &mallory.check()), 0);
    }

    #[test]
    fn shard_hears_that_it_has_lost_a_route_however_much_waits_for_it() {
        let (mut contest, eve, bob) = contest();
        contest.arrive(0, &eve.check());
        contest.receive();
        contest.arrive(1, &bob.check());
        let question = contest.receive();
        while contest.shared.exchange.send(0, Transfer::Unshare("nowhere".into())) {}
        contest.arrive(1, &answer_to(&question, PEERS_PASSWORD));
        assert_eq!((contest.owner(), contest.owns()), (Some((1, true)), [false, true]));
    }

    #[test]
    fn word_of_a_loss_is_outdated_by_a_later_claim() {
        let (mut contest, eve, _) = contest();
        contest.arrive(0, &eve.check());
        let exchange = &contest.shared.exchange;
        assert!(exchange.claim(contest.route, Owner { shard: 1, is_proved: true }));
        exchange.give_back(&[contest.route], 1);
        assert!(exchange.claim(contest.route, Owner { shard: 0, is_proved: false }));
        contest.shards[0].take_transfers(&mut Inbox::default());
        assert_eq!((contest.owner(), contest.owns()), (Some((0, false)), [true, false]));
    }

    #[test]
    fn proof_that_no_check_has_told_is_told_with_the_next_look() {
        let (mut contest, eve, bob) = contest();
        contest.arrive(0, &eve.check());
        contest.receive();
        contest.arrive(1, &bob.check());
        let question = contest.receive();
        contest.arrive(1, &answer_to(&question, PEERS_PASSWORD));
        let (shard, route) = (&mut contest.shards[1], contest.route);
        assert!(shard.shared.exchange.claim(route, Owner { shard: 1, is_proved: false }));
        shard.claimed.insert(route, false);
        shard.give_back_routes(Instant::now());
        assert_eq!((contest.owner(), contest.shards[1].claimed[&contest.route]), (Some((1, true)), true));
    }

    #[test]
    fn checks_from_ever_other_addresses_fill_no_table() {
        let (mut contest, eve, _) = contest();
        let now = Instant::now();
        contest.shards[0].gives_back_at = now + Duration::from_secs(60);
        let routes: Vec<Route> = (1..=4_000).map(|port| Route::udp(SocketAddr::new(Ipv4Addr::new(127, 0, 0, 2).into(), port))).collect();
        let mut most = 0;
        for from in &routes {
            contest.shards[0].take_datagram((*from, false), &eve.check(), None);
            contest.shards[0].give_back_routes(now);
            most = most.max(contest.shards[0].claimed.len());
        }
        assert!(most <= MAX_OUT_OF_USE + 16, "{most}");
        let told = routes.iter().filter(|route| contest.shared.exchange.owner_of(**route).is_some()).count();
        assert_eq!(told, contest.shards[0].claimed.len());
    }
}
