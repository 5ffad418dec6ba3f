//! RTP and RTCP on the wire (RFC 3550, RFC 8285 header extensions, RFC 6464 audio level): reading what peers send, writing what they get.

mod feedback;
pub(crate) mod red;
mod rtcp;

pub(crate) use feedback::{Feedback, Nack, ReportBlock, read_feedback, write_nack};
pub(crate) use rtcp::{
    CLOCK_RATE_HZ, ReceptionStatistics, SenderInfo, rtcp_sender, to_rtp_units, write_empty_report, write_receiver_report,
    write_sender_report,
};

/// The fixed part of the header; CSRCs and extensions follow it.
const FIXED_LEN: usize = 12;
/// RFC 8285 section 4.2: the profile of one-byte extension headers.
const ONE_BYTE_PROFILE: u16 = 0xbede;
/// RFC 8285 section 4.3: the profile of two-byte headers, less its 4 "appbits".
const TWO_BYTE_PROFILE: u16 = 0x1000;

/// An RTP header, of a packet that may still be encrypted: the header is always in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// Bytes before the payload.
    pub len: usize,
    has_padding: bool,
    /// The header extension's profile and where its content lies.
    extension: Option<(u16, std::ops::Range<usize>)>,
}

impl RtpHeader {
    /// None if the bytes are no RTP packet of version 2, or its header does not fit.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let fixed = packet.first_chunk::<FIXED_LEN>()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut len = FIXED_LEN + 4 * usize::from(fixed[0] & 0x0f);
        let mut extension = None;
        if fixed[0] & 0x10 != 0 {
            let head = packet.get(len..)?.first_chunk::<4>()?;
            let content = len + 4..len + 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
            len = content.end;
            extension = Some((u16::from_be_bytes([head[0], head[1]]), content));
        }
        if packet.len() < len {
            return None;
        }
        Some(Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            len,
            has_padding: fixed[0] & 0x20 != 0,
            extension,
        })
    }

    /// The payload of the decrypted `packet`, padding cut off. None if the padding is longer than the payload.
    pub(crate) fn payload<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let payload = packet.get(self.len..)?;
        if !self.has_padding {
            return Some(payload);
        }
        let padding = usize::from(*payload.last()?);
        if padding == 0 {
            return None;
        }
        payload.get(..payload.len().checked_sub(padding)?)
    }

    /// The first byte of the extension `id`: for RFC 6464 the voice flag (high bit) and the level in -dBov.
    pub(crate) fn extension_byte(&self, packet: &[u8], id: u8) -> Option<u8> {
        let (profile, range) = self.extension.clone()?;
        let content = packet.get(range)?;
        if profile == ONE_BYTE_PROFILE {
            one_byte_extension(content, id)
        } else if profile & 0xfff0 == TWO_BYTE_PROFILE {
            two_byte_extension(content, id)
        } else {
            None
        }
    }
}

fn one_byte_extension(content: &[u8], wanted: u8) -> Option<u8> {
    let mut rest = content;
    while let Some((&head, after)) = rest.split_first() {
        let (id, len) = (head >> 4, usize::from(head & 0x0f) + 1);
        if head == 0 {
            rest = after; // padding
        } else if id == 15 {
            return None; // RFC 8285 section 4.2: stop here
        } else if id == wanted {
            return after.get(..len)?.first().copied();
        } else {
            rest = after.get(len..)?;
        }
    }
    None
}

fn two_byte_extension(content: &[u8], wanted: u8) -> Option<u8> {
    let mut rest = content;
    while let Some((&id, after)) = rest.split_first() {
        if id == 0 {
            rest = after; // padding
            continue;
        }
        let (&len, after) = after.split_first()?;
        if id == wanted {
            return after.get(..usize::from(len))?.first().copied();
        }
        rest = after.get(usize::from(len)..)?;
    }
    None
}

/// What a forwarded packet's header says to one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForwardedHeader {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// Names the speaker.
    pub csrc: u32,
    /// RFC 6464: the negotiated extension id (1..=14) and the byte to carry.
    pub level: Option<(u8, u8)>,
}

