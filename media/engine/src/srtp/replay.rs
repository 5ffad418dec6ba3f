//! Packet indices and replay protection (RFC 3711 sections 3.3.1 and 3.3.2).

/// Finds a packet's 48-bit index from its 16-bit sequence number and the highest index so far (RFC 3711 appendix A).
#[derive(Debug, Clone, Copy)]
pub(super) struct RolloverEstimate {
    highest: Option<u64>,
}

impl RolloverEstimate {
    pub(super) fn new() -> Self {
        Self { highest: None }
    }

    /// The index nearest to the highest one accepted.
    pub(super) fn index_of(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else {
            return u64::from(sequence);
        };
        #[allow(clippy::cast_possible_truncation)] // The low 16 bits are meant.
        let ahead = sequence.wrapping_sub(highest as u16).cast_signed();
        // An index before the first packet does not exist; such a sequence number belongs to the next rollover.
        highest.checked_add_signed(i64::from(ahead)).unwrap_or(u64::from(sequence))
    }

    /// Note an index whose packet was genuine.
    pub(super) fn accept(&mut self, index: u64) {
        self.highest = Some(self.highest.map_or(index, |highest| highest.max(index)));
    }
}

/// Which of the last 128 indices were seen. RFC 3711 asks for 64 at least; 128 are 2.5 s of audio.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplayWindow {
    /// One above the highest index accepted; 0 before the first packet.
    next: u64,
    /// Bit n stands for index next - 1 - n.
    seen: u128,
}

impl ReplayWindow {
    pub(super) fn new() -> Self {
        Self { next: 0, seen: 0 }
    }

    /// As if every index up to `highest` had been seen.
    pub(super) fn closed_up_to(highest: u64) -> Self {
        Self { next: highest + 1, seen: u128::MAX }
    }

    /// None before the first packet.
    pub(super) fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    pub(super) fn would_accept(&self, index: u64) -> bool {
        if index >= self.next {
            return true;
        }
        let behind = self.next - 1 - index;
        behind < 128 && self.seen & (1 << behind) == 0
    }

    /// Mark a genuine packet's index. Must have passed [`Self::would_accept`].
    pub(super) fn accept(&mut self, index: u64) {
        if index >= self.next {
            let ahead = index + 1 - self.next;
            self.seen = if ahead < 128 { self.seen << ahead } else { 0 } | 1;
            self.next = index + 1;
        } else {
            self.seen |= 1 << (self.next - 1 - index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_follows_the_rollover_in_both_directions() {
        let mut estimate = RolloverEstimate::new();
        estimate.accept(estimate.index_of(65_530));
        assert_eq!(estimate.index_of(3), 65_536 + 3);
        estimate.accept(65_536 + 3);
        assert_eq!(estimate.index_of(65_533), 65_533, "late packets belong to the time before the rollover");
    }

    #[test]
    fn index_before_the_first_packet_wraps_to_the_next_rollover() {
        let mut estimate = RolloverEstimate::new();
        estimate.accept(estimate.index_of(2));
        assert_eq!(estimate.index_of(65_535), 65_535);
    }

    #[test]
    fn closed_window_takes_only_what_is_newer() {
        let window = ReplayWindow::closed_up_to(500);
        assert_eq!([0, 400, 499, 500, 501, 900].map(|index| window.would_accept(index)), [false, false, false, false, true, true]);
        assert_eq!((window.highest(), ReplayWindow::new().highest()), (Some(500), None));
    }

    #[test]
    fn window_refuses_what_it_has_seen_and_what_is_too_old() {
        let mut window = ReplayWindow::new();
        for index in [500, 502, 501] {
            assert!(window.would_accept(index));
            window.accept(index);
            assert!(!window.would_accept(index));
        }
        assert!(window.would_accept(502 - 127));
        assert!(!window.would_accept(502 - 128));
        window.accept(1_000);
        assert!(!window.would_accept(502), "left behind by a jump");
        assert!(window.would_accept(999));
    }
}
