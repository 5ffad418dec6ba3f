//! Opus packets of several frames, put together from shorter ones without decoding anything (RFC 6716 section 3.2).
//!
//! ```text
//! | configuration (5) | stereo (1) | code (2) |       code 0: one frame; 1: two of one length; 2: two; 3: as many as the next byte says
//! | variable (1) | padded (1) | frames (6) |          code 3 only; then how much padding there is, where there is some
//! | lengths, of all but the last | frames … | padding |
//! ```
//!
//! Frames go together if they have the same configuration and stereo flag: they are in the one byte that all of them share.

/// How much speech a long packet has: 60 ms at 48 kHz.
pub(crate) const LONG_UNITS: u32 = 48 * 60;
/// Of 2.5 ms each.
const MAX_FRAMES: usize = 24;
/// The longest frame (RFC 6716 section 3.2.1).
const MAX_FRAME_LEN: usize = 1_275;
/// Longest payload that is put together: with our header and the tag it makes 1,200 bytes, which pass every path that IPv6 does.
const MAX_PACKED_LEN: usize = 1_200 - 24 - 16;
/// A frame that carries no speech: silence that is not sent (DTX).
const LONGEST_SILENT_FRAME: usize = 1;
/// Lengths from this on take two bytes.
const TWO_BYTE_LEN: usize = 252;
const CODE: u8 = 0b11;

/// A payload taken apart, borrowed from the packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpusPacket<'a> {
    /// Configuration and stereo flag, code 0.
    toc: u8,
    frames: [&'a [u8]; MAX_FRAMES],
    count: usize,
}

impl<'a> OpusPacket<'a> {
    /// None if it is not to be packed: not understood, frames of more than 20 ms, more than 60 ms in all, or silence.
    pub(crate) fn parse(payload: &'a [u8]) -> Option<Self> {
        let (toc, rest) = payload.split_first()?;
        let mut packet = Self { toc: toc & !CODE, frames: [&[]; MAX_FRAMES], count: 0 };
        match toc & CODE {
            0 => packet.push(rest)?,
            1 => packet.push_equal(rest, 2)?,
            2 => packet.push_of_lengths(rest, 2)?,
            _ => packet.push_many(rest)?,
        }
        let is_silent = packet.frames().iter().all(|frame| frame.len() <= LONGEST_SILENT_FRAME);
        (!is_silent && frame_units(packet.toc)? <= 48 * 20 && packet.units() <= LONG_UNITS).then_some(packet)
    }

    pub(crate) fn frames(&self) -> &[&'a [u8]] {
        &self.frames[..self.count]
    }

    /// How long it lasts, RTP units.
    pub(crate) fn units(&self) -> u32 {
        units(self.toc, self.count)
    }

    fn push(&mut self, frame: &'a [u8]) -> Option<()> {
        *self.frames.get_mut(self.count)? = frame;
        self.count += 1;
        (frame.len() <= MAX_FRAME_LEN).then_some(())
    }

    fn push_equal(&mut self, frames: &'a [u8], count: usize) -> Option<()> {
        if count == 0 || count > MAX_FRAMES || !frames.len().is_multiple_of(count) {
            return None;
        }
        let len = frames.len() / count;
        (0..count).try_for_each(|at| self.push(&frames[at * len..(at + 1) * len]))
    }

    fn push_of_lengths(&mut self, bytes: &'a [u8], count: usize) -> Option<()> {
        if count == 0 || count > MAX_FRAMES {
            return None;
        }
        let (mut lens, mut rest) = ([0; MAX_FRAMES], bytes);
        for len in &mut lens[..count - 1] {
            (*len, rest) = take_len(rest)?;
        }
        for len in &lens[..count - 1] {
            let (frame, after) = rest.split_at_checked(*len)?;
            self.push(frame)?;
            rest = after;
        }
        self.push(rest)
    }

    fn push_many(&mut self, bytes: &'a [u8]) -> Option<()> {
        let (header, mut rest) = bytes.split_first()?;
        let mut padding = 0;
        if header & 0x40 != 0 {
            loop {
                let (more, after) = rest.split_first()?;
                rest = after;
                padding += usize::from(*more).min(254);
                if *more != 255 {
                    break;
                }
            }
        }
        let rest = &rest[..rest.len().checked_sub(padding)?];
        let count = usize::from(header & 0x3f);
        if header & 0x80 == 0 { self.push_equal(rest, count) } else { self.push_of_lengths(rest, count) }
    }
}

