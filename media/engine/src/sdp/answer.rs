//! The answer: accepted audio sections with our transport, everything else at port 0.

use std::fmt;
use std::net::IpAddr;

use super::{AudioSection, Direction, IceCredentials, Offer, Section};
use crate::certificate::Fingerprint;

/// What fills an answer besides the offer. `Display` writes the SDP, lines ended by CR LF.
pub(crate) struct Answer<'a> {
    pub offer: &'a Offer,
    pub direction: Direction,
    pub ice: &'a IceCredentials,
    pub fingerprint: Fingerprint,
    pub candidates: &'a Candidates,
    /// A number for o=, unique to this answer.
    pub id: u64,
    /// For a listener one per accepted section, in order; for a speaker empty.
    pub slots: &'a [SlotStream],
}

/// The stream of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotStream {
    pub ssrc: u32,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines(f);
        let mids: Vec<&str> = self.offer.audio().map(|audio| audio.mid.as_str()).collect();
        lines.put("v=0")?;
        // The highest bit is left clear: RFC 8829 section 5.2.1.
        lines.put(format_args!("o=- {} 1 IN IP4 127.0.0.1", self.id >> 1))?;
        lines.put("s=-")?;
        lines.put("t=0 0")?;
        lines.put(format_args!("a=group:BUNDLE {}", mids.join(" ")))?;
        lines.put("a=ice-lite")?;
        lines.put("a=msid-semantic: WMS *")?;
        let mut slot = 0;
        for section in &self.offer.sections {
            match section {
                Section::Audio(audio) => {
                    self.put_audio(&mut lines, audio, slot)?;
                    slot += 1;
                }
                Section::Rejected { kind, protocol, format, mid } => {
                    lines.put(format_args!("m={kind} 0 {protocol} {format}"))?;
                    lines.put("c=IN IP4 0.0.0.0")?;
                    if let Some(mid) = mid {
                        lines.put(format_args!("a=mid:{mid}"))?;
                    }
                    lines.put("a=inactive")?;
                }
            }
        }
        Ok(())
    }
}

impl Answer<'_> {
    fn put_audio(&self, lines: &mut Lines<'_, '_>, audio: &AudioSection, slot: usize) -> fmt::Result {
        let AudioSection { mid, protocol, payload_type, .. } = audio;
        // A sender uses the first of the answer's formats that it knows: copies are wanted of a speaker, and kept for need to a listener.
        let formats = match (audio.red, self.direction) {
            (None, _) => payload_type.to_string(),
            (Some(red), Direction::Speak) => format!("{red} {payload_type}"),
            (Some(red), Direction::Listen) => format!("{payload_type} {red}"),
        };
        let address = self.candidates.addresses.first().copied().unwrap_or(IpAddr::from([127, 0, 0, 1]));
        let family = if address.is_ipv4() { "IP4" } else { "IP6" };
        lines.put(format_args!("m=audio {} {protocol} {formats}", self.candidates.port))?;
        lines.put(format_args!("c=IN {family} {address}"))?;
        lines.put(format_args!("a=mid:{mid}"))?;
        put_credentials(lines, self.ice)?;
        lines.put(format_args!("a=fingerprint:sha-256 {}", self.fingerprint))?;
        lines.put("a=setup:passive")?;
        lines.put(match self.direction {
            Direction::Listen => "a=sendonly",
            Direction::Speak => "a=recvonly",
        })?;
        lines.put("a=rtcp-mux")?;
        if audio.reduced_size_rtcp {
            lines.put("a=rtcp-rsize")?;
        }
        lines.put(format_args!("a=rtpmap:{payload_type} opus/48000/2"))?;
        // RFC 7587 section 7: speech is mono, DTX saves the silent packets, in-band FEC helps over lossy networks. What a speaker sends costs
        // every listener a packet, so that the shortest one has 20 ms.
        let least_ms = if self.direction == Direction::Speak { 20 } else { 10 };
        lines.put(format_args!("a=fmtp:{payload_type} minptime={least_ms};useinbandfec=1;usedtx=1;stereo=0;sprop-stereo=0"))?;
        if audio.nack {
            lines.put(format_args!("a=rtcp-fb:{payload_type} nack"))?;
        }
        if let Some(red) = audio.red {
            lines.put(format_args!("a=rtpmap:{red} red/48000/2"))?;
            lines.put(format_args!("a=fmtp:{red} {payload_type}/{payload_type}"))?;
        }
        if let Some(id) = audio.level_id {
            lines.put(format_args!("a=extmap:{id} urn:ietf:params:rtp-hdrext:ssrc-audio-level"))?;
        }
        if let Some(SlotStream { ssrc }) = self.slots.get(slot) {
            // RFC 5576: bundled slots are told apart by SSRC, which saves the MID in every packet.
            lines.put(format_args!("a=msid:slot-{slot} slot-{slot}"))?;
            lines.put(format_args!("a=ssrc:{ssrc} cname:salon"))?;
            lines.put(format_args!("a=ssrc:{ssrc} msid:slot-{slot} slot-{slot}"))?;
        }
        put_candidates(lines, self.candidates)
    }
}

pub(super) fn put_credentials(lines: &mut Lines<'_, '_>, ice: &IceCredentials) -> fmt::Result {
    lines.put(format_args!("a=ice-ufrag:{}", ice.ufrag))?;
    lines.put(format_args!("a=ice-pwd:{}", ice.password))
}

/// Where peers reach the engine.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    /// Most preferred first; at least one.
    pub addresses: Vec<IpAddr>,
    /// UDP.
    pub port: u16,
    /// Most preferred first.
    pub tcp_ports: Vec<u16>,
}

/// UDP first: TCP answers every loss with a pause, and is for networks that let nothing else out.
///
/// Priorities by RFC 8445 section 5.1.2.1, component 1, earlier addresses preferred. The type preferences are 126 for host candidates, and
/// 90 for those of TCP, which RFC 6544 section 4.2 wants below UDP's. There the local preference begins with that of the direction, 4 for
/// passive.
pub(super) fn put_candidates(lines: &mut Lines<'_, '_>, candidates: &Candidates) -> fmt::Result {
    let Candidates { addresses, port, tcp_ports } = candidates;
    let mut foundation = 0_u32;
    for address in addresses {
        foundation += 1;
        let priority = (126 << 24) | ((65_536 - foundation) << 8) | 255;
        lines.put(format_args!("a=candidate:{foundation} 1 udp {priority} {address} {port} typ host"))?;
    }
    for tcp_port in tcp_ports {
        for address in addresses {
            foundation += 1;
            let priority = (90 << 24) | (((4 << 13) | (8_192 - foundation)) << 8) | 255;
            lines.put(format_args!("a=candidate:{foundation} 1 tcp {priority} {address} {tcp_port} typ host tcptype passive"))?;
        }
    }
    lines.put("a=end-of-candidates")
}

/// Writes lines with the CR LF that RFC 8866 asks for.
pub(super) struct Lines<'a, 'f>(pub &'a mut fmt::Formatter<'f>);

impl Lines<'_, '_> {
    pub(super) fn put(&mut self, line: impl fmt::Display) -> fmt::Result {
        write!(self.0, "{line}")?;
        self.0.write_str("\r\n")
    }
}
