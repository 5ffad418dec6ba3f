//! What a listener gets: one numbered stream per slot, and the reports that go with it.

use std::time::Instant;

use super::repair::Repair;
use super::{Formats, NtpClock};
use crate::room::history::Sent;
use crate::room::{CountedLoss, Membership, Room, Tap};
use crate::route::Route;
use crate::rtp::{Feedback, ForwardedHeader, Nack, SenderInfo, read_feedback, write_sender_report};
use crate::sdp::MAX_SLOTS;
use crate::srtp::Outbound;
use crate::transmit::Transmits;

#[derive(Debug)]
pub(crate) struct Listening {
    pub formats: Formats,
    /// RFC 6464's extension id where negotiated.
    pub level_id: Option<u8>,
    pub taps: Vec<Tap>,
    /// (packets, octets of payload) sent per slot, for sender reports.
    pub sent: Vec<(u32, u32)>,
    /// None until connected.
    pub membership: Option<Membership>,
    pub repair: Repair,
    /// Where this listener stands among those whose loss is reported to speakers.
    pub counted_loss: Option<CountedLoss>,
}

/// A speaker's packet on its way to one listener.
#[derive(Clone, Copy)]
pub(crate) struct ForwardedPacket<'a> {
    pub lane: usize,
    pub sent: &'a Sent,
}

impl Listening {
    /// Send one packet of one of the slots, for the first time or again: the same packet comes out. None if it is from before the
    /// listener came; else the length of its payload.
    fn write(&self, packet: ForwardedPacket<'_>, outbound: &Outbound, to: Route, transmits: &mut Transmits) -> Option<usize> {
        let tap = &self.taps[packet.lane];
        let (index, timestamp) = tap.place(packet.sent.position)?;
        let payload = packet.sent.payload(self.repair.depth_of(packet.lane, index)?.into());
        #[allow(clippy::cast_possible_truncation)]
        // The sequence number is the index's low 16 bits.
        let header = ForwardedHeader {
            marker: packet.sent.position.marker,
            payload_type: self.formats.red.filter(|_| payload.copies > 0).unwrap_or(self.formats.opus),
            sequence: index as u16,
            timestamp,
            ssrc: tap.ssrc,
            csrc: packet.sent.csrc,
            level: self.level_id.zip(packet.sent.level),
        };
        transmits.push_with(to, |buffer, start| {
            let header_len = header.write(buffer);
            payload.write(self.formats.opus, buffer);
            outbound.protect_rtp(buffer, start, header_len, header.ssrc, index);
        });
        Some(payload.len())
    }

    /// Send one packet of one of the slots. False if it is from before the listener came.
    pub(super) fn forward(&mut self, packet: ForwardedPacket<'_>, outbound: &Outbound, to: Route, transmits: &mut Transmits) -> bool {
        let Some(payload_len) = self.write(packet, outbound, to, transmits) else {
            return false;
        };
        let (packets, octets) = &mut self.sent[packet.lane];
        *packets = packets.wrapping_add(1);
        #[allow(clippy::cast_possible_truncation)] // A datagram's length.
        let payload_len = payload_len as u32;
        *octets = octets.wrapping_add(payload_len);
        self.repair.on_sent();
        true
    }

    /// Take what is of use from a genuine compound packet: what the listener lost, and what it asks for again.
    pub(super) fn on_rtcp(
        &mut self,
        now: Instant,
        packet: &[u8],
        room: &mut Room,
        outbound: &Outbound,
        to: Route,
        transmits: &mut Transmits,
    ) {
        let Some(membership) = self.membership else {
            return;
        };
        read_feedback(packet, |part| match part {
            Feedback::Reception(block) => {
                if let Some(slot) = self.taps.iter().position(|tap| tap.ssrc == block.ssrc) {
                    self.repair.on_report(slot, &block);
                }
            }
            Feedback::Nack(nack) if self.formats.nack => self.send_again(nack, room, membership, outbound, to, transmits),
            Feedback::Nack(_) | Feedback::Sender(_) => {}
        });
        let mut next = [0; MAX_SLOTS];
        for (next, (tap, lane)) in next.iter_mut().zip(self.taps.iter().zip(&room.view(membership.view).lanes)) {
            *next = tap.next_index(lane);
        }
        if self.repair.estimate(now, self.formats.red.is_some(), next) {
            let unprotected = Some(self.repair.loss()).filter(|_| self.repair.depth() == 0);
            self.counted_loss = room.loss.count(self.counted_loss, unprotected);
        }
    }

    fn send_again(
        &mut self,
        nack: Nack<'_>,
        room: &Room,
        membership: Membership,
        outbound: &Outbound,
        to: Route,
        transmits: &mut Transmits,
    ) {
        let Some(slot) = self.taps.iter().position(|tap| tap.ssrc == nack.ssrc) else {
            return;
        };
        let lane = &room.view(membership.view).lanes[slot];
        for sequence in nack.sequences() {
            let Some((index, own)) = self.taps[slot].find(lane, sequence) else {
                continue;
            };
            self.repair.on_request(slot, own);
            // Whoever was muted or removed since is silent in repetitions too.
            let Some(sent) = lane.history.get(index).filter(|sent| room.may_be_heard(sent.csrc)) else {
                continue;
            };
            if self.repair.spend() {
                self.write(ForwardedPacket { lane: slot, sent }, outbound, to, transmits);
            }
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
