//! Signs of life to listeners whose view has fallen silent: on a path that works something always comes.
//!
//! Sound is sign enough, and it goes to all of a view alike, so that views are looked at and not listeners.

use std::time::{Duration, Instant};

use super::{Engine, guarded};
use crate::room::earliest;
use crate::session::{CloseReason, SIGN_INTERVAL};

/// How often views are looked at, in rooms where there has lately been sound.
const LOOK_INTERVAL: Duration = SIGN_INTERVAL.checked_div(2).expect("not by zero");

impl Engine {
    /// There is sound to be followed by signs.
    pub(super) fn expect_signs(&mut self, now: Instant) {
        if self.signs_at.is_none() {
            self.signs_at = Some(now + LOOK_INTERVAL);
        }
    }

    pub(super) fn send_due_signs(&mut self, now: Instant) {
        if self.signs_at.is_none_or(|at| at > now) {
            return;
        }
        self.signs_at = None;
        let Self { rooms, sessions, control, signs_at, .. } = self;
        let mut failed = Vec::new();
        for view in rooms.iter_mut().flatten().flat_map(|room| room.views_mut()) {
            if view.takes_sign(now) {
                for (key, leg) in view.members.iter().zip(&view.legs) {
                    let slot = leg.slots().next().map(|slot| slot.tap.ssrc);
                    let (Some(ssrc), Some(session)) = (slot, sessions.get_mut(*key)) else {
                        continue;
                    };
                    if guarded(control, |control| session.send_sign(ssrc, control)).is_none() {
                        failed.push(*key);
                    }
                }
            }
            *signs_at = earliest(*signs_at, view.may_need_signs(now).then(|| now + LOOK_INTERVAL));
        }
        for key in failed {
            self.close(now, key, CloseReason::Internal);
        }
    }
}
