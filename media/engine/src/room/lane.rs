//! Continuous numbering: many speakers' packets in, one unbroken stream out.
//!
//! A [`Lane`] is the stream of one slot as all listeners of a view share it: it follows one speaker at a time and numbers what it takes
//! without a gap when it changes speaker; losses on the way from a speaker stay visible as gaps. A [`Tap`] is one listener's constant
//! distance from a lane, so that forwarding to a listener reads two numbers and writes none.
//!
//! **Invariant:** a lane gives no index twice, and a tap's distance never makes two packets of a listener's SSRC share an index,
//! whatever views the listener passes through: SRTP's secrecy rests on it.

mod packed;

use std::time::Instant;

use super::history::{History, KEPT};
use crate::rate::{MISSING, TokenBucket};
use crate::rtp::{CLOCK_RATE_HZ, to_rtp_units};
use packed::Pending;
pub(crate) use packed::{Said, TURNS, Turn};

/// One uplink stream: the speak session it comes from, and its SSRC there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamKey {
    /// Of the engine that has the session.
    pub shard: u32,
    pub session: u64,
    pub ssrc: u32,
}

/// A packet's place in an uplink stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UplinkPosition {
    pub stream: StreamKey,
    /// 48-bit SRTP index.
    pub index: u64,
    pub timestamp: u32,
    pub marker: bool,
    /// Later ones came before it: it fills a gap, or is of no use.
    pub is_late: bool,
}

/// A packet's place in a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LanePosition {
    pub index: u64,
    pub timestamp: u32,
    pub marker: bool,
}

/// A 20 ms frame, the least step of time from one speaker's last packet to the next one's first.
const FRAME_UNITS: u32 = CLOCK_RATE_HZ / 50;

/// The stream of one slot of one view.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Whom the lane follows, by CSRC.
    speaker: Option<u32>,
    following: Option<Following>,
    /// The highest index given; the first one is 1.
    highest: u64,
    /// Indices below it that were never given.
    skipped: i64,
    /// How many may be left out. A peer whose numbers jump further, by intent or fault, is renumbered: each one left out is a loss to every
    /// listener, which they report and ask for, and one who misses the packet after a jump of 2^15 would decrypt nothing ever after
    /// (RFC 3711 section 3.3.1).
    gaps: TokenBucket,
    /// RTP time of the newest frame, and when it came; at first zero, and when the lane was made.
    last: (u32, Instant),
    /// What is on its way into a long packet.
    pending: Pending,
    /// Where long packets end.
    turn: Turn,
    /// What was sent lately.
    pub history: History,
}

#[derive(Debug, Clone, Copy)]
struct Following {
    stream: StreamKey,
    first_uplink_index: u64,
    first_index: u64,
    timestamp_offset: u32,
}

impl Lane {
    pub(crate) fn new(now: Instant, turn: Turn) -> Self {
        Self {
            speaker: None,
            following: None,
            highest: 0,
            skipped: 0,
            gaps: TokenBucket::new(MISSING, now),
            last: (0, now),
            pending: Pending::default(),
            turn,
            history: History::default(),
        }
    }

    pub(crate) fn speaker(&self) -> Option<u32> {
        self.speaker
    }

    /// Follow another speaker, or nobody. The next packet continues the numbering.
    pub(crate) fn follow(&mut self, speaker: Option<u32>) {
        if self.speaker != speaker {
            self.speaker = speaker;
            self.following = None;
        }
    }

    /// Give a packet of the followed speaker its place. None for one that was sent before the lane came to that speaker, or so long ago
    /// that it would fall out of the history, which knows what has been given.
    fn place(&mut self, now: Instant, packet: UplinkPosition) -> Option<LanePosition> {
        let continued = self.following.filter(|following| following.stream == packet.stream && !self.jumps(now, following, packet.index));
        if packet.is_late && continued.is_none() {
            return None;
        }
        let following = continued.unwrap_or_else(|| self.following_from(now, packet));
        self.following = Some(following);
        let ahead = packet.index.checked_sub(following.first_uplink_index)?;
        let position = LanePosition {
            index: following.first_index + ahead,
            timestamp: packet.timestamp.wrapping_add(following.timestamp_offset),
            // A switch begins a talkspurt, so that receivers may adapt their playout there (RFC 3551 section 4.1).
            marker: packet.marker || continued.is_none(),
        };
        if position.index + KEPT <= self.highest || self.history.get(position.index).is_some() {
            return None;
        }
        match position.index.checked_sub(self.highest + 1) {
            Some(missing) => {
                self.gaps.take_many(now, missing);
                self.skipped = self.skipped.saturating_add_unsigned(missing);
                self.highest = position.index;
                self.last = (position.timestamp, now);
            }
            None => self.skipped -= 1,
        }
        Some(position)
    }

    /// A speaker from this packet on, which gets the next index.
    fn following_from(&self, now: Instant, packet: UplinkPosition) -> Following {
        Following {
            stream: packet.stream,
            first_uplink_index: packet.index,
            first_index: self.highest + 1,
            timestamp_offset: self.next_timestamp(now).wrapping_sub(packet.timestamp),
        }
    }

    fn jumps(&self, now: Instant, following: &Following, uplink_index: u64) -> bool {
        let ahead = uplink_index.saturating_sub(following.first_uplink_index);
        (following.first_index + ahead).saturating_sub(self.highest + 1) > self.gaps.available(now)
    }

