//! SDP as WHIP and WHEP use it: one offer in, one answer out (RFC 8866, RFC 8829, RFC 9725).
//!
//! `lines` knows the grammar, `offer` what this engine can use, `answer` what it says, `fragment` ICE restarts.
//! Candidates of the peer are ignored: the peer's address is learned from its authenticated checks alone.

mod answer;
mod fragment;
mod lines;
mod offer;

use std::fmt;

pub(crate) use answer::{Answer, Candidates, SlotStream};
pub(crate) use fragment::{Fragment, write_fragment};
pub(crate) use offer::{AudioSection, Offer, Section};

/// Longest offer, bytes. Chromium's, with one audio section, is about 2 KiB; with candidates and three sections under 8.
pub const MAX_SDP_LEN: usize = 32 * 1024;
/// Media sections of any kind in one offer.
const MAX_SECTIONS: usize = 8;
/// Lines in one offer.
const MAX_LINES: usize = 1_000;
/// RFC 8839 section 5.4: ufrag 4 to 256 characters, password 22 to 256.
const MAX_CREDENTIAL_LEN: usize = 256;
/// Audio sections of a listener; each is a slot.
pub const MAX_SLOTS: usize = 3;

/// Which way a session's sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the engine to the peer (WHEP).
    Listen,
    /// From the peer to the engine (WHIP).
    Speak,
}

/// The peer's SDP cannot be used. The message is a sentence naming what is wrong, safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRefused(pub String);

impl OfferRefused {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for OfferRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OfferRefused {}

/// A user fragment and its password (RFC 8839 section 5.4).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    pub ufrag: String,
    pub password: String,
}

impl IceCredentials {
    /// Parse the peer's pair, or say what is wrong with it.
    pub(crate) fn parse(ufrag: Option<&str>, password: Option<&str>) -> Result<Self, OfferRefused> {
        let ufrag = checked_credential(ufrag, "a=ice-ufrag", 4)?;
        let password = checked_credential(password, "a=ice-pwd", 22)?;
        Ok(Self { ufrag, password })
    }
}

fn checked_credential(value: Option<&str>, name: &str, shortest: usize) -> Result<String, OfferRefused> {
    let value = value.ok_or_else(|| OfferRefused::new(format!("The line {name} is missing.")))?;
    if !(shortest..=MAX_CREDENTIAL_LEN).contains(&value.len()) {
        return Err(OfferRefused::new(format!("{name} must have {shortest} to {MAX_CREDENTIAL_LEN} characters.")));
    }
    if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/') {
        return Err(OfferRefused::new(format!("{name} may hold letters, digits, + and / only.")));
    }
    Ok(value.to_owned())
}

impl fmt::Debug for IceCredentials {
    /// Without the password: whoever has it can answer checks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
