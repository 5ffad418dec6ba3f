//! Redundant audio data (RFC 2198): one RTP payload with the newest frame and copies of earlier ones.
//!
//! ```text
//! |1| block type (7) | timestamp offset (14) | block length (10) |   one of these for each copy, oldest first
//! |0| block type (7) |                                              the newest frame: all bytes that are left
//! | copies … | newest frame |
//! ```

/// The largest timestamp offset a block can tell: 341 ms at 48 kHz.
pub(crate) const MAX_OFFSET: u32 = (1 << 14) - 1;
/// The longest copy a block can tell.
pub(crate) const MAX_COPY_LEN: usize = (1 << 10) - 1;
/// Copies in one payload that are looked at; Chromium sends 1, and at most 9.
pub(crate) const MAX_COPIES: usize = 9;
const FOLLOWS: u8 = 0x80;
const COPY_HEADER_LEN: usize = 4;
/// Bytes of header for the newest frame.
const NEWEST_HEADER_LEN: usize = 1;

/// A payload taken apart, borrowed from the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redundant<'a> {
    /// Of the newest frame.
    pub payload_type: u8,
    pub newest: &'a [u8],
    headers: &'a [u8],
    copies: &'a [u8],
}

/// An earlier frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copied<'a> {
    pub payload_type: u8,
    /// How much earlier than the packet's timestamp, RTP units.
    pub offset: u32,
    pub payload: &'a [u8],
}

impl<'a> Redundant<'a> {
    /// None if a header or a block is cut short, or there are more than [`MAX_COPIES`].
    pub(crate) fn parse(payload: &'a [u8]) -> Option<Self> {
        let (mut headers_len, mut copies_len) = (0, 0);
        while payload.get(headers_len)? & FOLLOWS != 0 {
            let header = payload.get(headers_len..)?.first_chunk::<COPY_HEADER_LEN>()?;
            copies_len += block_len(*header);
            headers_len += COPY_HEADER_LEN;
            if headers_len > MAX_COPIES * COPY_HEADER_LEN {
                return None;
            }
        }
        let (headers, rest) = payload.split_at(headers_len);
        let (newest_header, blocks) = rest.split_first()?;
        let (copies, newest) = blocks.split_at_checked(copies_len)?;
        Some(Self { payload_type: newest_header & !FOLLOWS, newest, headers, copies })
    }

    /// The copies, newest first. Those of no length, which a sender may put in for a frame it did not send, are among them.
    pub(crate) fn copies_newest_first(&self) -> impl Iterator<Item = Copied<'a>> + use<'a> {
        let mut copies = self.copies;
        self.headers.rchunks_exact(COPY_HEADER_LEN).filter_map(move |header| {
            let header = *header.first_chunk::<COPY_HEADER_LEN>()?;
            let (earlier, payload) = copies.split_at_checked(copies.len().checked_sub(block_len(header))?)?;
            copies = earlier;
            let offset = u32::from(header[1]) << 6 | u32::from(header[2]) >> 2;
            Some(Copied { payload_type: header[0] & !FOLLOWS, offset, payload })
        })
    }
}

fn block_len(header: [u8; COPY_HEADER_LEN]) -> usize {
    usize::from(header[2] & 0x03) << 8 | usize::from(header[3])
}

/// Whether a frame can be copied into a packet `offset` RTP units later.
pub(crate) fn can_copy(offset: u32, payload: &[u8]) -> bool {
    (1..=MAX_OFFSET).contains(&offset) && (1..=MAX_COPY_LEN).contains(&payload.len())
}

/// How long a payload with these copies is, bytes.
pub(crate) fn redundant_len<'a>(copies: impl Iterator<Item = &'a [u8]>, newest: &[u8]) -> usize {
    NEWEST_HEADER_LEN + newest.len() + copies.map(|copy| COPY_HEADER_LEN + copy.len()).sum::<usize>()
}

/// Append a payload: `copies` as (offset, frame), oldest first, each one that [`can_copy`]; all frames of `payload_type`.
pub(crate) fn write_redundant(payload_type: u8, copies: &[(u32, &[u8])], newest: &[u8], buffer: &mut Vec<u8>) {
    for (offset, copy) in copies {
        debug_assert!(can_copy(*offset, copy));
        #[allow(clippy::cast_possible_truncation)] // 10 bits.
        let word = offset << 10 | copy.len() as u32;
        let [_, high, middle, low] = word.to_be_bytes();
        buffer.extend_from_slice(&[FOLLOWS | payload_type, high, middle, low]);
    }
    buffer.push(payload_type);
    for (_, copy) in copies {
        buffer.extend_from_slice(copy);
    }
    buffer.extend_from_slice(newest);
}

