//! Long packets: frames that follow each other wait in a lane until they are one packet.
//!
//! What is packed has no index while it waits: each packet gets the one after the highest when it is done. So here numbers alone tell no
//! listener of a loss; the hole in RTP time does. Nothing waits longer than [`PATIENCE`].
//!
//! Where a packet ends is told by the speaker's clock: where it passes the lane's [`Turn`]. So the lanes of a large audience's parts, each
//! with a turn of its own, never fall into step, and a third of the audience is sent to every 20 ms instead of all of it every 60.

use std::time::{Duration, Instant};

use super::{FRAME_UNITS, Following, Lane, LanePosition, StreamKey, UplinkPosition};
use crate::room::packing::{Group, LONG_UNITS, OpusPacket};

/// From the first frame's coming: as long as a long packet lasts.
pub(crate) const PATIENCE: Duration = Duration::from_millis(60);

/// Frames of 20 ms in a long packet, and so parts of an audience that are sent to by turns.
pub(crate) const TURNS: u32 = LONG_UNITS / FRAME_UNITS;

/// Which moments of a speaker's clock end long packets: those that are so many frames after a multiple of 60 ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Turn(pub u32);

impl Turn {
    /// Whether it comes within the last `units` before RTP time `end`, `end` included. Where the clock wraps one packet is shorter than others.
    pub(super) fn comes(self, end: u32, units: u32) -> bool {
        end.wrapping_sub(self.0 * FRAME_UNITS) % LONG_UNITS < units
    }
}

/// One packet of a speaker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub csrc: u32,
    pub position: UplinkPosition,
    /// RFC 6464's byte.
    pub level: Option<u8>,
    pub payload: &'a [u8],
    /// It taken apart, where it may be packed.
    pub opus: Option<&'a OpusPacket<'a>>,
}

/// Frames on their way into one packet, if there are any.
#[derive(Debug, Default)]
pub(super) struct Pending {
    head: Option<Head>,
    group: Group,
    /// What was put together last: kept for its memory.
    packet: Vec<u8>,
}

/// What stands over waiting frames.
#[derive(Debug, Clone, Copy)]
struct Head {
    csrc: u32,
    level: Option<u8>,
    marker: bool,
    /// The lane's, of the first frame.
    timestamp: u32,
    stream: StreamKey,
    first_uplink_index: u64,
    /// One after the last one's.
    end_uplink_index: u64,
    due: Instant,
}

/// RFC 6464: one bit of voice, seven of level, 0 the loudest.
fn loudest(one: Option<u8>, other: Option<u8>) -> Option<u8> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one | other) & 0x80 | (one & 0x7f).min(other & 0x7f)),
        (one, other) => one.or(other),
    }
}

impl Lane {
    /// Take in what the followed speaker said: into a long packet if `packs`, else as it is. `given` is told each index that this gives out.
    pub(crate) fn take(&mut self, now: Instant, said: &Said<'_>, packs: bool, given: &mut impl FnMut(u64)) {
        if packs {
            self.pack(now, said, given);
            return;
        }
        self.flush(given);
        if let Some(position) = self.place(now, said.position) {
            self.history.keep(position, said.csrc, said.level, said.payload);
            given(position.index);
        }
    }

    /// When what waits must go at the latest.
    pub(crate) fn flush_due(&self) -> Option<Instant> {
        self.pending.head.map(|head| head.due)
    }

    /// Make a packet of what waits.
    pub(crate) fn flush(&mut self, given: &mut impl FnMut(u64)) {
        let Some(head) = self.pending.head.take() else {
            return;
        };
        let mut packet = std::mem::take(&mut self.pending.packet);
        packet.clear();
        self.pending.group.write(&mut packet);
        self.pending.group.clear();
        self.give(head, &packet, given);
        self.pending.packet = packet;
    }

    /// Let what waits of somebody be forgotten, whomever the lane follows now.
    pub(crate) fn forget(&mut self, csrc: u32) {
        if self.pending.head.take_if(|head| head.csrc == csrc).is_some() {
            self.pending.group.clear();
        }
    }

    /// RTP time that the next packet has at least: of the frames that wait, else of `now`.
    pub(crate) fn next_time(&self, now: Instant) -> u32 {
        self.pending.head.map_or_else(|| self.timestamp_at(now), |head| head.timestamp)
    }

