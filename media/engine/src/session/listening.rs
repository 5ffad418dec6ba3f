//! What a listener gets: one numbered stream per slot, and the reports that go with it.

use std::time::Instant;

use super::NtpClock;
use crate::room::{LanePosition, Membership, Room, Tap};
use crate::route::Route;
use crate::rtp::{ForwardedHeader, SenderInfo, write_sender_report};
use crate::srtp::Outbound;
use crate::transmit::Transmits;

#[derive(Debug)]
pub(crate) struct Listening {
    pub payload_type: u8,
    /// RFC 6464's extension id where negotiated.
    pub level_id: Option<u8>,
    pub taps: Vec<Tap>,
    /// (packets, octets of payload) sent per slot, for sender reports.
    pub sent: Vec<(u32, u32)>,
    /// None until connected.
    pub membership: Option<Membership>,
}

/// A speaker's packet on its way to one listener.
#[derive(Clone, Copy)]
pub(crate) struct ForwardedPacket<'a> {
    pub lane: usize,
    pub position: LanePosition,
    pub csrc: u32,
    pub level: Option<u8>,
    pub payload: &'a [u8],
}

impl Listening {
    /// Send one packet of one of the slots. False if it is from before the listener came.
    pub(super) fn forward(&mut self, packet: ForwardedPacket<'_>, outbound: &Outbound, to: Route, transmits: &mut Transmits) -> bool {
        let tap = &self.taps[packet.lane];
        let Some((index, timestamp)) = tap.place(packet.position) else {
            return false;
        };
        #[allow(clippy::cast_possible_truncation)]
        // The sequence number is the index's low 16 bits.
        let header = ForwardedHeader {
            marker: packet.position.marker,
            payload_type: self.payload_type,
            sequence: index as u16,
            timestamp,
            ssrc: tap.ssrc,
            csrc: packet.csrc,
            level: self.level_id.zip(packet.level),
        };
        transmits.push_with(to, |buffer, start| {
            let header_len = header.write(buffer);
            buffer.extend_from_slice(packet.payload);
            outbound.protect_rtp(buffer, start, header_len, header.ssrc, index);
        });
        let (packets, octets) = &mut self.sent[packet.lane];
        *packets = packets.wrapping_add(1);
        #[allow(clippy::cast_possible_truncation)] // A datagram's length.
        let payload_len = packet.payload.len() as u32;
        *octets = octets.wrapping_add(payload_len);
        true
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
        let Some(membership) = self.membership else {
            return;
        };
        let lanes = &room.view(membership.view).lanes;
        for ((tap, lane), (packets, octets)) in self.taps.iter().zip(lanes).zip(&self.sent) {
            if *packets == 0 {
                continue;
            }
            let timestamp = tap.timestamp_at(lane, now);
            let info = SenderInfo { ssrc: tap.ssrc, ntp: clock.ntp_at(now), timestamp, packets: *packets, octets: *octets };
            transmits.push_with(to, |buffer, start| {
                write_sender_report(info, buffer);
                outbound.protect_rtcp(buffer, start, tap.ssrc);
            });
        }
    }
}
