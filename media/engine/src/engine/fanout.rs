//! Fan-out: one speaker's packet to every listener of the room, a batch at a time.

use std::ops::Range;
use std::time::Instant;

use super::{Engine, guarded};
use crate::room::{Target, UplinkPosition};
use crate::session::{CloseReason, ForwardedPacket};
use crate::slab::SessionKey;

/// Datagrams per batch. `sendmmsg` gains nothing beyond 16; 64 keep the calls around it rare and the buffer in the cache.
const BATCH_LEN: usize = 64;

/// The packet being forwarded, and how far it has come.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    pub targets: Vec<Target>,
    room: usize,
    target_at: usize,
    member_at: usize,
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
    /// Start over with the targets that stand in `targets`.
    pub(super) fn begin(&mut self, room: usize) {
        self.room = room;
        (self.target_at, self.member_at) = (0, 0);
    }

    pub(super) fn is_done(&self) -> bool {
        self.target_at >= self.targets.len()
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
                self.fanout.begin(at);
            }
        }
    }

    /// Fill `batch` with the next listeners' packets; after the last, close those who failed.
    pub(super) fn fill_batch(&mut self, now: Instant) {
        self.batch.clear();
        self.forward_to_some(now);
        if self.fanout.is_done() {
            self.fanout.targets.clear();
            for key in std::mem::take(&mut self.fanout.failed) {
                self.close(now, key, CloseReason::Internal);
            }
            self.begin_next_fanout(now);
        }
    }

    fn forward_to_some(&mut self, now: Instant) {
        let Some(room) = self.rooms.get(self.fanout.room).and_then(Option::as_ref) else {
            self.fanout.targets.clear();
            return;
        };
        while self.batch.len() < BATCH_LEN
            && let Some(target) = self.fanout.targets.get(self.fanout.target_at)
        {
            let Some(key) = room.view(target.view).members.get(self.fanout.member_at).copied() else {
                self.fanout.target_at += 1;
                self.fanout.member_at = 0;
                continue;
            };
            self.fanout.member_at += 1;
            let Some(session) = self.sessions.get_mut(key) else {
                continue;
            };
            let Some(sent) = room.view(target.view).lanes[target.lane].history.get(target.index) else {
                continue;
            };
            let packet = ForwardedPacket { lane: target.lane, sent };
            match guarded(&mut self.batch, |batch| session.forward(now, packet, batch)) {
                Some(true) => self.totals.packets_out += 1,
                Some(false) => {}
                None => self.fanout.failed.push(key),
            }
        }
    }
}
