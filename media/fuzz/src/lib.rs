//! Fuzz targets: each takes any bytes, and panics if the engine breaks a promise.
//!
//! A target's bytes are a script (see [`Script`]) or the parser's own input. `media/fuzz/corpus/NAME/` keeps inputs that reach different code;
//! `cargo test -p salon-fuzz` replays them, `scripts/fuzz NAME SECONDS` looks for more.
//! A panic that the engine catches at a session's border is a finding too: the session's end as `internal` is one here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A panic is how a target says what it found.

mod checks;
mod handshake;
mod parsers;
mod play;
mod script;
#[path = "../../engine/tests/emulated/support/sdp.rs"]
#[allow(dead_code)]
mod sdp;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As the command line and the corpus name it.
    pub name: &'static str,
    /// Longest input worth trying, in bytes.
    pub longest: usize,
    /// Take one input.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "actions", longest: 1_024, run: play::actions },
    Target { name: "dtls", longest: 2_048, run: handshake::dtls },
    Target { name: "framing", longest: 4_096, run: parsers::framing },
    Target { name: "ingress", longest: 2_048, run: play::ingress },
    Target { name: "packing", longest: 4_096, run: parsers::packing },
    Target { name: "record", longest: 1_024, run: parsers::record },
    Target { name: "red", longest: 256, run: parsers::red },
    Target { name: "rtcp", longest: 512, run: parsers::rtcp },
    Target { name: "rtp", longest: 256, run: parsers::rtp },
    Target { name: "sdp_fragment", longest: 2_048, run: parsers::sdp_fragment },
    Target { name: "sdp_offer", longest: 8_192, run: parsers::sdp_offer },
    Target { name: "srtp", longest: 1_024, run: parsers::srtp },
    Target { name: "stun", longest: 512, run: play::stun },
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
