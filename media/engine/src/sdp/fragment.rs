//! ICE restarts by PATCH: fragments of type application/trickle-ice-sdpfrag (RFC 8840, RFC 9725 section 4.3.2).

use std::fmt;

use super::answer::{Candidates, Lines, put_candidates, put_credentials};
use super::lines::{self, Attributes};
use super::{IceCredentials, OfferRefused};

/// What a peer's fragment holds that matters here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub ice: IceCredentials,
}

impl Fragment {
    /// Credentials may stand before or inside a media section.
    pub(crate) fn parse(text: &str) -> Result<Self, OfferRefused> {
        let description = lines::parse_fragment(text)?;
        let value = |name: &str| description.session.value(name).or_else(|| description.media.iter().find_map(|media| media.value(name)));
        let (ufrag, password) = (value("ice-ufrag"), value("ice-pwd"));
        if ufrag.is_none() && password.is_none() {
            return Err(OfferRefused::new("no new credentials"));
        }
        Ok(Self { ice: IceCredentials::parse(ufrag, password)? })
    }
}

/// Our side of a restart.
pub(crate) fn write_fragment(ice: &IceCredentials, mid: &str, candidates: &Candidates) -> String {
    struct Display<'a>(&'a IceCredentials, &'a str, &'a Candidates);
    impl fmt::Display for Display<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut lines = Lines(f);
            lines.put("a=ice-lite")?;
            put_credentials(&mut lines, self.0)?;
            lines.put("m=audio 9 UDP/TLS/RTP/SAVPF 0")?;
            lines.put(format_args!("a=mid:{}", self.1))?;
            put_candidates(&mut lines, self.2)
        }
    }
    Display(ice, mid, candidates).to_string()
}
