//! Counters for operators: what was turned away, and how much was repaired.

use std::ops::AddAssign;

/// Datagrams dropped at ingress, by what they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Checks that are not authentic, or for nobody.
    pub stun: u64,
    /// From addresses that no check has validated.
    pub dtls: u64,
    /// Sound of strangers, forged, replayed, too much or too long.
    pub rtp: u64,
    /// Reports of strangers.
    pub rtcp: u64,
    /// Authentic sound of somebody who may not be heard.
    pub unheard: u64,
    /// Too long, or nothing that belongs on this port.
    pub other: u64,
}

impl Dropped {
    /// All of them.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.stun + self.dtls + self.rtp + self.rtcp + self.unheard + self.other
    }
}

impl AddAssign for Dropped {
    fn add_assign(&mut self, more: Self) {
        self.stun += more.stun;
        self.dtls += more.dtls;
        self.rtp += more.rtp;
        self.rtcp += more.rtcp;
        self.unheard += more.unheard;
        self.other += more.other;
    }
}

/// Loss and its repair, in packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Asked for again by listeners.
    pub nacked: u64,
    /// Of these, sent again.
    pub retransmitted: u64,
    /// Asked for again of speakers.
    pub requested: u64,
    /// What listeners' reports speak of.
    pub reported: u64,
    /// Of these, missing: what came when it was sent again is not. 256ths of a packet, as reports tell it.
    pub reported_lost_256ths: u64,
}

impl AddAssign for Repaired {
    fn add_assign(&mut self, more: Self) {
        self.nacked += more.nacked;
        self.retransmitted += more.retransmitted;
        self.requested += more.requested;
        self.reported += more.reported;
        self.reported_lost_256ths += more.reported_lost_256ths;
    }
}
