//! What a session needs in order to go on in another process: its record in the session book.
//!
//! The [`Book`] is memory that outlives the engine. A connected session has one record in it, and each of its moving numbers stands in a
//! *cell* that is set with every packet: the index of a lane, shared by all its listeners, and the highest index accepted from a speaker.
//! So the numbers are exact after a kill, and cost one store per packet, not per listener.
//!
//! **Invariant:** what the book says is never behind what was sent. A cell is set before the packet is made; a record that refers to a
//! cell is rewritten before the cell is used for anything else; a session's record is gone before its command returns.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::route::{Route, Transport};
use crate::sdp::{IceCredentials, MAX_SLOTS};
use crate::session::Formats;
use crate::srtp::{LAST_RTCP_INDEX, MAX_STREAMS, MasterKeys, Profile};

/// Longest record, bytes. A browser's takes about 600; one that would be longer is not kept, and its peer joins again.
pub const RECORD_LEN: usize = 2_032;
/// Raised with every change of the format: a book of another format is not read.
pub const RECORD_FORMAT: u32 = 3;
/// Longest tag, bytes.
pub const MAX_TAG_LEN: usize = 1_024;
/// SRTCP packets that a session might have sent since its record was written: a record is at most 3 s old, and what a session sends
/// follows from a report timer and from what its peer may send in that time, which is far less. 31 bits last for 32,000 restarts; a record
/// for which they do not is refused.
pub(crate) const RTCP_RESERVE: u32 = 1 << 16;

/// Memory that outlives the engine, with room for records and cells. Every call has happened when it returns.
pub trait Book: Send {
    /// How many records fit.
    fn slots(&self) -> usize;
    /// How many cells there are.
    fn cells(&self) -> usize;
    /// Put a record, of at most [`RECORD_LEN`] bytes, in the place of what stands in `slot`.
    fn write(&mut self, slot: usize, record: &[u8]);
    /// Leave nothing of what stands in `slot`.
    fn erase(&mut self, slot: usize);
    /// Set a cell.
    fn mark(&mut self, cell: usize, mark: Mark);
    /// The whole records that are there, with their slots; one that was being written when its writer died is none.
    fn records(&self) -> Vec<(usize, Vec<u8>)>;
    /// What a cell was last set to.
    fn mark_of(&self, cell: usize) -> Mark;
}

/// What a cell holds: an index, and for lanes the RTP time that goes with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// A lane's highest index; or a speaker's highest index accepted, the stream's number in the upper 16 bits.
    pub index: u64,
    /// Of the packet with that index.
    pub timestamp: u32,
    /// When it passed: milliseconds of uptime, modulo 2^32.
    pub at_ms: u32,
}

