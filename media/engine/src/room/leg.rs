//! All that forwarding to one listener takes, in one place: the fan-out walks an array of these and looks nothing up.

use std::time::{Duration, Instant};

use super::history::Sent;
use super::{CountedLoss, Lane, LossAmongListeners, Tap};
use crate::route::Route;
use crate::rtp::{Feedback, ForwardedHeader, Nack, read_feedback};
use crate::sdp::MAX_SLOTS;
use crate::session::{Formats, Moment, Repair};
use crate::srtp::OutboundRtp;
use crate::transmit::Transmits;

/// Packets looked up for one compound packet of a listener's, however many requests are in it: more than all lanes' histories hold.
const MAX_LOOKUPS: usize = 272;

/// One stream of a listener: its numbering, and what sender reports say of it.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub tap: Tap,
    /// Sent so far; wraps, as RTCP's count does.
    pub packets: u32,
    /// Of payload.
    pub octets: u32,
}

impl Slot {
    pub(crate) fn new(tap: Tap) -> Self {
        Self { tap, packets: 0, octets: 0 }
    }
}

/// The last stretch of the way to a listener. Rests in the session until it is connected, then lies in its view's array.
#[derive(Debug)]
pub(crate) struct Leg {
    /// The selected route; None while there is none, as when a connection was lost.
    pub to: Option<Route>,
    /// None until DTLS has given keys.
    pub cipher: Option<OutboundRtp>,
    pub formats: Formats,
    /// RFC 6464's extension id where negotiated.
    pub level_id: Option<u8>,
    pub packets_out: u64,
    pub last_out: Option<Instant>,
    /// By the listener's last report that answers one of ours.
    pub round_trip: Option<Duration>,
    /// Where this listener stands among those whose loss is reported to speakers.
    pub counted_loss: Option<CountedLoss>,
    pub repair: Repair,
    slot_count: usize,
    slots: [Option<Slot>; MAX_SLOTS],
    #[cfg(test)]
    pub panics_on_purpose: bool,
}

impl Leg {
    /// with: at most [`MAX_SLOTS`].
    pub(crate) fn new(formats: Formats, level_id: Option<u8>, with: Vec<Slot>) -> Self {
        let mut slots = [const { None }; MAX_SLOTS];
        let slot_count = with.len().min(MAX_SLOTS);
        for (place, slot) in slots.iter_mut().zip(with) {
            *place = Some(slot);
        }
        Self {
            to: None,
            cipher: None,
            formats,
            level_id,
            packets_out: 0,
            last_out: None,
            round_trip: None,
            counted_loss: None,
            repair: Repair::default(),
            slot_count,
            slots,
            #[cfg(test)]
            panics_on_purpose: false,
        }
    }

    pub(crate) fn slot_count(&self) -> usize {
        self.slot_count
    }

