//! Doors for fuzz targets into what is private: parsers, and ciphers with keys that both sides know. No release build has this module.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::dtls::DtlsIdentity;
use crate::engine::{Config, Engine};
use crate::record::SessionRecord;
use crate::room::packing::{Group, LONG_UNITS, OpusPacket};
use crate::rtp::red::Redundant;
use crate::rtp::{Feedback, RtpHeader, read_feedback};
use crate::sdp::{Direction, Fragment, Offer};
use crate::srtp::{Inbound, MasterKeys, Outbound, OutboundRtp, Profile, Refused};

/// An engine whose DTLS was set up once, by the first call: that takes longer than most inputs.
///
/// # Panics
///
/// If it could not be, or the configuration names no address.
#[must_use]
#[allow(clippy::expect_used)]
pub fn start(config: Config, now: Instant) -> Engine {
    static DTLS: OnceLock<DtlsIdentity> = OnceLock::new();
    let dtls = DTLS.get_or_init(|| DtlsIdentity::new(&mut StdRng::from_seed([1; 32])).expect("DTLS")).clone();
    Engine::with_identity(config, dtls, StdRng::from_seed([2; 32]), now).expect("an engine")
}

/// A protection profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// SRTP_AES128_CM_HMAC_SHA1_80.
    Counter,
    /// SRTP_AEAD_AES_128_GCM.
    Gcm,
    /// SRTP_AEAD_AES_256_GCM.
    LongGcm,
}

impl Cipher {
    /// All three, for a choice by number.
    pub const ALL: [Self; 3] = [Self::Counter, Self::Gcm, Self::LongGcm];

    /// The same for both directions and all sessions.
    pub(crate) fn keys(self) -> (Profile, MasterKeys) {
        match self {
            Self::Counter => (Profile::Aes128CmSha1, MasterKeys::new(&[1; 16], &[2; 14])),
            Self::Gcm => (Profile::Aes128Gcm, MasterKeys::new(&[1; 16], &[2; 12])),
            Self::LongGcm => (Profile::Aes256Gcm, MasterKeys::new(&[1; 32], &[2; 12])),
        }
    }
}

/// What became of a packet from the engine.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    /// Genuine and new.
    Rtp {
        /// Its stream.
        ssrc: u32,
        /// 48 bits.
        index: u64,
        /// Of the first CSRC, where there is one.
        csrc: Option<u32>,
    },
    /// Genuine, but its index was used before or is too old.
    Again,
    /// Not genuine.
    Forged,
}

/// A peer's half of SRTP, with the engine's own ciphers.
pub struct Peer {
    inbound: Inbound,
    rtp: OutboundRtp,
    outbound: Outbound,
}

impl Peer {
    /// Of a session that was connected by [`crate::Engine::pretend_connected`].
    #[must_use]
    pub fn new(cipher: Cipher) -> Self {
        let (profile, keys) = cipher.keys();
        Self { inbound: Inbound::new(profile, &keys), rtp: OutboundRtp::new(profile, &keys), outbound: Outbound::new(profile, &keys) }
    }

    /// header: as RTP has it, at least 12 bytes, else None. index: its low 16 bits replace the header's sequence number.
    #[must_use]
    pub fn protect_rtp(&self, packet: &[u8], index: u64) -> Option<Vec<u8>> {
        let mut packet = packet.to_vec();
        packet.get_mut(2..4)?.copy_from_slice(&index.to_be_bytes()[6..]);
        let header = RtpHeader::parse(&packet)?;
        self.rtp.protect(&mut packet, 0, header.len, header.ssrc, index);
        Some(packet)
    }

    /// compound: at least 8 bytes, else None.
    #[must_use]
    pub fn protect_rtcp(&mut self, compound: &[u8]) -> Option<Vec<u8>> {
        let ssrc = crate::rtp::rtcp_sender(compound)?;
        let mut packet = compound.to_vec();
        self.outbound.protect_rtcp(&mut packet, 0, ssrc);
        Some(packet)
    }

    /// Open a packet from the engine, as its receiver would.
    pub fn open_rtp(&mut self, packet: &[u8]) -> Opened {
        let mut packet = packet.to_vec();
        match self.inbound.unprotect_rtp(&mut packet) {
            Ok(opened) => Opened::Rtp {
                ssrc: opened.header.ssrc,
                index: opened.index,
                csrc: packet.get(12..16).filter(|_| packet[0] & 0x0f != 0).and_then(|csrc| Some(u32::from_be_bytes(csrc.try_into().ok()?))),
            },
            Err(Refused::Replayed) => Opened::Again,
            Err(_) => Opened::Forged,
        }
    }