/// One session as it stands in the book.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SessionRecord {
    pub session: Arc<str>,
    pub room: Arc<str>,
    pub person: Arc<str>,
    /// The caller's own, given back as it is.
    pub tag: Arc<[u8]>,
    pub first_mid: String,
    pub ice: IceRecord,
    pub srtp: SrtpRecord,
    pub media: MediaRecord,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct IceRecord {
    pub ours: IceCredentials,
    pub theirs: IceCredentials,
    pub before_restart: Option<(IceCredentials, IceCredentials)>,
    /// UDP only: a TCP connection ends with the process.
    pub validated: Vec<Route>,
    pub selected: Option<Route>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SrtpRecord {
    pub profile: Profile,
    pub theirs: MasterKeys,
    pub ours: MasterKeys,
    /// The last one sent.
    pub rtcp_index: u32,
    /// (SSRC, highest index accepted).
    pub rtp_streams: Vec<(u32, u64)>,
    /// (SSRC, highest index accepted).
    pub rtcp_streams: Vec<(u32, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MediaRecord {
    Listen { formats: Formats, level_id: Option<u8>, slots: Vec<SlotRecord> },
    Speak { formats: Formats, level_id: Option<u8>, report_ssrc: u32, cell: Option<u32> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotRecord {
    pub ssrc: u32,
    pub numbering: Numbering,
    /// (packets, octets) for sender reports.
    pub sent: (u32, u32),
}

/// Where a listener's numbers of one slot are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// In the record itself: the index to give next, and RTP time at a moment.
    Own { next_index: u64, timestamp: u32, at_ms: u32 },
    /// At a constant distance from a lane's cell.
    Lane { cell: u32, index_distance: i64, timestamp_distance: u32 },
}

impl SessionRecord {
    /// None if it would be longer than [`RECORD_LEN`].
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Writer(Vec::with_capacity(RECORD_LEN));
        for text in [&self.session, &self.room, &self.person] {
            out.bytes(text.as_bytes());
        }
        out.bytes(&self.tag);
        out.bytes(self.first_mid.as_bytes());
        self.ice.write(&mut out);
        self.srtp.write(&mut out);
        self.media.write(&mut out);
        (out.0.len() <= RECORD_LEN).then_some(out.0)
    }

    /// None for what this format cannot be.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let record = Self {
            session: from.text()?.into(),
            room: from.text()?.into(),
            person: from.text()?.into(),
            tag: from.bytes()?.into(),
            first_mid: from.text()?.into(),
            ice: IceRecord::read(&mut from)?,
            srtp: SrtpRecord::read(&mut from)?,
            media: MediaRecord::read(&mut from)?,
        };
        from.0.is_empty().then_some(record)
    }
}

impl IceRecord {
    fn write(&self, out: &mut Writer) {
        out.credentials(&self.ours);
        out.credentials(&self.theirs);
        out.option(self.before_restart.as_ref(), |out, (ours, theirs)| {
            out.credentials(ours);
            out.credentials(theirs);
        });
        out.list(&self.validated, |out, route| out.route(*route));
        out.option(self.selected.as_ref(), |out, route| out.route(*route));
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            ours: from.credentials()?,
            theirs: from.credentials()?,
            before_restart: from.option(|from| Some((from.credentials()?, from.credentials()?)))?,
            validated: from.list(usize::MAX, Reader::route)?,
            selected: from.option(Reader::route)?,
        })
    }
}