    /// In the order of the answer's media sections.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    pub(super) fn taps_mut(&mut self) -> impl Iterator<Item = &mut Tap> {
        self.slots.iter_mut().flatten().map(|slot| &mut slot.tap)
    }

    /// Write a lane's packet, for the first time or again: the same packet comes out. None if it is from before the listener came, or
    /// nothing can be sent now; else the length of its payload.
    fn write(&self, lane: usize, sent: &Sent, transmits: &mut Transmits) -> Option<usize> {
        let (to, cipher, slot) = (self.to?, self.cipher.as_ref()?, self.slots[lane].as_ref()?);
        let (index, timestamp) = slot.tap.place(sent.position)?;
        let payload = sent.payload(self.repair.depth_of(lane, index)?.into());
        #[allow(clippy::cast_possible_truncation)]
        // The sequence number is the index's low 16 bits.
        let header = ForwardedHeader {
            marker: sent.position.marker,
            payload_type: self.formats.red.filter(|_| payload.copies > 0).unwrap_or(self.formats.opus),
            sequence: index as u16,
            timestamp,
            ssrc: slot.tap.ssrc,
            csrc: sent.csrc,
            level: self.level_id.zip(sent.level),
        };
        transmits.push_with(to, |buffer, start| {
            let header_len = header.write(buffer);
            payload.write(self.formats.opus, buffer);
            cipher.protect(buffer, start, header_len, header.ssrc, index);
        });
        Some(payload.len())
    }

    /// Send a lane's packet to this listener. False if it is from before the listener came, or nothing can be sent now.
    pub(crate) fn forward(&mut self, now: Instant, lane: usize, sent: &Sent, transmits: &mut Transmits) -> bool {
        #[cfg(test)]
        assert!(!self.panics_on_purpose, "as the test asked");
        let Some(payload_len) = self.write(lane, sent, transmits) else {
            return false;
        };
        if let Some(slot) = &mut self.slots[lane] {
            slot.packets = slot.packets.wrapping_add(1);
            #[allow(clippy::cast_possible_truncation)] // A datagram's length.
            let payload_len = payload_len as u32;
            slot.octets = slot.octets.wrapping_add(payload_len);
        }
        self.repair.on_sent();
        self.packets_out += 1;
        self.last_out = Some(now);
        true
    }

    /// Take what is of use from a genuine compound packet: what the listener lost, what it asks for again, how far away it is.
    ///
    /// may_be_heard: of a CSRC.
    pub(super) fn on_rtcp(
        &mut self,
        now: Moment,
        packet: &[u8],
        lanes: &[Lane],
        loss: &mut LossAmongListeners,
        may_be_heard: impl Fn(u32) -> bool,
        transmits: &mut Transmits,
    ) {
        let mut lookups = MAX_LOOKUPS;
        read_feedback(packet, |part| match part {
            Feedback::Reception(block) => {
                if let Some(at) = self.slot_of(block.ssrc) {
                    self.round_trip = block.round_trip(now.ntp_middle).or(self.round_trip);
                    let skipped = self.slots[at].as_mut().map_or(0, |slot| slot.tap.newly_skipped(&lanes[at]));
                    self.repair.on_report(at, &block, skipped);
                }
            }
            Feedback::Nack(nack) if self.formats.nack => self.send_again(nack, &mut lookups, lanes, &may_be_heard, transmits),
            Feedback::Nack(_) | Feedback::Sender(_) => {}
        });
        let mut next = [0; MAX_SLOTS];
        for (next, (slot, lane)) in next.iter_mut().zip(self.slots().zip(lanes)) {
            *next = slot.tap.next_index(lane);
        }
        if self.repair.estimate(now.at, self.formats.red.is_some(), next) {
            let unprotected = Some(self.repair.loss()).filter(|_| self.repair.depth() == 0);
            self.counted_loss = loss.count(self.counted_loss, unprotected);
        }
    }

    fn slot_of(&self, ssrc: u32) -> Option<usize> {
        self.slots().position(|slot| slot.tap.ssrc == ssrc)
    }

    /// lookups: left for this compound packet.
    fn send_again(
        &mut self,
        nack: Nack<'_>,
        lookups: &mut usize,
        lanes: &[Lane],
        may_be_heard: &impl Fn(u32) -> bool,
        transmits: &mut Transmits,
    ) {
        let Some(at) = self.slot_of(nack.ssrc) else {
            return;
        };
        let lane = &lanes[at];
        for sequence in nack.sequences() {
            let Some(left) = lookups.checked_sub(1) else {
                return;
            };
            *lookups = left;
            let Some((index, own)) = self.slots[at].as_ref().and_then(|slot| slot.tap.find(lane, sequence)) else {
                continue;
            };
            // What never came from the speaker is no loss of this leg.
            let Some(sent) = lane.history.get(index) else {
                continue;
            };
            self.repair.on_request(at, own);
            // Whoever was muted or removed since is silent in repetitions too.
            if may_be_heard(sent.csrc) && self.repair.spend() {
                self.write(at, sent, transmits);
            }
        }
    }
}
