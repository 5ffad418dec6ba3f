//! ICE-lite (RFC 8445 section 2.5): answer authenticated checks, learn the peer's route from them, follow its nomination.
//!
//! The STUN codec is the `is` crate's. Its agent is not used: a lite agent with one host candidate has no checklist, no timers and no
//! states, while `IceAgent` keeps candidate pairs and timers per session, and needs two calls and an allocation for each check.

use std::net::SocketAddr;

use hmac::{Hmac, KeyInit, Mac};
use is::stun::StunMessage;
use rand::{RngExt, rngs::StdRng};
use sha1::Sha1;

use crate::record::{IceRecord, lasting};
use crate::route::Route;
use crate::sdp::IceCredentials;

/// Routes one session may have validated at a time: a phone on Wi-Fi and cellular with IPv4 and IPv6 has four.
const MAX_VALIDATED: usize = 8;
/// Longest answer: header, XOR-MAPPED-ADDRESS with IPv6, MESSAGE-INTEGRITY, FINGERPRINT, with room for an error's text.
const MAX_ANSWER_LEN: usize = 160;

/// One session's side of ICE.
#[derive(Debug)]
pub(crate) struct IceLite {
    ours: IceCredentials,
    theirs: IceCredentials,
    /// Credentials before a restart, good until the first check with the new ones (RFC 8445 section 9: media goes on meanwhile).
    before_restart: Option<(IceCredentials, IceCredentials)>,
    validated: Vec<Route>,
    selected: Option<Route>,
}

/// What a genuine check leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CheckAnswer {
    pub bytes: Vec<u8>,
    /// False for a role conflict: such a check validates nothing.
    pub validates: bool,
}

/// The ufrag of ours that a check is addressed to, before any proof.
pub(crate) fn addressed_ufrag<'a>(message: &StunMessage<'a>) -> Option<&'a str> {
    message.username()?.split_once(':').map(|(ours, _)| ours)
}

/// 8 characters of ufrag (48 bits) and 24 of password (144 bits); RFC 8445 section 5.3 asks for 24 and 128.
pub(crate) fn random_credentials(random: &mut StdRng) -> IceCredentials {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut characters = |count: usize| (0..count).map(|_| char::from(ALPHABET[random.random_range(0..64)])).collect();
    IceCredentials { ufrag: characters(8), password: characters(24) }
}

impl IceLite {
    pub(crate) fn new(ours: IceCredentials, theirs: IceCredentials) -> Self {
        Self { ours, theirs, before_restart: None, validated: Vec::new(), selected: None }
    }

    /// Go on where another process stopped.
    pub(crate) fn restored(record: IceRecord) -> Self {
        let IceRecord { ours, theirs, before_restart, validated, selected } = record;
        Self { ours, theirs, before_restart, validated, selected }
    }

    pub(crate) fn record(&self) -> IceRecord {
        IceRecord {
            ours: self.ours.clone(),
            theirs: self.theirs.clone(),
            before_restart: self.before_restart.clone(),
            validated: self.validated.iter().copied().filter(lasting).collect(),
            selected: self.selected.filter(lasting),
        }
    }

    pub(crate) fn selected(&self) -> Option<Route> {
        self.selected
    }

    pub(crate) fn has_validated(&self, route: Route) -> bool {
        self.validated.contains(&route)
    }

    pub(crate) fn validated(&self) -> &[Route] {
        &self.validated
    }

    /// Our ufrags that a check may be addressed to now.
    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.ours).chain(self.before_restart.iter().map(|(ours, _)| ours)).map(|ours| ours.ufrag.as_str())
    }

    /// Begin a restart with fresh credentials on both sides. Returns the ufrag of an earlier restart that the peer never used.
    pub(crate) fn restart(&mut self, ours: IceCredentials, theirs: IceCredentials) -> Option<String> {
        let ours_before = std::mem::replace(&mut self.ours, ours);
        let theirs_before = std::mem::replace(&mut self.theirs, theirs);
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

    /// Answer a binding request. None, and nothing is to be sent, unless it proves knowledge of our password and of the peer's ufrag.
    pub(crate) fn answer_check(&self, message: &StunMessage<'_>, from: Route) -> Option<CheckAnswer> {
        let (ours, theirs) = message.username()?.split_once(':')?;
        let (ours, _) = std::iter::once((&self.ours, &self.theirs))
            .chain(self.before_restart.as_ref().map(|(ours, theirs)| (ours, theirs)))
            .find(|(our, their)| our.ufrag == ours && their.ufrag == theirs)?;
        if !message.verify(ours.password.as_bytes(), hmac_sha1) {
            return None;
        }
        // RFC 8445 section 7.3.1.1: a lite agent is always controlled, so a peer that says the same must change its mind.
        let validates = message.ice_controlled().is_none();
        let answer = if validates {
            StunMessage::binding_reply(message.trans_id(), unmapped(from.peer))
        } else {
            StunMessage::binding_role_conflict_reply(message.trans_id())
        };
        let mut bytes = vec![0; MAX_ANSWER_LEN];
        let len = answer.to_bytes(Some(ours.password.as_bytes()), &mut bytes, hmac_sha1).ok()?;
        bytes.truncate(len);
        Some(CheckAnswer { bytes, validates })
    }

    /// Note that `from` was proven. Returns a route that had to make room for it.
    pub(crate) fn validate(&mut self, from: Route, nominated: bool) -> Option<Route> {
        let mut forgotten = None;
        if !self.has_validated(from) {
            if self.validated.len() == MAX_VALIDATED {
                let at = self.validated.iter().position(|route| Some(*route) != self.selected).unwrap_or(0);
                forgotten = Some(self.validated.remove(at));
            }
            self.validated.push(from);
        }
        // Until the peer nominates, the first pair serves, so that DTLS need not wait.
        if nominated || self.selected.is_none() {
            self.selected = Some(from);
        }
        forgotten
    }

    /// The route is gone, as a connection that was closed. What is sent goes to the route that was proven last of those left, until the
    /// peer nominates another; with none left, sound waits for one.
    pub(crate) fn forget(&mut self, gone: Route) {
        self.validated.retain(|route| *route != gone);
        if self.selected == Some(gone) {
            self.selected = self.validated.last().copied();
        }
    }
}

