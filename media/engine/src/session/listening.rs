//! A listen session: where its leg is, and the reports that go with its streams.

use std::time::Instant;

use super::{Moment, NtpClock};
use crate::room::{Leg, Membership, Room};
use crate::route::Route;
use crate::rtp::{SenderInfo, write_sender_report};
use crate::srtp::{Outbound, OutboundRtp};
use crate::transmit::Transmits;

#[derive(Debug)]
pub(crate) enum Listening {
    /// Not connected yet, or on the way from one view to another.
    AtRest(Box<Leg>),
    /// The leg lies in a view of the room.
    InView(Membership),
}

impl Listening {
    /// The leg, wherever it lies.
    pub(crate) fn leg<'a>(&'a self, room: &'a Room) -> &'a Leg {
        match self {
            Self::AtRest(leg) => leg,
            Self::InView(membership) => room.leg(*membership),
        }
    }

    pub(super) fn set_cipher(&mut self, cipher: OutboundRtp) {
        if let Self::AtRest(leg) = self {
            leg.cipher = Some(cipher); // DTLS gives keys once, before the session is connected.
        }
    }

    /// Take what is of use from a genuine compound packet: what the listener lost, what it asks for again, how far away it is.
    pub(super) fn on_rtcp(&self, now: Moment, packet: &[u8], room: &mut Room, transmits: &mut Transmits) {
        if let Self::InView(membership) = self {
            room.on_feedback(now, *membership, packet, transmits);
        }
    }

    /// A sender report for each slot that has sent.
    pub(super) fn send_reports(
        &self,
        now: Instant,
        room: &Room,
        clock: NtpClock,
        outbound: &mut Outbound,
        to: Route,
        transmits: &mut Transmits,
    ) {
        let Self::InView(membership) = self else {
            return;
        };
        let lanes = &room.view(membership.view).lanes;
        for (slot, lane) in room.leg(*membership).slots().zip(lanes) {
            if slot.packets == 0 {
                continue;
            }
            let tap = &slot.tap;
            let timestamp = tap.timestamp_at(lane, now);
            let info = SenderInfo { ssrc: tap.ssrc, ntp: clock.ntp_at(now), timestamp, packets: slot.packets, octets: slot.octets };
            transmits.push_with(to, |buffer, start| {
                write_sender_report(info, buffer);
                outbound.protect_rtcp(buffer, start, tap.ssrc);
            });
        }
    }
}
