//! ICE-lite (RFC 8445 section 2.5): answer authenticated checks, learn the peer's route from them, follow its nomination.
//!
//! A check does not prove where it came from: whoever has a session, or has seen somebody's check, can send one with a victim's address as
//! its source. So once a session is in use, a further route must show that the peer receives there before anything else is sent to it:
//! by answering a check of ours, as every full agent does (RFC 8445 section 7.3; in spirit RFC 7675). Until then no more bytes go to a
//! route than came from it.
//!
//! The STUN codec is the `is` crate's. Its agent is not used: a lite agent with one host candidate has no checklist, no timers and no
//! states, while `IceAgent` keeps candidate pairs and timers per session, and needs two calls and an allocation for each check.

mod path;

use std::net::SocketAddr;

use hmac::{Hmac, KeyInit, Mac};
use is::stun::StunMessage;
use rand::{RngExt, rngs::StdRng};
use sha1::Sha1;

use crate::record::{IceRecord, lasting};
use crate::route::Route;
use crate::sdp::IceCredentials;
use path::Path;

/// Routes one session may have validated at a time: a phone on Wi-Fi and cellular with IPv4 and IPv6 has four.
const MAX_VALIDATED: usize = 8;
/// Longest message: a check with two ufrags of 256 characters; an answer has a fifth of that.
const MAX_MESSAGE_LEN: usize = 640;

/// One session's side of ICE.
#[derive(Debug)]
pub(crate) struct IceLite {
    ours: IceCredentials,
    theirs: IceCredentials,
    /// Credentials before a restart, good until the first check with the new ones (RFC 8445 section 9: media goes on meanwhile).
    before_restart: Option<(IceCredentials, IceCredentials)>,
    paths: Vec<Path>,
    selected: Option<Route>,
    /// The peer restarts, and no route has been selected by its new credentials yet. It doubts the old one, so that the first that is proven
    /// serves until it nominates: Chromium nominates only when it has given up the old pair itself, seconds later.
    unsettled: bool,
    /// The route that was selected before such a one. The peer may still send from there until it nominates.
    stood_in_for: Option<Route>,
    /// The handshake has begun: what is sent from now on is more than answers, and goes to another route only once that is proven.
    in_use: bool,
}

/// What a genuine check, or the answer to one of ours, leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// To be sent to where it came from.
    pub answers: Vec<Vec<u8>>,
    /// The route is validated now: DTLS is taken from it.
    pub validates: bool,
    /// A route that had to make room for it.
    pub forgotten: Option<Route>,
}

/// The ufrag of ours that a check is addressed to, before any proof.
pub(crate) fn addressed_ufrag<'a>(message: &StunMessage<'a>) -> Option<&'a str> {
    message.username()?.split_once(':').map(|(ours, _)| ours)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// 8 characters of ufrag (48 bits) and 24 of password (144 bits); RFC 8445 section 5.3 asks for 24 and 128. In front of the ufrag one
/// character says which shard it belongs to.
///
/// shard: below [`crate::MAX_SHARDS`].
pub(crate) fn random_credentials(random: &mut StdRng, shard: usize) -> IceCredentials {
    let mut characters = |count: usize| (0..count).map(|_| char::from(ALPHABET[random.random_range(0..64)])).collect::<String>();
    IceCredentials { ufrag: format!("{}{}", char::from(ALPHABET[shard]), characters(8)), password: characters(24) }
}

/// Which shard a datagram is addressed to, if it is a check with a user name of ours. Nothing is proven by that.
#[must_use]
pub fn addressed_shard(datagram: &[u8]) -> Option<usize> {
    let message = StunMessage::parse(datagram).ok().filter(StunMessage::is_binding_request)?;
    shard_of(*addressed_ufrag(&message)?.as_bytes().first()?)
}

