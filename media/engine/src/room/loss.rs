//! What the listeners of a room lose, as one number for the speakers' encoders.

/// Steps of loss that are told apart: 64, of 1.6 % each. Receiver reports tell 256ths.
const STEPS: usize = 64;
const STEP_256THS: u8 = 4;
/// The share of listeners who lose no more than what is reported: 3 of 4.
const SHARE: (u32, u32) = (3, 4);

/// How many listeners lose how much, of those that no redundancy protects. Kept up to date listener by listener, so that asking costs
/// the same in every room.
#[derive(Debug)]
pub(crate) struct LossAmongListeners {
    counts: [u32; STEPS],
}

impl Default for LossAmongListeners {
    fn default() -> Self {
        Self { counts: [0; STEPS] }
    }
}

/// One listener's place in the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CountedLoss(u8);

impl LossAmongListeners {
    /// Count a listener anew.
    ///
    /// before: what this returned last. loss: 0 to 1; None if the listener no longer counts.
    pub(crate) fn count(&mut self, before: Option<CountedLoss>, loss: Option<f32>) -> Option<CountedLoss> {
        if let Some(CountedLoss(step)) = before {
            self.counts[usize::from(step)] -= 1;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Within the steps.
        let step = (loss? * STEPS as f32).clamp(0.0, STEPS as f32 - 1.0) as u8;
        self.counts[usize::from(step)] += 1;
        Some(CountedLoss(step))
    }

    /// What three of four listeners do not exceed, 256ths; 0 without listeners.
    pub(crate) fn to_report(&self) -> u8 {
        let listeners: u32 = self.counts.iter().sum();
        let wanted = (listeners * SHARE.0).div_ceil(SHARE.1);
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted.max(1)
        });
        reached.and_then(|step| u8::try_from(step).ok()).unwrap_or(0) * STEP_256THS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(losses: &[f32]) -> LossAmongListeners {
        let mut among = LossAmongListeners::default();
        for loss in losses {
            among.count(None, Some(*loss));
        }
        among
    }

    #[test]
    fn three_of_four_do_not_exceed_what_is_reported() {
        assert_eq!(of(&[]).to_report(), 0);
        assert_eq!(of(&[0.25]).to_report(), 64);
        assert_eq!(of(&[0.0, 0.25]).to_report(), 64, "in a small room everybody counts");
        assert_eq!(of(&[0.0, 0.0, 0.25]).to_report(), 64);
        assert_eq!(of(&[0.0, 0.0, 0.0, 0.25]).to_report(), 0, "one in four is outvoted, whether unlucky or lying");
        assert_eq!(of(&[0.0, 0.0, 0.125, 0.5]).to_report(), 32);
        assert_eq!(of(&[1.0; 9]).to_report(), 252);
    }

    #[test]
    fn a_listener_counts_once_and_not_after_leaving() {
        let mut among = LossAmongListeners::default();
        let first = among.count(None, Some(0.5));
        let second = among.count(first, Some(0.125));
        assert_eq!(among.to_report(), 32);
        assert_eq!(among.count(second, None), None);
        assert_eq!(among.to_report(), 0);
        assert_eq!(among.counts.iter().sum::<u32>(), 0);
    }

    #[test]
    fn losses_outside_of_reason_are_kept_within() {
        assert_eq!(of(&[-1.0]).to_report(), 0);
        assert_eq!(of(&[f32::INFINITY]).to_report(), 252);
        assert_eq!(of(&[f32::NAN]).to_report(), 0);
    }
}