/// An IPv4 peer of a dual-stack socket, as the peer knows itself.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
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
    use rand::SeedableRng;

    /// RFC 5769 section 2.1: a request by `evtj:h6vY` to whom the password `VOkJxbRl1RmTxUk/WvJxBt` belongs.
    const REQUEST: [u8; 108] = *b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
        \x00\x06\x00\x09evtj:h6vY   \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\
        \xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

    fn credentials(ufrag: &str, password: &str) -> IceCredentials {
        IceCredentials { ufrag: ufrag.into(), password: password.into() }
    }

    fn agent(password: &str) -> IceLite {
        IceLite::new(credentials("evtj", password), credentials("h6vY", "unknown to us, and not needed"))
    }

    fn route(text: &str) -> Route {
        Route::udp(text.parse().expect("an address"))
    }

    #[test]
    fn request_of_rfc_5769_is_genuine_only_with_its_password() {
        let message = StunMessage::parse(&REQUEST).expect("well formed");
        assert_eq!(addressed_ufrag(&message), Some("evtj"));
        assert_eq!(agent("VOkJxbRl1RmTxUk/WvJxBT").answer_check(&message, route("192.0.2.1:32853")), None);
        // Its sender says that it is controlled, as we always are: the genuine request is answered by a role conflict.
        let answer = agent("VOkJxbRl1RmTxUk/WvJxBt").answer_check(&message, route("192.0.2.1:32853")).expect("genuine");
        assert!(!answer.validates);
        assert_eq!(StunMessage::parse(&answer.bytes).expect("well formed").error_code().map(|(code, _)| code), Some(487));
    }

    #[test]
    fn answer_tells_an_ipv4_peer_of_a_dual_stack_socket_its_own_address() {
        let mut bytes = [0; 256];
        let request = StunMessage::binding_request("evtj:h6vY", is::stun::TransId::new(), true, 1, 1, false);
        let len = request.to_bytes(Some(b"password"), &mut bytes, hmac_sha1).expect("fits");
        let message = StunMessage::parse(&bytes[..len]).expect("well formed");
        let answer = agent("password").answer_check(&message, route("[::ffff:192.0.2.1]:4000")).expect("genuine");
        let answer = StunMessage::parse(&answer.bytes).expect("well formed");
        assert_eq!(answer.mapped_address(), Some("192.0.2.1:4000".parse().expect("an address")));
        assert!(answer.verify(b"password", hmac_sha1));
    }

    #[test]
    fn first_address_serves_until_the_peer_nominates() {
        let mut agent = agent("password");
        agent.validate(route("192.0.2.1:1"), false);
        agent.validate(route("192.0.2.1:2"), false);
        assert_eq!(agent.selected(), Some(route("192.0.2.1:1")));
        agent.validate(route("192.0.2.1:2"), true);
        assert_eq!(agent.selected(), Some(route("192.0.2.1:2")));
    }

    #[test]
    fn closed_route_is_replaced_by_the_one_proven_last_and_then_by_none() {
        let mut agent = agent("password");
        let tcp = Route::tcp(route("192.0.2.1:3").peer);
        agent.validate(route("192.0.2.1:1"), false);
        agent.validate(route("192.0.2.1:2"), false);
        agent.validate(tcp, true);
        agent.forget(route("192.0.2.1:1"));
        assert_eq!(agent.selected(), Some(tcp));
        agent.forget(tcp);
        assert_eq!((agent.selected(), agent.validated()), (Some(route("192.0.2.1:2")), &[route("192.0.2.1:2")][..]));
        agent.forget(route("192.0.2.1:2"));
        assert_eq!((agent.selected(), agent.validated()), (None, &[][..]));
        agent.validate(route("192.0.2.1:4"), false);
        assert_eq!(agent.selected(), Some(route("192.0.2.1:4")), "the first one serves, as at the start");
    }

    #[test]
    fn ninth_address_makes_another_be_forgotten_but_never_the_selected_one() {
        let mut agent = agent("password");
        for port in 1..=8 {
            assert_eq!(agent.validate(route(&format!("192.0.2.1:{port}")), port == 1), None);
        }
        assert_eq!(agent.validate(route("192.0.2.1:9"), false), Some(route("192.0.2.1:2")));
        assert_eq!(agent.selected(), Some(route("192.0.2.1:1")));
        assert_eq!(agent.validated().len(), 8);
    }

    #[test]
    fn credentials_are_long_random_and_of_the_allowed_letters() {
        let mut random = StdRng::seed_from_u64(1);
        let (one, other) = (random_credentials(&mut random), random_credentials(&mut random));
        assert_eq!((one.ufrag.len(), one.password.len()), (8, 24));
        assert!(one.ufrag != other.ufrag && one.password != other.password);
        assert!(IceCredentials::parse(Some(&one.ufrag), Some(&one.password)).is_ok());
    }
}