    /// Whether a control packet from the engine is genuine and new.
    pub fn open_rtcp(&mut self, packet: &[u8]) -> bool {
        self.inbound.unprotect_rtcp(&mut packet.to_vec()).is_ok()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

/// Authenticate and decrypt, with state from packet to packet: an [`Inbound`].
#[derive(Debug)]
pub struct Receiver(Inbound);

impl Receiver {
    /// With the keys that [`Peer`] has.
    #[must_use]
    pub fn new(cipher: Cipher) -> Self {
        let (profile, keys) = cipher.keys();
        Self(Inbound::new(profile, &keys))
    }

    /// (index, header and payload), if genuine.
    pub fn take_rtp(&mut self, packet: &[u8]) -> Option<(u64, Vec<u8>)> {
        let mut packet = packet.to_vec();
        let unprotected = self.0.unprotect_rtp(&mut packet).ok()?;
        packet.truncate(unprotected.len);
        Some((unprotected.index, packet))
    }

    /// The compound packet, if genuine.
    pub fn take_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut packet = packet.to_vec();
        let len = self.0.unprotect_rtcp(&mut packet).ok()?;
        packet.truncate(len);
        Some(packet)
    }
}

/// Read everything of a plain RTP packet: (payload's length, bytes of extensions found).
#[must_use]
pub fn read_rtp(packet: &[u8]) -> Option<(usize, usize)> {
    let header = RtpHeader::parse(packet)?;
    let found = (0..=15).filter(|id| header.extension_byte(packet, *id).is_some()).count();
    Some((header.payload(packet)?.len(), found))
}

/// Read everything of a plain compound RTCP packet: how many reports and requested packets there are.
#[must_use]
pub fn read_rtcp(compound: &[u8]) -> usize {
    let mut found = 0;
    read_feedback(compound, |part| {
        found += match part {
            Feedback::Sender(_) | Feedback::Reception(_) => 1,
            Feedback::Nack(nack) => nack.sequences().count(),
        };
    });
    found
}

/// Read everything of redundant audio data: how many bytes its headers and frames have together.
#[must_use]
pub fn read_red(payload: &[u8]) -> Option<usize> {
    let redundant = Redundant::parse(payload)?;
    Some(1 + redundant.newest.len() + redundant.copies_newest_first().map(|copy| 4 + copy.payload.len()).sum::<usize>())
}

/// Put payloads together into long packets, each behind or before the ones that wait. What comes out must hold the same frames.
///
/// # Panics
///
/// If it does not, or is longer than a packet may be.
pub fn pack(payloads: &[&[u8]]) {
    let (mut group, mut frames): (Group, Vec<&[u8]>) = Default::default();
    let opus: Vec<OpusPacket<'_>> = payloads.iter().filter_map(|payload| OpusPacket::parse(payload)).collect();
    for packet in &opus {
        if !group.fits(packet) {
            check_packet(&group, &frames);
            group.clear();
            frames.clear();
        }
        if !group.fits(packet) {
            continue;
        }
        if frames.len() % 2 == 0 {
            group.append(packet);
            frames.extend(packet.frames());
        } else {
            group.prepend(packet);
            frames.splice(..0, packet.frames().iter().copied());
        }
    }
    check_packet(&group, &frames);
}

fn check_packet(group: &Group, frames: &[&[u8]]) {
    if frames.is_empty() {
        return;
    }
    let mut packet = Vec::new();
    group.write(&mut packet);
    assert!(packet.len() <= 1_200 && group.units() <= LONG_UNITS);
    assert_eq!(OpusPacket::parse(&packet).map(|read| read.frames() == frames), Some(true));
}

/// Whether an offer can be used.
#[must_use]
pub fn read_offer(text: &str, direction: Direction) -> bool {
    Offer::parse(text, direction).is_ok()
}

/// Whether an ICE restart's fragment can be used.
#[must_use]
pub fn read_fragment(text: &str) -> bool {
    Fragment::parse(text).is_ok()
}

/// Whether the bytes are a session's record. One that was read must be readable again once written.
///
/// # Panics
///
/// If it is not.
#[must_use]
pub fn read_record(bytes: &[u8]) -> bool {
    let Some(record) = SessionRecord::decode(bytes) else {
        return false;
    };
    assert!(record.encode().is_none_or(|encoded| SessionRecord::decode(&encoded).is_some()));
    true
}