/// Which shard's check a datagram answers, if it does: its transaction begins with that shard's character. Nothing is proven by that.
#[must_use]
pub fn answered_shard(datagram: &[u8]) -> Option<usize> {
    const SUCCESS: [u8; 2] = [0x01, 0x01];
    datagram.starts_with(&SUCCESS).then(|| datagram.get(8).copied().and_then(shard_of))?
}

fn shard_of(character: u8) -> Option<usize> {
    ALPHABET.iter().position(|present| *present == character)
}

impl IceLite {
    pub(crate) fn new(ours: IceCredentials, theirs: IceCredentials) -> Self {
        Self { ours, theirs, before_restart: None, paths: Vec::new(), selected: None, unsettled: false, stood_in_for: None, in_use: false }
    }

    /// Go on where another process stopped.
    pub(crate) fn restored(record: IceRecord) -> Self {
        let IceRecord { ours, theirs, before_restart, validated, selected } = record;
        let paths = validated.into_iter().map(|route| Path { is_proved: true, ..Path::new(route) }).collect();
        Self { ours, theirs, before_restart, paths, selected, unsettled: false, stood_in_for: None, in_use: true }
    }

    pub(crate) fn record(&self) -> IceRecord {
        IceRecord {
            ours: self.ours.clone(),
            theirs: self.theirs.clone(),
            before_restart: self.before_restart.clone(),
            validated: self.proved().filter(lasting).collect(),
            selected: self.selected.filter(lasting),
        }
    }

    pub(crate) fn selected(&self) -> Option<Route> {
        self.selected
    }

    /// Whether sound is taken from there.
    pub(crate) fn takes_from(&self, route: Route) -> bool {
        self.selected == Some(route) || self.stood_in_for == Some(route)
    }

    pub(crate) fn has_validated(&self, route: Route) -> bool {
        self.paths.iter().any(|path| path.route == route)
    }

    /// Whether the peer is known to receive there.
    pub(crate) fn has_proved(&self, route: Route) -> bool {
        self.paths.iter().any(|path| path.route == route && path.is_proved)
    }

    /// Whether a message has the transaction of a check of ours to `route`. Nothing is proven by that.
    pub(crate) fn has_asked(&self, message: &StunMessage<'_>, route: Route) -> bool {
        self.paths.iter().any(|path| path.route == route && path.question.as_ref().is_some_and(|question| question.is_named_by(message)))
    }

    pub(crate) fn validated(&self) -> impl Iterator<Item = Route> {
        self.paths.iter().map(|path| path.route)
    }

    /// Routes where the peer is known to receive; the selected one, once in use, is among them or was chosen by the handshake itself.
    fn proved(&self) -> impl Iterator<Item = Route> {
        self.paths.iter().filter(|path| path.is_proved || (self.in_use && Some(path.route) == self.selected)).map(|path| path.route)
    }

    /// DTLS has come.
    pub(crate) fn begin_use(&mut self) {
        self.in_use = true;
    }

    /// The handshake is done. Its cookie went to the selected route alone, or to one proven since, so the peer receives there.
    pub(crate) fn prove_selected(&mut self) {
        let selected = self.selected;
        self.paths.iter_mut().filter(|path| Some(path.route) == selected).for_each(|path| path.is_proved = true);
    }

