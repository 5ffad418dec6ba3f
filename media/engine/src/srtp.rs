//! SRTP and SRTCP: RFC 3711 (AES_CM_128_HMAC_SHA1_80) and RFC 7714 (AEAD_AES_128_GCM, AEAD_AES_256_GCM), keyed by DTLS (RFC 5764).
//!
//! One [`Inbound`] and one [`Outbound`] per session, and one [`OutboundRtp`] per listener. Session keys depend on the master key alone (the key derivation rate is always
//! zero), so one cipher serves all SSRCs of a direction; what is kept per SSRC is the packet index and the replay window.
//!
//! Outbound packets carry their 48-bit index as an argument: the fan-out computes it without touching any state per listener.
//! **Invariant:** an (SSRC, index) pair is used for one packet only; GCM and counter mode lose all secrecy otherwise.

mod cipher;
mod keys;
mod replay;

use crate::rtp::{self, RtpHeader};
use cipher::{RtcpCipher, RtpCipher};
pub(crate) use keys::{MasterKeys, Profile};
use replay::{ReplayWindow, RolloverEstimate};

/// SSRCs one peer may send from; they are never forgotten while the session lives, since that would forget their replay windows.
pub(crate) const MAX_STREAMS: usize = 4;

/// The last SRTCP index (RFC 3711 section 3.4): keys that have used it protect nothing any more.
pub(crate) const LAST_RTCP_INDEX: u32 = (1 << 31) - 1;
/// Below [`LAST_RTCP_INDEX`] by more than a session sends between two looks at [`Outbound::is_used_up`].
const RTCP_MARGIN: u32 = 1 << 10;

/// Why a packet was not accepted. Peers are told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not RTP or RTCP at all, or cut short.
    Malformed,
    /// The authentication tag does not match.
    Forged,
    /// Seen before, or too old to tell.
    Replayed,
    /// More SSRCs than [`MAX_STREAMS`].
    TooManyStreams,
}

/// The receiving half of a session's SRTP.
pub(crate) struct Inbound {
    rtp: RtpCipher,
    rtcp: RtcpCipher,
    streams: Vec<InboundStream>,
    /// Of the last packet accepted, in `streams`.
    current: Option<usize>,
    rtcp_windows: Vec<(u32, ReplayWindow)>,
}

struct InboundStream {
    ssrc: u32,
    rollover: RolloverEstimate,
    window: ReplayWindow,
}

/// An authenticated, decrypted RTP packet.
pub(crate) struct Unprotected {
    pub header: RtpHeader,
    /// The 48-bit packet index (RFC 3711 section 3.3.1).
    pub index: u64,
    /// Length of header and payload together, the tag cut off.
    pub len: usize,
}

impl Inbound {
    pub(crate) fn new(profile: Profile, keys: &MasterKeys) -> Self {
        Self {
            rtp: RtpCipher::new(profile, keys),
            rtcp: RtcpCipher::new(profile, keys),
            streams: Vec::new(),
            current: None,
            rtcp_windows: Vec::new(),
        }
    }

    /// Go on where another process stopped: what it may have accepted, up to these highest indices, is refused.
    ///
    /// rtp, rtcp: (SSRC, highest index accepted), [`MAX_STREAMS`] at most.
    pub(crate) fn restored(profile: Profile, keys: &MasterKeys, rtp: &[(u32, u64)], rtcp: &[(u32, u64)]) -> Self {
        let stream = |(ssrc, highest): &(u32, u64)| {
            let mut rollover = RolloverEstimate::new();
            rollover.accept(*highest);
            InboundStream { ssrc: *ssrc, rollover, window: ReplayWindow::closed_up_to(*highest) }
        };
        Self {
            streams: rtp.iter().map(stream).collect(),
            rtcp_windows: rtcp.iter().map(|(ssrc, highest)| (*ssrc, ReplayWindow::closed_up_to(*highest))).collect(),
            ..Self::new(profile, keys)
        }
    }

    /// (SSRC, highest index accepted) of each RTP stream.
    pub(crate) fn rtp_streams(&self) -> Vec<(u32, u64)> {
        self.streams.iter().filter_map(|stream| Some((stream.ssrc, stream.window.highest()?))).collect()
    }

    /// (SSRC, highest index accepted) of each sender of RTCP.
    pub(crate) fn rtcp_streams(&self) -> Vec<(u32, u64)> {
        self.rtcp_windows.iter().filter_map(|(ssrc, window)| Some((*ssrc, window.highest()?))).collect()
    }

    /// The number of the stream that the last packet accepted belongs to, and its highest index.
    pub(crate) fn newest(&self) -> Option<(usize, u64)> {
        let at = self.current?;
        Some((at, self.streams[at].window.highest()?))
    }