impl SrtpRecord {
    fn write(&self, out: &mut Writer) {
        out.u8(self.profile.number());
        for keys in [&self.theirs, &self.ours] {
            out.bytes(keys.key());
            out.bytes(keys.salt());
        }
        out.u32(self.rtcp_index);
        for streams in [&self.rtp_streams, &self.rtcp_streams] {
            out.list(streams, |out, (ssrc, highest)| {
                out.u32(*ssrc);
                out.u64(*highest);
            });
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let profile = Profile::from_number(from.u8()?)?;
        let mut keys = || {
            let (key, salt) = (from.bytes()?, from.bytes()?);
            MasterKeys::checked(profile, key, salt)
        };
        let (theirs, ours) = (keys()?, keys()?);
        // Numbers that do not last for what may have been sent since are used up: none may be used twice.
        let rtcp_index = from.u32().filter(|index| *index <= LAST_RTCP_INDEX - RTCP_RESERVE)?;
        let mut streams = || from.list(MAX_STREAMS, |from| Some((from.u32()?, from.u64()?)));
        Some(Self { profile, theirs, ours, rtcp_index, rtp_streams: streams()?, rtcp_streams: streams()? })
    }
}

impl MediaRecord {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Listen { formats, level_id, slots } => {
                out.u8(0);
                out.formats(*formats);
                out.option(level_id.as_ref(), |out, id| out.u8(*id));
                out.list(slots, |out, slot| slot.write(out));
            }
            Self::Speak { formats, level_id, report_ssrc, cell } => {
                out.u8(1);
                out.formats(*formats);
                out.option(level_id.as_ref(), |out, id| out.u8(*id));
                out.u32(*report_ssrc);
                out.option(cell.as_ref(), |out, cell| out.u32(*cell));
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let kind = from.u8()?;
        let (formats, level_id) = (from.formats()?, from.option(Reader::u8)?);
        match kind {
            0 => Some(Self::Listen { formats, level_id, slots: from.list(MAX_SLOTS, SlotRecord::read)? }),
            1 => Some(Self::Speak { formats, level_id, report_ssrc: from.u32()?, cell: from.option(Reader::u32)? }),
            _ => None,
        }
    }
}

impl SlotRecord {
    fn write(&self, out: &mut Writer) {
        out.u32(self.ssrc);
        out.u32(self.sent.0);
        out.u32(self.sent.1);
        match self.numbering {
            Numbering::Own { next_index, timestamp, at_ms } => {
                out.u8(0);
                out.u64(next_index);
                out.u32(timestamp);
                out.u32(at_ms);
            }
            Numbering::Lane { cell, index_distance, timestamp_distance } => {
                out.u8(1);
                out.u32(cell);
                out.u64(index_distance.cast_unsigned());
                out.u32(timestamp_distance);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (ssrc, sent) = (from.u32()?, (from.u32()?, from.u32()?));
        let numbering = match from.u8()? {
            0 => Numbering::Own { next_index: from.u64()?, timestamp: from.u32()?, at_ms: from.u32()? },
            1 => Numbering::Lane { cell: from.u32()?, index_distance: from.u64()?.cast_signed(), timestamp_distance: from.u32()? },
            _ => return None,
        };
        Some(Self { ssrc, numbering, sent })
    }
}

impl std::fmt::Debug for SessionRecord {
    /// Without keys and passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionRecord").field("session", &self.session).field("media", &self.media).finish_non_exhaustive()
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    fn formats(&mut self, formats: Formats) {
        self.u8(formats.opus);
        self.option(formats.red.as_ref(), |out, red| out.u8(*red));
        self.u8(formats.nack.into());
    }

    /// What is too long for the length before it makes the record too long as a whole.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn option<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn list<T>(&mut self, values: &[T], write: impl Fn(&mut Self, &T)) {
        self.u8(u8::try_from(values.len()).unwrap_or(u8::MAX));
        values.iter().take(usize::from(u8::MAX)).for_each(|value| write(self, value));
    }

    fn credentials(&mut self, credentials: &IceCredentials) {
        self.bytes(credentials.ufrag.as_bytes());
        self.bytes(credentials.password.as_bytes());
    }

    /// Of UDP.
    fn route(&mut self, route: Route) {
        self.u8(route.local);
        match route.peer.ip() {
            IpAddr::V4(ip) => self.bytes(&ip.octets()),
            IpAddr::V6(ip) => self.bytes(&ip.octets()),
        }
        self.0.extend(route.peer.port().to_le_bytes());
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn formats(&mut self) -> Option<Formats> {
        let (opus, red) = (self.u8()?, self.option(Self::u8)?);
        let nack = match self.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Formats { opus, red, nack })
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.u8()? {
            0 => Some(None),
            1 => Some(Some(read(self)?)),
            _ => None,
        }
    }

    fn list<T>(&mut self, longest: usize, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let len = usize::from(self.u8()?);
        if len > longest { None } else { std::iter::repeat_with(|| read(self)).take(len).collect() }
    }

    fn credentials(&mut self) -> Option<IceCredentials> {
        Some(IceCredentials { ufrag: self.text()?.into(), password: self.text()?.into() })
    }

    fn route(&mut self) -> Option<Route> {
        let local = self.u8()?;
        let ip = self.bytes()?;
        let ip = match ip.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(ip).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(ip).ok()?),
        };
        Some(Route::udp_by(local, SocketAddr::new(ip, self.u16()?)))
    }
}

