//! Fan-out: one speaker's packet to every listener of the room, a batch at a time.

use std::ops::Range;
use std::time::Instant;

use super::{Engine, guarded};
use crate::room::Target;
use crate::session::{CloseReason, ForwardedPacket};
use crate::slab::SessionKey;

/// Datagrams per batch. `sendmmsg` gains nothing beyond 16; 64 keep the calls around it rare and the buffer in the cache.
const BATCH_LEN: usize = 64;

/// The packet being forwarded, and how far it has come.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    pub targets: Vec<Target>,
    room: usize,
    csrc: u32,
    level: Option<u8>,
    /// In the engine's `packet`.
    payload: Range<usize>,
    target_at: usize,
    member_at: usize,
    /// Listeners whose code panicked. They are closed at the end: that moves members of views, and the packet would miss one.
    failed: Vec<SessionKey>,
}

impl Fanout {
    /// Start over with the targets that stand in `targets`.
    pub(super) fn begin(&mut self, room: usize, csrc: u32, level: Option<u8>, payload: Range<usize>) {
        (self.room, self.csrc, self.level, self.payload) = (room, csrc, level, payload);
        (self.target_at, self.member_at) = (0, 0);
    }

    pub(super) fn is_done(&self) -> bool {
        self.target_at >= self.targets.len()
    }
}

impl Engine {
    /// Fill `batch` with the next listeners' packets; after the last, close those who failed.
    pub(super) fn fill_batch(&mut self, now: Instant) {
        self.batch.clear();
        self.forward_to_some(now);
        if self.fanout.is_done() {
            self.fanout.targets.clear();
            for key in std::mem::take(&mut self.fanout.failed) {
                self.close(now, key, CloseReason::Internal);
            }
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
            let packet = ForwardedPacket {
                lane: target.lane,
                position: target.position,
                csrc: self.fanout.csrc,
                level: self.fanout.level,
                payload: &self.packet[self.fanout.payload.clone()],
            };
            match guarded(&mut self.batch, |batch| session.forward(now, packet, batch)) {
                Some(true) => self.totals.packets_out += 1,
                Some(false) => {}
                None => self.fanout.failed.push(key),
            }
        }
    }
}