    /// Our ufrags that a check may be addressed to now.
    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.ours).chain(self.before_restart.iter().map(|(ours, _)| ours)).map(|ours| ours.ufrag.as_str())
    }

    /// Begin a restart with fresh credentials on both sides. Returns the ufrag of an earlier restart that the peer never used.
    pub(crate) fn restart(&mut self, ours: IceCredentials, theirs: IceCredentials) -> Option<String> {
        let ours_before = std::mem::replace(&mut self.ours, ours);
        let theirs_before = std::mem::replace(&mut self.theirs, theirs);
        self.unsettled = true;
        if self.before_restart.is_some() {
            return Some(ours_before.ufrag); // What is in use stays in use.
        }
        self.before_restart = Some((ours_before, theirs_before));
        None
    }

    /// Our ufrag of before the restart, once the peer has used the new one: the old one is then forgotten.
    pub(crate) fn finish_restart(&mut self, message: &StunMessage<'_>) -> Option<String> {
        if addressed_ufrag(message) != Some(&self.ours.ufrag) {
            return None;
        }
        self.before_restart.take().map(|(ours, _)| ours.ufrag)
    }

    /// Take a binding request of `len` bytes. None, and nothing is to be sent, unless it proves knowledge of our password and of the
    /// peer's ufrag.
    ///
    /// is_contested: another session says the same of the route, so that it must be proven before it serves.
    pub(crate) fn on_check(
        &mut self,
        message: &StunMessage<'_>,
        (from, is_contested): (Route, bool),
        len: usize,
        random: &mut StdRng,
    ) -> Option<Checked> {
        let (ours, theirs) = self.credentials_for(message)?;
        if !message.verify(ours.password.as_bytes(), hmac_sha1) {
            return None;
        }
        // RFC 8445 section 7.3.1.1: a lite agent is always controlled, so a peer that says the same must change its mind.
        if message.ice_controlled().is_some() {
            let refusal = signed(StunMessage::binding_role_conflict_reply(message.trans_id()), &ours.password)?;
            return Some(Checked { answers: (refusal.len() <= len).then_some(refusal).into_iter().collect(), ..Checked::default() });
        }
        let (forgotten, at) = self.path_at(from);
        let is_selected = self.selected == Some(from);
        let is_newest = ours.ufrag == self.ours.ufrag;
        let is_chosen = message.use_candidate() || (self.unsettled && is_newest);
        if message.use_candidate() && is_newest && !self.unsettled {
            self.stood_in_for = None;
        }
        let path = &mut self.paths[at];
        path.credit += len;
        path.is_nominated |= is_chosen;
        if !path.is_proved && (is_contested || (self.in_use && !is_selected)) {
            path.waiting = Some((message.trans_id(), ours.password));
            let answers = path.ask(&format!("{}:{}", theirs.ufrag, ours.ufrag), theirs.password, random).into_iter().collect();
            return Some(Checked { answers, validates: true, forgotten });
        }
        let answer = signed(StunMessage::binding_reply(message.trans_id(), unmapped(from.peer)), &ours.password)?;
        // Until the peer nominates, the first pair serves, so that DTLS need not wait.
        if is_chosen || self.selected.is_none() {
            self.select(from, is_newest);
        }
        let is_free = self.paths[at].is_proved || (self.in_use && is_selected);
        let answers = (is_free || self.paths[at].spend(answer.len())).then_some(answer).into_iter().collect();
        Some(Checked { answers, validates: true, forgotten })
    }

    /// Take an answer to a check of ours. None unless it comes from where the check went, with its transaction and the peer's signature.
    pub(crate) fn on_answer(&mut self, message: &StunMessage<'_>, from: Route) -> Option<Checked> {
        let path = self.paths.iter_mut().find(|path| path.route == from)?;
        let question = path.question.take_if(|question| question.is_answered_by(message))?;
        let is_newest = question.password == self.theirs.password;
        path.is_proved = true;
        let is_nominated = path.is_nominated;
        let waiting = path.waiting.take();
        if is_nominated || self.selected.is_none() {
            self.select(from, is_newest);
        }
        let answer = waiting.and_then(|(id, password)| signed(StunMessage::binding_reply(id, unmapped(from.peer)), &password));
        Some(Checked { answers: answer.into_iter().collect(), validates: true, forgotten: None })
    }

    /// A check of ours to the selected route, to learn whether the peer is still there; with the credentials that it uses now.
    pub(crate) fn ask_selected(&mut self, random: &mut StdRng) -> Option<(Route, Vec<u8>)> {
        let route = self.selected?;
        let (ours, theirs) = self.before_restart.as_ref().map_or((&self.ours, &self.theirs), |(ours, theirs)| (ours, theirs));
        let (username, password) = (format!("{}:{}", theirs.ufrag, ours.ufrag), theirs.password.clone());
        let path = self.paths.iter_mut().find(|path| path.route == route)?;
        Some((route, path.ask(&username, password, random)?))
    }

    /// is_newest: by the newest credentials.
    fn select(&mut self, route: Route, is_newest: bool) {
        let before = self.selected.replace(route);
        if self.unsettled && is_newest {
            self.unsettled = false;
            self.stood_in_for = before.filter(|before| *before != route);
        }
        for path in &mut self.paths {
            path.is_nominated = false; // What was nominated before this is outdated, when it is proven late.
        }
    }

    /// (ours, theirs) that a check is addressed to, if there are such.
    fn credentials_for(&self, message: &StunMessage<'_>) -> Option<(IceCredentials, IceCredentials)> {
        let (ours, theirs) = message.username()?.split_once(':')?;
        std::iter::once((&self.ours, &self.theirs))
            .chain(self.before_restart.as_ref().map(|(ours, theirs)| (ours, theirs)))
            .find(|(our, their)| our.ufrag == ours && their.ufrag == theirs)
            .map(|(ours, theirs)| (ours.clone(), theirs.clone()))
    }

    /// Where the path of `route` stands, new or known, and which one had to make room for it. Those not proven go first.
    fn path_at(&mut self, route: Route) -> (Option<Route>, usize) {
        if let Some(at) = self.paths.iter().position(|path| path.route == route) {
            return (None, at);
        }
        let mut forgotten = None;
        if self.paths.len() == MAX_VALIDATED {
            let replaceable = |is_proved: bool| {
                let selected = self.selected;
                self.paths.iter().position(|path| path.is_proved == is_proved && Some(path.route) != selected)
            };
            let at = replaceable(false).or_else(|| replaceable(true)).unwrap_or(0);
            forgotten = Some(self.paths.remove(at).route);
        }
        self.paths.push(Path::new(route));
        (forgotten, self.paths.len() - 1)
    }

    /// As if a check and the handshake had come from `route`.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn pretend_selected(&mut self, route: Route) {
        let (_, at) = self.path_at(route);
        self.paths[at].is_proved = true;
        self.in_use = true;
        self.select(route, true);
    }

    /// The route is gone, as a connection that was closed. What is sent goes to the route that was proven last of those left, until the
    /// peer nominates another; with none left, sound waits for one.
    pub(crate) fn forget(&mut self, gone: Route) {
        self.paths.retain(|path| path.route != gone);
        self.stood_in_for = self.stood_in_for.filter(|route| *route != gone);
        if self.selected == Some(gone) {
            self.selected = if self.in_use { self.proved().last() } else { self.validated().last() };
        }
    }
}