    /// RTP time at `now`, as if the last packet's clock ran on.
    pub(crate) fn timestamp_at(&self, now: Instant) -> u32 {
        let (timestamp, at) = self.last;
        timestamp.wrapping_add(to_rtp_units(now.duration_since(at)))
    }

    /// The highest index given; RTP time of the newest frame, and when it came.
    pub(crate) fn newest(&self) -> (u64, u32, Instant) {
        (self.highest, self.last.0, self.last.1)
    }

    fn next_timestamp(&self, now: Instant) -> u32 {
        let (timestamp, at) = self.last;
        timestamp.wrapping_add(to_rtp_units(now.duration_since(at)).max(FRAME_UNITS))
    }
}

/// One listener's distance from a lane, kept while the listener moves from view to view.
#[derive(Debug, Clone)]
pub(crate) struct Tap {
    pub ssrc: u32,
    index_distance: i64,
    timestamp_distance: u32,
    /// Packets of the lane up to this index are not for this listener.
    joined_after: u64,
    /// What the lane had left out when this was last asked.
    skipped_before: i64,
    /// While at no lane: the index to give next, and RTP time at a moment.
    next_index: u64,
    rest: Option<(u32, Instant)>,
    first_timestamp: u32,
}

impl Tap {
    /// first_index: below 2^15, so that a receiver that misses the first packets does not mistake the rollover (RFC 3711 section 3.3.1).
    pub(crate) fn new(ssrc: u32, first_index: u16, first_timestamp: u32) -> Self {
        debug_assert!(first_index < 1 << 15);
        Self {
            ssrc,
            index_distance: 0,
            timestamp_distance: 0,
            joined_after: 0,
            skipped_before: 0,
            next_index: u64::from(first_index),
            rest: None,
            first_timestamp,
        }
    }

    /// Go on where another process stopped.
    ///
    /// rest: RTP time at a moment.
    pub(crate) fn restored(ssrc: u32, next_index: u64, rest: (u32, Instant)) -> Self {
        Self { next_index, rest: Some(rest), ..Self::new(ssrc, 0, rest.0) }
    }

    /// While at a lane: how far its own (index, RTP time) are from the lane's.
    pub(crate) fn distances(&self) -> (i64, u32) {
        (self.index_distance, self.timestamp_distance)
    }

    /// While at no lane: the index to give next, and RTP time at a moment, if any was ever told.
    pub(crate) fn rests_at(&self) -> (u64, u32, Option<Instant>) {
        (self.next_index, self.rest.map_or(self.first_timestamp, |(timestamp, _)| timestamp), self.rest.map(|(_, at)| at))
    }

    /// Continue at `lane` where this listener's own numbering stopped.
    #[allow(clippy::cast_possible_wrap)] // Indices have 48 bits.
    pub(crate) fn join(&mut self, lane: &Lane, now: Instant) {
        self.index_distance = self.next_index as i64 - (lane.highest + 1) as i64;
        let timestamp =
            self.rest.map_or(self.first_timestamp, |(timestamp, at)| timestamp.wrapping_add(to_rtp_units(now.duration_since(at))));
        self.timestamp_distance = timestamp.wrapping_sub(lane.next_time(now));
        self.joined_after = lane.highest;
        self.skipped_before = lane.skipped;
    }

    /// Remember where the numbering stops.
    pub(crate) fn leave(&mut self, lane: &Lane, now: Instant) {
        self.next_index = self.next_index(lane);
        self.rest = Some((self.timestamp_at(lane, now), now));
    }

    /// The listener's own (48-bit index, RTP timestamp) for a lane's packet. None for packets from before the listener came.
    pub(crate) fn place(&self, position: LanePosition) -> Option<(u64, u32)> {
        (position.index > self.joined_after)
            .then(|| (position.index.wrapping_add_signed(self.index_distance), position.timestamp.wrapping_add(self.timestamp_distance)))
    }

    /// How many numbers the lane has left out since this was last asked, less those that were filled late: what this listener misses and
    /// was never sent.
    pub(crate) fn newly_skipped(&mut self, lane: &Lane) -> i64 {
        lane.skipped - std::mem::replace(&mut self.skipped_before, lane.skipped)
    }

    /// The own index of the packet that comes next at `lane`.
    pub(crate) fn next_index(&self, lane: &Lane) -> u64 {
        (lane.highest + 1).wrapping_add_signed(self.index_distance)
    }

    /// (the lane's index, own index) of the latest packet with this sequence number, which need not have been sent.
    pub(crate) fn find(&self, lane: &Lane, sequence: u16) -> Option<(u64, u64)> {
        let newest = self.next_index(lane).checked_sub(1)?;
        #[allow(clippy::cast_possible_truncation)] // The sequence number is the index's low 16 bits.
        let own = newest.checked_sub(u64::from((newest as u16).wrapping_sub(sequence)))?;
        let index = own.checked_add_signed(-self.index_distance)?;
        (index > self.joined_after).then_some((index, own))
    }

    /// This listener's RTP time at `now`.
    pub(crate) fn timestamp_at(&self, lane: &Lane, now: Instant) -> u32 {
        lane.timestamp_at(now).wrapping_add(self.timestamp_distance)
    }
}

#[cfg(test)]
mod tests;
