//! ICE-lite (RFC 8445 section 2.5): answer authenticated checks, learn the peer's address from them, follow its nomination.
//!
//! The STUN codec is the `is` crate's. Its agent is not used: a lite agent with one host candidate has no checklist, no timers and no
//! states, while `IceAgent` keeps candidate pairs and timers per session, and needs two calls and an allocation for each check.

use std::net::SocketAddr;

use hmac::{Hmac, KeyInit, Mac};
use is::stun::StunMessage;
use rand::{RngExt, rngs::StdRng};
use sha1::Sha1;

use crate::sdp::IceCredentials;

/// Addresses one session may have validated at a time: a phone on Wi-Fi and cellular with IPv4 and IPv6 has four.
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
    validated: Vec<SocketAddr>,
    selected: Option<SocketAddr>,
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

    pub(crate) fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    pub(crate) fn has_validated(&self, address: SocketAddr) -> bool {
        self.validated.contains(&address)
    }

    pub(crate) fn validated(&self) -> &[SocketAddr] {
        &self.validated
    }

    /// Our ufrags that a check may be addressed to now.
    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.ours).chain(self.before_restart.iter().map(|(ours, _)| ours)).map(|ours| ours.ufrag.as_str())
    }

    /// Begin a restart with fresh credentials on both sides. Returns the ufrag that is no longer valid, if an earlier restart was under way.
    pub(crate) fn restart(&mut self, ours: IceCredentials, theirs: IceCredentials) -> Option<String> {
        let ours_before = std::mem::replace(&mut self.ours, ours);
        let theirs_before = std::mem::replace(&mut self.theirs, theirs);
        self.before_restart.replace((ours_before, theirs_before)).map(|(ours, _)| ours.ufrag)
    }

    /// Our ufrag of before the restart, once the peer has used the new one: the old one is then forgotten.
    pub(crate) fn finish_restart(&mut self, message: &StunMessage<'_>) -> Option<String> {
        if addressed_ufrag(message) != Some(&self.ours.ufrag) {
            return None;
        }
        self.before_restart.take().map(|(ours, _)| ours.ufrag)
    }

    /// Answer a binding request. None, and nothing is to be sent, unless it proves knowledge of our password and of the peer's ufrag.
    pub(crate) fn answer_check(&self, message: &StunMessage<'_>, from: SocketAddr) -> Option<CheckAnswer> {
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
            StunMessage::binding_reply(message.trans_id(), unmapped(from))
        } else {
            StunMessage::binding_role_conflict_reply(message.trans_id())
        };
        let mut bytes = vec![0; MAX_ANSWER_LEN];
        let len = answer.to_bytes(Some(ours.password.as_bytes()), &mut bytes, hmac_sha1).ok()?;
        bytes.truncate(len);
        Some(CheckAnswer { bytes, validates })
    }

    /// Note that `from` was proven. Returns an address that had to make room for it.
    pub(crate) fn validate(&mut self, from: SocketAddr, nominated: bool) -> Option<SocketAddr> {
        let mut forgotten = None;
        if !self.has_validated(from) {
            if self.validated.len() == MAX_VALIDATED {
                let at = self.validated.iter().position(|address| Some(*address) != self.selected).unwrap_or(0);
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
