//! Fan-out: one speaker's packet to every listener of the room, a batch at a time.

use std::ops::Range;
use std::time::Instant;

use super::{Engine, guarded};
use crate::room::{Room, Target, UplinkPosition, earliest};
use crate::session::CloseReason;
use crate::slab::SessionKey;
use crate::transmit::Transmits;

/// Datagrams per batch. `sendmmsg` gains nothing beyond 16; 64 keep the calls around it rare and the buffer in the cache.
pub(super) const BATCH_LEN: usize = 64;

/// The packet being forwarded, and how far it has come.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    pub targets: Vec<Target>,
    target_at: usize,
    /// The next one in the target's view; the one before it is the one at work.
    leg_at: usize,
    /// Listeners whose code panicked. They are closed at the end: that moves members of views, and the packet would miss one.
    failed: Vec<SessionKey>,
}

/// A frame of the packet at hand, not yet placed.
#[derive(Debug)]
pub(super) struct WaitingFrame {
    pub room: usize,
    pub csrc: u32,
    pub position: UplinkPosition,
    pub level: Option<u8>,
    /// In the engine's `packet`.
    pub bytes: Range<usize>,
}

impl Fanout {
    pub(super) fn is_done(&self) -> bool {
        self.target_at >= self.targets.len()
    }

    /// Fill the rest of `batch`; how many packets that were is added to `sent`.
    fn forward(&mut self, now: Instant, rooms: &mut [Option<Room>], batch: &mut Transmits, sent: &mut u64) {
        while batch.len() < BATCH_LEN
            && let Some(target) = self.targets.get(self.target_at).copied()
        {
            let outlet = rooms.get_mut(target.room).and_then(Option::as_mut).and_then(|room| room.outlet(target));
            let rest = outlet.and_then(|(legs, packet)| Some((legs.get_mut(self.leg_at..)?, packet)));
            let Some((legs, packet)) = rest.filter(|(legs, _)| !legs.is_empty()) else {
                self.target_at += 1;
                self.leg_at = 0;
                continue;
            };
            for leg in legs {
                if batch.len() == BATCH_LEN {
                    return;
                }
                self.leg_at += 1;
                *sent += u64::from(leg.forward(now, target.lane, packet, batch));
            }
        }
    }

    /// Whose leg was at work.
    fn at_work(&self, rooms: &[Option<Room>]) -> Option<SessionKey> {
        let target = self.targets.get(self.target_at)?;
        let room = rooms.get(target.room)?.as_ref()?;
        room.view(target.view).members.get(self.leg_at.checked_sub(1)?).copied()
    }
}

impl Engine {
    /// Place the next frame of the packet at hand that goes anywhere. Frames that were lost before come first, so that later packets
    /// can carry copies of them.
    pub(super) fn begin_next_fanout(&mut self, now: Instant) {
        while self.fanout.is_done()
            && let Some(waiting) = self.waiting.pop_front()
        {
            let WaitingFrame { room: at, csrc, position, level, bytes } = waiting;
            if let Some(room) = self.rooms.get_mut(at).and_then(Option::as_mut) {
                room.place(now, csrc, position, level, &self.packet[bytes], &mut self.fanout.targets);
                if let Some(ledger) = &mut self.ledger {
                    ledger.mark_lanes(room, &self.fanout.targets);
                }
                self.flush_at = earliest(self.flush_at, room.flush_at());
            }
            if !self.fanout.targets.is_empty() {
                self.expect_signs(now);
            }
        }
    }

    /// Let what has waited long enough for more of its long packet go without. Nothing is in the fan-out.
    pub(super) fn begin_due_fanout(&mut self, now: Instant) {
        if self.flush_at.is_none_or(|at| at > now) {
            return;
        }
        self.flush_at = None;
        for room in self.rooms.iter_mut().flatten() {
            let before = self.fanout.targets.len();
            room.flush_due(now, &mut self.fanout.targets);
            if let Some(ledger) = &mut self.ledger {
                ledger.mark_lanes(room, &self.fanout.targets[before..]);
            }
            self.flush_at = earliest(self.flush_at, room.flush_at());
        }
        if !self.fanout.targets.is_empty() {
            self.expect_signs(now);
        }
    }

    /// Fill the rest of `batch` with the next listeners' packets; after the last, close those who failed.
    pub(super) fn fill_batch(&mut self, now: Instant) {
        self.forward_to_some(now);
        if self.fanout.is_done() {
            self.fanout.targets.clear();
            self.fanout.target_at = 0;
            for key in std::mem::take(&mut self.fanout.failed) {
                self.close(now, key, CloseReason::Internal);
            }
            self.begin_next_fanout(now);
        }
    }

    /// One guard for as many legs as go well: entering one per packet is not free. After a panic the next leg goes on under a new one.
    fn forward_to_some(&mut self, now: Instant) {
        let Self { rooms, fanout, batch, totals, .. } = self;
        loop {
            let before = (fanout.target_at, fanout.leg_at);
            if guarded(batch, |batch| fanout.forward(now, rooms, batch, &mut totals.packets_out)).is_some() {
                return;
            }
            if before == (fanout.target_at, fanout.leg_at) {
                (fanout.target_at, fanout.leg_at) = (fanout.target_at + 1, 0); // No leg's fault: nothing to blame, nothing to repeat.
            } else {
                fanout.failed.extend(fanout.at_work(rooms));
            }
        }
    }
}