/// Name every block of a payload with `copies` copies.
pub(crate) fn name_blocks(payload: &mut [u8], copies: usize, payload_type: u8) {
    for header in payload.iter_mut().step_by(COPY_HEADER_LEN).take(copies) {
        *header = FOLLOWS | payload_type;
    }
    payload[copies * COPY_HEADER_LEN] = payload_type;
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, RngExt, SeedableRng};

    /// RFC 2198 section 4's layout, by hand: 20 ms and 40 ms old copies of 3 and 2 bytes.
    const BY_HAND: &[u8] = &[0x80 | 111, 0x1e, 0x00, 2, 0x80 | 111, 0x0f, 0x00, 3, 111, b'a', b'a', b'b', b'b', b'b', b'c'];

    #[test]
    fn payload_is_laid_out_as_the_rfc_says() {
        let mut written = Vec::new();
        write_redundant(111, &[(1_920, b"aa"), (960, b"bbb")], b"c", &mut written);
        assert_eq!(written, BY_HAND);
        assert_eq!(redundant_len([&b"aa"[..], b"bbb"].into_iter(), b"c"), BY_HAND.len());
    }

    #[test]
    fn payload_reads_back_newest_copy_first() {
        let parsed = Redundant::parse(BY_HAND).expect("well formed");
        assert_eq!((parsed.payload_type, parsed.newest), (111, &b"c"[..]));
        let copies: Vec<Copied<'_>> = parsed.copies_newest_first().collect();
        assert_eq!(
            copies,
            [Copied { payload_type: 111, offset: 960, payload: b"bbb" }, Copied { payload_type: 111, offset: 1_920, payload: b"aa" }]
        );
    }

    #[test]
    fn payload_without_copies_is_one_byte_longer_than_its_frame() {
        let parsed = Redundant::parse(&[111, 1, 2]).expect("well formed");
        assert_eq!((parsed.newest, parsed.copies_newest_first().count()), (&[1, 2][..], 0));
    }

    #[test]
    fn cut_headers_and_blocks_are_refused_at_every_length() {
        for cut in 0..BY_HAND.len() - 1 {
            assert_eq!(Redundant::parse(&BY_HAND[..cut]), None, "{cut} bytes");
        }
        assert!(Redundant::parse(&BY_HAND[..BY_HAND.len() - 1]).is_some_and(|parsed| parsed.newest.is_empty()));
    }

    #[test]
    fn more_copies_than_any_sender_makes_are_refused() {
        let of = |count: usize| [[0x80, 0, 4, 0].repeat(count), vec![111]].concat();
        assert!(Redundant::parse(&of(MAX_COPIES)).is_some());
        assert_eq!(Redundant::parse(&of(MAX_COPIES + 1)), None);
    }

    #[test]
    fn limits_of_the_fields_are_known() {
        let longest = vec![7; MAX_COPY_LEN];
        assert!(can_copy(MAX_OFFSET, &longest) && can_copy(1, b"x"));
        assert!(!can_copy(MAX_OFFSET + 1, b"x") && !can_copy(0, b"x") && !can_copy(960, b"") && !can_copy(960, &[7; MAX_COPY_LEN + 1]));
        let mut written = Vec::new();
        write_redundant(127, &[(MAX_OFFSET, &longest)], b"", &mut written);
        let copy = Redundant::parse(&written).and_then(|parsed| parsed.copies_newest_first().next()).expect("well formed");
        assert_eq!((copy.payload_type, copy.offset, copy.payload), (127, MAX_OFFSET, &longest[..]));
    }

    #[test]
    fn whatever_is_written_reads_back_and_whatever_is_read_lies_in_the_packet() {
        let mut random = StdRng::seed_from_u64(2198);
        for _ in 0..20_000 {
            let frames: Vec<Vec<u8>> = (0..random.random_range(0..=MAX_COPIES)).map(|_| bytes(&mut random, 1..=1_023)).collect();
            let copies: Vec<(u32, &[u8])> =
                frames.iter().rev().enumerate().map(|(at, frame)| ((at as u32 + 1) * 960, &frame[..])).rev().collect();
            let newest = bytes(&mut random, 0..=1_275);
            let mut written = Vec::new();
            write_redundant(111, &copies, &newest, &mut written);
            let parsed = Redundant::parse(&written).expect("just written");
            let read: Vec<(u32, &[u8])> = parsed.copies_newest_first().map(|copy| (copy.offset, copy.payload)).collect();
            assert_eq!(parsed.newest, newest);
            assert!(read.iter().rev().eq(copies.iter()));
        }
        for _ in 0..200_000 {
            let noise = bytes(&mut random, 0..=60);
            if let Some(parsed) = Redundant::parse(&noise) {
                let copied: usize = parsed.copies_newest_first().map(|copy| 4 + copy.payload.len()).sum();
                assert_eq!(copied + 1 + parsed.newest.len(), noise.len(), "every byte is used once: {noise:?}");
            }
        }
    }

    fn bytes(random: &mut StdRng, len: std::ops::RangeInclusive<usize>) -> Vec<u8> {
        let mut bytes = vec![0; random.random_range(len)];
        random.fill_bytes(&mut bytes);
        bytes
    }
}