/// Routes that outlive the process.
pub(crate) fn lasting(route: &Route) -> bool {
    route.transport == Transport::Udp
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(ufrag: &str) -> IceCredentials {
        IceCredentials { ufrag: ufrag.into(), password: "p".repeat(24) }
    }

    fn record() -> SessionRecord {
        let by = |local, peer: &str| Route::udp_by(local, peer.parse().expect("an address"));
        let peers = [by(0, "192.0.2.1:1000"), by(255, "[2001:db8::1]:2000")];
        SessionRecord {
            session: "s".repeat(32).into(),
            room: "r".repeat(32).into(),
            person: "p".repeat(32).into(),
            tag: b"tag".as_slice().into(),
            first_mid: "0".into(),
            ice: IceRecord {
                ours: credentials("ours"),
                theirs: credentials("theirs"),
                before_restart: Some((credentials("old"), credentials("older"))),
                validated: peers.to_vec(),
                selected: Some(peers[1]),
            },
            srtp: SrtpRecord {
                profile: Profile::Aes128Gcm,
                theirs: MasterKeys::new(&[1; 16], &[2; 12]),
                ours: MasterKeys::new(&[3; 16], &[4; 12]),
                rtcp_index: 77,
                rtp_streams: vec![(5, 1 << 40)],
                rtcp_streams: vec![(6, 9)],
            },
            media: MediaRecord::Listen {
                formats: Formats { opus: 111, red: Some(63), nack: true },
                level_id: Some(1),
                slots: vec![
                    SlotRecord { ssrc: 1, numbering: Numbering::Own { next_index: 1 << 47, timestamp: 3, at_ms: 4 }, sent: (5, 6) },
                    SlotRecord { ssrc: 2, numbering: Numbering::Lane { cell: 7, index_distance: -8, timestamp_distance: 9 }, sent: (0, 0) },
                ],
            },
        }
    }

    #[test]
    fn record_reads_back() {
        let listen = record();
        let speak = SessionRecord {
            media: MediaRecord::Speak {
                formats: Formats { opus: 96, red: None, nack: false },
                level_id: None,
                report_ssrc: 8,
                cell: Some(3),
            },
            ..record()
        };
        for record in [listen, speak] {
            assert_eq!(SessionRecord::decode(&record.encode().expect("fits")), Some(record));
        }
    }

    #[test]
    fn record_cut_short_or_with_something_behind_it_is_none() {
        let mut bytes = record().encode().expect("fits");
        for len in 0..bytes.len() {
            assert_eq!(SessionRecord::decode(&bytes[..len]), None, "{len} bytes");
        }
        bytes.push(0);
        assert_eq!(SessionRecord::decode(&bytes), None);
    }

    #[test]
    fn record_whose_rtcp_numbers_do_not_last_is_refused() {
        let last = LAST_RTCP_INDEX - RTCP_RESERVE;
        for (rtcp_index, is_taken) in [(last, true), (last + 1, false), (LAST_RTCP_INDEX, false), (u32::MAX, false)] {
            let mut record = record();
            record.srtp.rtcp_index = rtcp_index;
            let taken = SessionRecord::decode(&record.encode().expect("fits"));
            assert_eq!(taken, is_taken.then_some(record), "{rtcp_index}");
        }
    }

    #[test]
    fn record_of_any_bytes_is_refused_without_harm() {
        let bytes = record().encode().expect("fits");
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                let _ = SessionRecord::decode(&changed); // Whatever it is: no panic.
            }
        }
    }

    #[test]
    fn record_that_does_not_fit_is_not_kept() {
        let long = SessionRecord { tag: vec![0; RECORD_LEN].into(), ..record() };
        assert_eq!(long.encode(), None);
        let longest = SessionRecord { tag: vec![0; MAX_TAG_LEN].into(), ..record() };
        assert!(longest.encode().is_some());
    }

    #[test]
    fn keys_are_not_shown() {
        let shown = format!("{:?}", record());
        assert!(shown.contains("sss") && !shown.contains("ppp"), "{shown}");
    }
}