    fn pack(&mut self, now: Instant, said: &Said<'_>, given: &mut impl FnMut(u64)) {
        let packet = said.position;
        let continued = self.following.filter(|following| following.stream == packet.stream && !self.jumps(now, following, packet.index));
        if continued.is_none() {
            if packet.is_late {
                return;
            }
            self.flush(given);
        }
        let following = continued.map_or_else(|| self.following_from(now, packet), |following| self.after_highest(following));
        self.following = Some(following);
        if packet.index < following.first_uplink_index {
            return; // What came after it has gone, and left it no index.
        }
        let one = Head {
            csrc: said.csrc,
            level: said.level,
            marker: packet.marker || continued.is_none(),
            timestamp: packet.timestamp.wrapping_add(following.timestamp_offset),
            stream: packet.stream,
            first_uplink_index: packet.index,
            end_uplink_index: packet.index + 1,
            due: now + PATIENCE,
        };
        match self.pending.head {
            Some(head) if packet.index < head.first_uplink_index => self.fill(head, one, said, given),
            Some(head) if packet.index < head.end_uplink_index => {} // It waits already.
            head => {
                let goes_on = head.is_some_and(|head| self.goes_on(head, one));
                match said.opus.filter(|opus| goes_on && self.pending.group.fits(opus)) {
                    Some(opus) => {
                        self.pending.group.append(opus);
                        self.pending.head =
                            head.map(|head| Head { level: loudest(head.level, one.level), end_uplink_index: one.end_uplink_index, ..head });
                        self.flush_if_done(packet.timestamp, opus, given);
                    }
                    None => self.begin(one, said, given),
                }
                self.last = (one.timestamp, now);
            }
        }
    }

    /// Whether a frame comes right behind those that wait. Its marker says nothing then: no silence came before it, and there are senders, such as
    /// aiortc, that mark every packet.
    fn goes_on(&self, head: Head, next: Head) -> bool {
        next.first_uplink_index == head.end_uplink_index
            && next.timestamp == head.timestamp.wrapping_add(self.pending.group.units())
            && next.csrc == head.csrc
    }

    /// What waits goes, and this packet is the next that waits; or it goes as it is.
    fn begin(&mut self, one: Head, said: &Said<'_>, given: &mut impl FnMut(u64)) {
        self.flush(given);
        match said.opus.filter(|opus| self.pending.group.fits(opus) && 2 * opus.units() <= LONG_UNITS) {
            Some(opus) => {
                self.pending.group.append(opus);
                self.pending.head = Some(one);
                self.flush_if_done(said.position.timestamp, opus, given);
            }
            None => self.give(one, said.payload, given),
        }
    }

    /// One that was lost comes before those that wait: at their head if it belongs there, else by itself, since no later index is given yet.
    fn fill(&mut self, head: Head, late: Head, said: &Said<'_>, given: &mut impl FnMut(u64)) {
        let belongs = |opus: &OpusPacket<'_>| {
            late.end_uplink_index == head.first_uplink_index
                && late.timestamp.wrapping_add(opus.units()) == head.timestamp
                && late.csrc == head.csrc
                && self.pending.group.fits(opus)
        };
        match said.opus.filter(|opus| belongs(opus)) {
            Some(opus) => {
                self.pending.group.prepend(opus);
                self.pending.head = Some(Head {
                    level: loudest(head.level, late.level),
                    marker: head.marker || late.marker,
                    timestamp: late.timestamp,
                    first_uplink_index: late.first_uplink_index,
                    ..head
                });
                self.flush_if_full(opus, given);
            }
            None => self.give(late, said.payload, given),
        }
    }

    /// With `opus`, of the speaker's RTP time, as the newest: where the lane's turn has come.
    fn flush_if_done(&mut self, timestamp: u32, opus: &OpusPacket<'_>, given: &mut impl FnMut(u64)) {
        if self.turn.comes(timestamp.wrapping_add(opus.units()), opus.units()) {
            self.flush(given);
        } else {
            self.flush_if_full(opus, given);
        }
    }

    /// Once another packet like `opus` would be too many.
    fn flush_if_full(&mut self, opus: &OpusPacket<'_>, given: &mut impl FnMut(u64)) {
        if self.pending.group.units() + opus.units() > LONG_UNITS {
            self.flush(given);
        }
    }

    /// Give a packet the index after the highest, and let its speaker go on after it.
    fn give(&mut self, head: Head, payload: &[u8], given: &mut impl FnMut(u64)) {
        self.highest += 1;
        let position = LanePosition { index: self.highest, timestamp: head.timestamp, marker: head.marker };
        self.history.keep(position, head.csrc, head.level, payload);
        self.following = self.following.filter(|following| following.stream == head.stream).map(|following| Following {
            first_uplink_index: head.end_uplink_index,
            first_index: self.highest + 1,
            ..following
        });
        given(position.index);
    }

    /// The same, told from the first packet that has no index yet: what comes late has none in long packets.
    fn after_highest(&self, following: Following) -> Following {
        let given = (self.highest + 1).saturating_sub(following.first_index);
        Following { first_uplink_index: following.first_uplink_index + given, first_index: following.first_index + given, ..following }
    }
}