    /// Authenticate and decrypt `packet` in place. State moves only when the packet is genuine.
    pub(crate) fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<Unprotected, Refused> {
        let header = RtpHeader::parse(packet).ok_or(Refused::Malformed)?;
        let known = self.streams.iter().position(|stream| stream.ssrc == header.ssrc);
        let index = match known {
            Some(at) => self.streams[at].rollover.index_of(header.sequence),
            None if self.streams.len() == MAX_STREAMS => return Err(Refused::TooManyStreams),
            None => u64::from(header.sequence),
        };
        if let Some(at) = known
            && !self.streams[at].window.would_accept(index)
        {
            return Err(Refused::Replayed);
        }
        let len = self.rtp.open(packet, header.len, header.ssrc, index)?;
        let at = known.unwrap_or_else(|| {
            self.streams.push(InboundStream { ssrc: header.ssrc, rollover: RolloverEstimate::new(), window: ReplayWindow::new() });
            self.streams.len() - 1
        });
        self.current = Some(at);
        let stream = &mut self.streams[at];
        stream.window.accept(index);
        stream.rollover.accept(index);
        Ok(Unprotected { header, index, len })
    }

    /// Authenticate and decrypt a compound RTCP packet in place; returns its length without index and tag.
    pub(crate) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let ssrc = rtp::rtcp_sender(packet).ok_or(Refused::Malformed)?;
        let index = self.rtcp.index_of(packet).ok_or(Refused::Malformed)?;
        let known = self.rtcp_windows.iter().position(|(of, _)| *of == ssrc);
        match known {
            Some(at) if !self.rtcp_windows[at].1.would_accept(u64::from(index)) => {
                return Err(Refused::Replayed);
            }
            None if self.rtcp_windows.len() == MAX_STREAMS => return Err(Refused::TooManyStreams),
            _ => {}
        }
        let len = self.rtcp.open(packet, ssrc)?;
        let at = known.unwrap_or_else(|| {
            self.rtcp_windows.push((ssrc, ReplayWindow::new()));
            self.rtcp_windows.len() - 1
        });
        self.rtcp_windows[at].1.accept(u64::from(index));
        Ok(len)
    }
}

/// Protects a listener's RTP. Apart from [`Outbound`], since the fan-out keeps it beside what else it needs of the listener.
pub(crate) struct OutboundRtp(RtpCipher);

impl OutboundRtp {
    pub(crate) fn new(profile: Profile, keys: &MasterKeys) -> Self {
        Self(RtpCipher::new(profile, keys))
    }

    /// Encrypt the RTP packet that begins at `start` of `buffer`, whose header is `header_len` long, and append the tag.
    ///
    /// index: 48 bits, never used before with this SSRC; its low 16 bits are the header's sequence number.
    pub(crate) fn protect(&self, buffer: &mut Vec<u8>, start: usize, header_len: usize, ssrc: u32, index: u64) {
        self.0.seal(buffer, start, header_len, ssrc, index);
    }
}

/// Protects a session's RTCP.
pub(crate) struct Outbound {
    rtcp: RtcpCipher,
    rtcp_index: u32,
}

impl Outbound {
    pub(crate) fn new(profile: Profile, keys: &MasterKeys) -> Self {
        Self { rtcp: RtcpCipher::new(profile, keys), rtcp_index: 0 }
    }

    /// Go on behind the packets that another process sent. rtcp_index: none above it was sent.
    pub(crate) fn restored(profile: Profile, keys: &MasterKeys, rtcp_index: u32) -> Self {
        Self { rtcp_index, ..Self::new(profile, keys) }
    }

    /// Whether the indices for RTCP come to their end: the session must end before they do.
    pub(crate) fn is_used_up(&self) -> bool {
        self.rtcp_index > LAST_RTCP_INDEX - RTCP_MARGIN
    }

    /// Of the last RTCP packet sent; 0 before.
    pub(crate) fn rtcp_index(&self) -> u32 {
        self.rtcp_index
    }

    /// Encrypt the compound RTCP packet that begins at `start` of `buffer` and append index and tag.
    pub(crate) fn protect_rtcp(&mut self, buffer: &mut Vec<u8>, start: usize, ssrc: u32) {
        // RFC 3711 section 3.4: incremented before each packet, 31 bits; at one packet a second it lasts 68 years.
        debug_assert!(self.rtcp_index < LAST_RTCP_INDEX, "an index is used once");
        self.rtcp_index += 1;
        self.rtcp.seal(buffer, start, ssrc, self.rtcp_index);
    }
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("streams", &self.streams.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("rtcp_index", &self.rtcp_index).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OutboundRtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboundRtp").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