/// How long one frame is, RTP units at 48 kHz (RFC 6716 section 3.1, table 2). None for those that no long packet is made of.
fn frame_units(toc: u8) -> Option<u32> {
    let configuration = toc >> 3;
    let of_ten_ms = |quarters: u32| 48 * 10 * quarters / 4;
    match configuration {
        16.. => Some(of_ten_ms(1 << (configuration % 4))),
        12.. => Some(of_ten_ms(4 << (configuration % 2))),
        _ => (configuration % 4 < 2).then(|| of_ten_ms(4 << (configuration % 4))),
    }
}

#[allow(clippy::cast_possible_truncation)] // At most 24 frames.
fn units(toc: u8, count: usize) -> u32 {
    frame_units(toc).unwrap_or(LONG_UNITS) * count as u32
}

/// (a length, what follows it)
fn take_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let first = usize::from(*first);
    if first < TWO_BYTE_LEN {
        return Some((first, rest));
    }
    let (second, rest) = rest.split_first()?;
    Some((first + 4 * usize::from(*second), rest))
}

#[allow(clippy::cast_possible_truncation)] // A frame has at most 1,275 bytes.
fn write_len(len: usize, buffer: &mut Vec<u8>) {
    if len < TWO_BYTE_LEN {
        buffer.push(len as u8);
    } else {
        let first = TWO_BYTE_LEN + len % 4;
        buffer.extend_from_slice(&[first as u8, ((len - first) / 4) as u8]);
    }
}

/// Frames that wait to become one packet.
#[derive(Debug, Default)]
pub(crate) struct Group {
    toc: u8,
    bytes: Vec<u8>,
    lens: [usize; MAX_FRAMES],
    count: usize,
}

impl Group {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// How long it lasts, RTP units.
    pub(crate) fn units(&self) -> u32 {
        if self.count == 0 { 0 } else { units(self.toc, self.count) }
    }

    /// Whether it may take a packet's frames in: of the same kind, not more than 60 ms and 1,160 bytes together.
    pub(crate) fn fits(&self, packet: &OpusPacket<'_>) -> bool {
        let lens = self.lens[..self.count].iter().copied().chain(packet.frames().iter().map(|frame| frame.len()));
        let longest = 2 + lens.map(|len| len + if len < TWO_BYTE_LEN { 1 } else { 2 }).sum::<usize>();
        (self.count == 0 || self.toc == packet.toc) && self.units() + packet.units() <= LONG_UNITS && longest <= MAX_PACKED_LEN
    }

    /// Take in a packet that fits, behind what is here.
    pub(crate) fn append(&mut self, packet: &OpusPacket<'_>) {
        debug_assert!(self.fits(packet));
        self.toc = packet.toc;
        for frame in packet.frames() {
            self.bytes.extend_from_slice(frame);
            self.lens[self.count] = frame.len();
            self.count += 1;
        }
    }

    /// Take in a packet that fits, before what is here.
    pub(crate) fn prepend(&mut self, packet: &OpusPacket<'_>) {
        debug_assert!(self.fits(packet));
        self.toc = packet.toc;
        self.bytes.splice(..0, packet.frames().concat());
        self.lens.copy_within(..self.count, packet.count);
        for (len, frame) in self.lens.iter_mut().zip(packet.frames()) {
            *len = frame.len();
        }
        self.count += packet.count;
    }

    /// Append everything that is here as one packet, by the shortest of the codes. There is a frame at least.
    pub(crate) fn write(&self, buffer: &mut Vec<u8>) {
        let lens = &self.lens[..self.count];
        let are_equal = lens.windows(2).all(|pair| pair[0] == pair[1]);
        match (lens, are_equal) {
            ([] | [_], _) => buffer.push(self.toc),
            ([_, _], true) => buffer.push(self.toc | 1),
            ([first, _], false) => {
                buffer.push(self.toc | 2);
                write_len(*first, buffer);
            }
            #[allow(clippy::cast_possible_truncation)] // At most 24 frames.
            ([but_the_last @ .., _], _) => {
                buffer.extend_from_slice(&[self.toc | 3, u8::from(!are_equal) << 7 | self.count as u8]);
                if !are_equal {
                    but_the_last.iter().for_each(|len| write_len(*len, buffer));
                }
            }
        }
        buffer.extend_from_slice(&self.bytes);
    }
}

#[cfg(test)]
mod tests;