/// An IPv4 peer of a dual-stack socket, as the peer knows itself.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The message with MESSAGE-INTEGRITY and FINGERPRINT.
fn signed(message: StunMessage<'_>, password: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; MAX_MESSAGE_LEN];
    let len = message.to_bytes(Some(password.as_bytes()), &mut bytes, hmac_sha1).ok()?;
    bytes.truncate(len);
    Some(bytes)
}

#[allow(clippy::expect_used)]
fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use is::stun::TransId;
    use rand::SeedableRng;

    /// RFC 5769 section 2.1: a request by `evtj:h6vY` to whom the password `VOkJxbRl1RmTxUk/WvJxBt` belongs.
    const REQUEST: [u8; 108] = *b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
        \x00\x06\x00\x09evtj:h6vY   \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\
        \xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

    const THEIR_PASSWORD: &str = "password of the one who checks";

    fn credentials(ufrag: &str, password: &str) -> IceCredentials {
        IceCredentials { ufrag: ufrag.into(), password: password.into() }
    }

    fn agent(password: &str) -> IceLite {
        IceLite::new(credentials("evtj", password), credentials("h6vY", THEIR_PASSWORD))
    }

    fn route(text: &str) -> Route {
        Route::udp(text.parse().expect("an address"))
    }

    /// Let the agent take a genuine check.
    fn check(agent: &mut IceLite, from: Route, nominates: bool) -> Checked {
        let username = format!("{}:{}", agent.ours.ufrag, agent.theirs.ufrag);
        let request = StunMessage::binding_request(&username, TransId::new(), true, 1, 1, nominates);
        let bytes = signed(request, &agent.ours.password).expect("fits");
        let message = StunMessage::parse(&bytes).expect("well formed");
        agent.on_check(&message, (from, false), bytes.len(), &mut StdRng::seed_from_u64(1)).expect("genuine")
    }

    /// What a peer at `from` answers to a check of the agent's.
    fn answer(agent: &mut IceLite, question: &[u8], password: &str, from: Route) -> Option<Checked> {
        let question = StunMessage::parse(question).expect("well formed");
        let bytes = signed(StunMessage::binding_reply(question.trans_id(), route("192.0.2.9:8004").peer), password).expect("fits");
        agent.on_answer(&StunMessage::parse(&bytes).expect("well formed"), from)
    }

    fn is_request(bytes: &[u8]) -> bool {
        StunMessage::parse(bytes).expect("well formed").is_binding_request()
    }

    #[test]
    fn further_route_is_selected_once_the_peer_has_answered_there_and_its_own_check_is_answered_then() {
        let mut agent = agent("password");
        let (first, second) = (route("192.0.2.1:1"), route("192.0.2.1:2"));
        check(&mut agent, first, true);
        agent.begin_use();
        let checked = check(&mut agent, second, true);
        assert!(checked.answers.len() == 1 && is_request(&checked.answers[0]));
        assert_eq!(agent.selected(), Some(first));
        let proved = answer(&mut agent, &checked.answers[0], THEIR_PASSWORD, second).expect("genuine");
        assert!(proved.answers.len() == 1 && !is_request(&proved.answers[0]));
        assert_eq!(agent.selected(), Some(second));
        let again = check(&mut agent, second, true);
        assert!(again.answers.len() == 1 && !is_request(&again.answers[0]), "known by now");
    }

    #[test]
    fn answer_proves_nothing_from_elsewhere_or_unsigned_or_to_another_question_or_twice() {
        let mut agent = agent("password");
        let (first, second) = (route("192.0.2.1:1"), route("192.0.2.1:2"));
        check(&mut agent, first, true);
        agent.begin_use();
        let question = check(&mut agent, second, true).answers.remove(0);
        let mut another = question.clone();
        another[19] ^= 1;
        assert_eq!(answer(&mut agent, &question, THEIR_PASSWORD, first), None, "from the old route");
        assert_eq!(answer(&mut agent, &question, THEIR_PASSWORD, route("192.0.2.1:3")), None, "from a route that never checked");
        assert_eq!(answer(&mut agent, &question, "password", second), None, "signed with our password");
        assert_eq!(answer(&mut agent, &another, THEIR_PASSWORD, second), None, "another transaction");
        assert_eq!(agent.selected(), Some(first));
        assert!(answer(&mut agent, &question, THEIR_PASSWORD, second).is_some());
        assert_eq!(answer(&mut agent, &question, THEIR_PASSWORD, second), None);
    }

    #[test]
    fn answer_names_the_shard_that_asked_and_nothing_else_does() {
        for shard in [0, 1, 63] {
            let mut random = StdRng::seed_from_u64(1);
            let ours = random_credentials(&mut random, shard);
            let mut agent = IceLite::new(ours, credentials("h6vY", THEIR_PASSWORD));
            check(&mut agent, route("192.0.2.1:1"), true);
            agent.begin_use();
            let mut question = check(&mut agent, route("192.0.2.1:2"), true).answers.remove(0);
            assert_eq!(answered_shard(&question), None, "a check");
            (question[0], question[1]) = (1, 0x11);
            assert_eq!(answered_shard(&question), None, "an error");
            question[1] = 1;
            assert_eq!((answered_shard(&question), addressed_shard(&question)), (Some(shard), None));
            assert_eq!(answered_shard(&question[..8]), None);
            question[8] = b'=';
            assert_eq!(answered_shard(&question), None, "of no shard");
        }
    }

    #[test]
    fn no_more_bytes_go_to_a_route_than_came_from_it_until_it_is_proven() {
        let mut agent = agent("password");
        check(&mut agent, route("192.0.2.1:1"), true);
        agent.begin_use();
        let victim = route("[2001:db8::1]:2");
        let small = StunMessage::binding_request("evtj:h6vY", TransId::new(), true, 1, 1, true);
        let len = signed(small, "password").expect("fits").len();
        let sent: usize = (0..10).flat_map(|_| check(&mut agent, victim, true).answers).map(|bytes| bytes.len()).sum();
        assert!(0 < sent && sent <= 10 * len, "{sent} of {}", 10 * len);
    }

    #[test]
    fn first_route_proven_after_a_restart_serves_without_nomination_until_there_is_one() {
        let mut agent = agent("password");
        let [old, first, second] = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"].map(route);
        check(&mut agent, old, true);
        agent.begin_use();
        agent.prove_selected();
        agent.restart(credentials("new-ours", "new password"), credentials("new-theirs", "another password of the one who checks"));
        let asked = [first, second].map(|from| check(&mut agent, from, false).answers.remove(0));
        assert_eq!(agent.selected(), Some(old), "nothing is proven yet");
        answer(&mut agent, &asked[0], "another password of the one who checks", first).expect("genuine");
        assert_eq!(agent.selected(), Some(first));
        assert!([old, first].iter().all(|route| agent.takes_from(*route)), "the peer may not have moved yet");
        answer(&mut agent, &asked[1], "another password of the one who checks", second).expect("genuine");
        assert_eq!(agent.selected(), Some(first), "the second waits for a nomination");
        check(&mut agent, second, true);
        assert_eq!(agent.selected(), Some(second));
        assert!([old, first].iter().all(|route| !agent.takes_from(*route)));
    }

    #[test]
    fn checks_with_credentials_of_before_a_restart_choose_nothing_without_nomination() {
        let mut agent = agent("password");
        let [old, other] = ["192.0.2.1:1", "192.0.2.1:2"].map(route);
        check(&mut agent, old, true);
        agent.begin_use();
        let late = StunMessage::binding_request("evtj:h6vY", TransId::new(), true, 1, 1, false);
        let late = signed(late, "password").expect("fits");
        agent.restart(credentials("new-ours", "new password"), credentials("new-theirs", "another password of the one who checks"));
        let message = StunMessage::parse(&late).expect("well formed");
        let asked = agent.on_check(&message, (other, false), late.len(), &mut StdRng::seed_from_u64(1)).expect("genuine").answers.remove(0);
        answer(&mut agent, &asked, THEIR_PASSWORD, other).expect("genuine");
        assert_eq!(agent.selected(), Some(old));
    }

    #[test]
    fn nomination_that_is_proven_late_does_not_undo_a_later_one() {
        let mut agent = agent("password");
        let [first, second, third] = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"].map(route);
        check(&mut agent, first, true);
        agent.begin_use();
        let slow = check(&mut agent, second, true).answers.remove(0);
        let quick = check(&mut agent, third, true).answers.remove(0);
        answer(&mut agent, &quick, THEIR_PASSWORD, third).expect("genuine");
        answer(&mut agent, &slow, THEIR_PASSWORD, second).expect("genuine");
        assert_eq!(agent.selected(), Some(third));
    }

    #[test]
    fn connection_needs_no_other_proof_than_that_it_was_opened() {
        let mut agent = agent("password");
        check(&mut agent, route("192.0.2.1:1"), true);
        agent.begin_use();
        let tcp = Route::tcp(route("192.0.2.1:2").peer);
        assert!(!is_request(&check(&mut agent, tcp, true).answers[0]));
        assert_eq!(agent.selected(), Some(tcp));
    }

    #[test]
    fn request_of_rfc_5769_is_genuine_only_with_its_password() {
        let message = StunMessage::parse(&REQUEST).expect("well formed");
        assert_eq!(addressed_ufrag(&message), Some("evtj"));
        let (from, random) = (route("192.0.2.1:32853"), &mut StdRng::seed_from_u64(1));
        assert_eq!(agent("VOkJxbRl1RmTxUk/WvJxBT").on_check(&message, (from, false), REQUEST.len(), random), None);
        // Its sender says that it is controlled, as we always are: the genuine request is answered by a role conflict.
        let checked = agent("VOkJxbRl1RmTxUk/WvJxBt").on_check(&message, (from, false), REQUEST.len(), random).expect("genuine");
        assert!(!checked.validates);
        assert_eq!(StunMessage::parse(&checked.answers[0]).expect("well formed").error_code().map(|(code, _)| code), Some(487));
    }

    #[test]
    fn answer_tells_an_ipv4_peer_of_a_dual_stack_socket_its_own_address() {
        let checked = check(&mut agent("password"), route("[::ffff:192.0.2.1]:4000"), false);
        let answer = StunMessage::parse(&checked.answers[0]).expect("well formed");
        assert_eq!(answer.mapped_address(), Some("192.0.2.1:4000".parse().expect("an address")));
        assert!(answer.verify(b"password", hmac_sha1));
    }

    #[test]
    fn first_address_serves_until_the_peer_nominates() {
        let mut agent = agent("password");
        check(&mut agent, route("192.0.2.1:1"), false);
        check(&mut agent, route("192.0.2.1:2"), false);
        assert_eq!(agent.selected(), Some(route("192.0.2.1:1")));
        check(&mut agent, route("192.0.2.1:2"), true);
        assert_eq!(agent.selected(), Some(route("192.0.2.1:2")));
    }

    #[test]
    fn closed_route_is_replaced_by_the_one_proven_last_and_then_by_none() {
        let mut agent = agent("password");
        let tcp = Route::tcp(route("192.0.2.1:3").peer);
        check(&mut agent, route("192.0.2.1:1"), false);
        check(&mut agent, route("192.0.2.1:2"), false);
        check(&mut agent, tcp, true);
        agent.forget(route("192.0.2.1:1"));
        assert_eq!(agent.selected(), Some(tcp));
        agent.forget(tcp);
        assert_eq!((agent.selected(), agent.validated().collect::<Vec<_>>()), (Some(route("192.0.2.1:2")), vec![route("192.0.2.1:2")]));
        agent.forget(route("192.0.2.1:2"));
        assert_eq!((agent.selected(), agent.validated().count()), (None, 0));
        check(&mut agent, route("192.0.2.1:4"), false);
        assert_eq!(agent.selected(), Some(route("192.0.2.1:4")), "the first one serves, as at the start");
    }

    #[test]
    fn ninth_address_makes_another_be_forgotten_but_never_the_selected_one() {
        let mut agent = agent("password");
        for port in 1..=8 {
            assert_eq!(check(&mut agent, route(&format!("192.0.2.1:{port}")), port == 1).forgotten, None);
        }
        assert_eq!(check(&mut agent, route("192.0.2.1:9"), false).forgotten, Some(route("192.0.2.1:2")));
        assert_eq!(agent.selected(), Some(route("192.0.2.1:1")));
        assert_eq!(agent.validated().count(), 8);
    }

    #[test]
    fn credentials_are_long_random_and_of_the_allowed_letters() {
        let mut random = StdRng::seed_from_u64(1);
        let (one, other) = (random_credentials(&mut random, 0), random_credentials(&mut random, 63));
        assert_eq!((one.ufrag.len(), one.password.len()), (9, 24));
        assert_eq!((&one.ufrag[..1], &other.ufrag[..1]), ("A", "/"));
        assert!(one.ufrag != other.ufrag && one.password != other.password);
        assert!(IceCredentials::parse(Some(&one.ufrag), Some(&one.password)).is_ok());
    }
}