impl ForwardedHeader {
    /// Append the header; returns its length.
    pub(crate) fn write(&self, buffer: &mut Vec<u8>) -> usize {
        let first = 0x80 | if self.level.is_some() { 0x10 } else { 0 } | 1; // version 2, one CSRC
        let second = self.payload_type | if self.marker { 0x80 } else { 0 };
        let mut header = [0_u8; 24];
        header[0] = first;
        header[1] = second;
        header[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        header[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        header[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        header[12..16].copy_from_slice(&self.csrc.to_be_bytes());
        let mut len = 16;
        if let Some((id, level)) = self.level {
            header[16..18].copy_from_slice(&ONE_BYTE_PROFILE.to_be_bytes());
            header[19] = 1; // one 32-bit word
            header[20] = id << 4; // length 1 is written as 0
            header[21] = level;
            len = 24;
        }
        buffer.extend_from_slice(&header[..len]);
        len
    }
}

/// RFC 5761 section 4: with RTP and RTCP on one port, the second byte tells them apart.
pub(crate) fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet.get(1), Some(192..=223))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORWARDED: ForwardedHeader = ForwardedHeader {
        marker: true,
        payload_type: 111,
        sequence: 0x1234,
        timestamp: 0x5566_7788,
        ssrc: 0xaabb_ccdd,
        csrc: 77,
        level: Some((1, 0x80 | 30)),
    };

    #[test]
    fn forwarded_header_reads_back() {
        let mut packet = Vec::new();
        let len = FORWARDED.write(&mut packet);
        packet.extend_from_slice(b"opus");
        let header = RtpHeader::parse(&packet).expect("well formed");
        assert_eq!((header.len, header.marker, header.payload_type), (len, true, 111));
        assert_eq!((header.sequence, header.timestamp, header.ssrc), (0x1234, 0x5566_7788, 0xaabb_ccdd));
        assert_eq!(packet[12..16], 77_u32.to_be_bytes());
        assert_eq!(header.extension_byte(&packet, 1), Some(0x80 | 30));
        assert_eq!(header.extension_byte(&packet, 2), None);
        assert_eq!(header.payload(&packet), Some(&b"opus"[..]));
    }

    #[test]
    fn header_without_level_has_no_extension() {
        let mut packet = Vec::new();
        assert_eq!(ForwardedHeader { level: None, ..FORWARDED }.write(&mut packet), 16);
        assert_eq!(RtpHeader::parse(&packet).expect("well formed").extension_byte(&packet, 1), None);
    }

    #[test]
    fn cut_short_packets_are_refused_at_every_length() {
        let mut packet = Vec::new();
        let len = FORWARDED.write(&mut packet);
        for cut in 0..len {
            assert_eq!(RtpHeader::parse(&packet[..cut]), None, "{cut} bytes");
        }
    }

    #[test]
    fn padding_is_cut_off_and_impossible_padding_refused() {
        let mut packet = Vec::new();
        ForwardedHeader { level: None, ..FORWARDED }.write(&mut packet);
        packet[0] |= 0x20;
        packet.extend_from_slice(b"opus\0\0\x03");
        let header = RtpHeader::parse(&packet).expect("well formed");
        assert_eq!(header.payload(&packet), Some(&b"opus"[..]));
        for impossible in [0, 8, 255] {
            *packet.last_mut().expect("not empty") = impossible;
            assert_eq!(header.payload(&packet), None, "{impossible} bytes of padding");
        }
    }

    #[test]
    fn two_byte_extensions_are_read() {
        let content = [3, 0, 5, 2, 9, 9, 0, 7, 1, 42];
        assert_eq!(two_byte_extension(&content, 7), Some(42));
        assert_eq!(two_byte_extension(&content, 3), None, "empty");
        assert_eq!(two_byte_extension(&content[..9], 7), None, "cut short");
    }

    #[test]
    fn one_byte_extensions_stop_at_id_15() {
        assert_eq!(one_byte_extension(&[0, 0x21, 1, 2, 0x10, 42], 1), Some(42));
        assert_eq!(one_byte_extension(&[0xf0, 0, 0x10, 42], 1), None);
        assert_eq!(one_byte_extension(&[0x13, 1], 1), None, "cut short");
    }
}
