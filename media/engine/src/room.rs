//! One room: its stage, its speak and listen sessions, the speakers chosen, and the views listeners share.
//!
//! A view is what all listeners with the same number of slots hear, less the one voice that is their own. There are at most three
//! views for the audience, nine while its packets are long, and three per person on the stage, so a packet is placed a handful of times
//! however large the room is.

pub(crate) mod history;
mod lane;
mod leg;
mod loss;
pub(crate) mod packing;
mod speakers;
mod talk;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use history::Sent;
pub(crate) use lane::{Lane, StreamKey, Tap, UplinkPosition};
use lane::{Said, TURNS, Turn};
pub(crate) use leg::{Leg, Slot};
pub(crate) use loss::{CountedLoss, LossAmongListeners};
use packing::OpusPacket;
pub(crate) use speakers::{ASSUMED_LEVEL, SILENCE_LEVEL, SpeakerChoice};
pub(crate) use talk::TalkMeter;

use crate::session::Moment;
use crate::session::{SIGN_INTERVAL, SIGNS_AFTER_SOUND};
use crate::slab::SessionKey;
use crate::transmit::Transmits;

/// Somebody on the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StageMember {
    pub csrc: u32,
    pub muted: bool,
}

#[derive(Debug)]
pub(crate) struct Room {
    /// Among the engine's rooms.
    at: usize,
    pub id: Arc<str>,
    pub stage: HashMap<Arc<str>, StageMember>,
    /// Open sessions by person, connected or not.
    pub listeners: HashMap<Arc<str>, SessionKey>,
    pub speakers: HashMap<Arc<str>, SessionKey>,
    /// Milliseconds by person, of speak sessions that ended since talk was last taken.
    pub left_talk: HashMap<Arc<str>, u64>,
    /// Somebody has been speaking since talk was last taken, or was speaking then.
    pub has_talk: bool,
    /// Other engines have listeners of it.
    pub is_shared: bool,
    /// Of the listeners whom no copies protect.
    pub loss: LossAmongListeners,
    choice: SpeakerChoice,
    views: Vec<View>,
    /// From how many listeners in the audience on its packets are long; None: never.
    long_packets_from: Option<usize>,
    /// They are, now.
    has_long_packets: bool,
    /// Before this moment no lane must send what waits in it.
    flush_at: Option<Instant>,
}

/// What listeners of one kind hear.
#[derive(Debug)]
pub(crate) struct View {
    /// The voice left out: the listener's own.
    excluded: Option<u32>,
    /// When its long packets go.
    turn: Turn,
    last_sound: Option<Instant>,
    last_sign: Option<Instant>,
    pub lanes: Vec<Lane>,
    /// Connected listen sessions.
    pub members: Vec<SessionKey>,
    /// Theirs, in the same order.
    pub legs: Vec<Leg>,
    /// Where the lanes' numbers stand in the session book, one for each; none without a book.
    pub cells: Vec<u32>,
}

/// A packet to be sent to all of a view.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub room: usize,
    pub view: usize,
    pub lane: usize,
    /// In the lane.
    pub index: u64,
}

/// A listener's place in a view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    pub view: usize,
    pub at: usize,
}

impl Room {
    pub(crate) fn new(at: usize, id: Arc<str>, long_packets_from: Option<usize>) -> Self {
        Self {
            at,
            id,
            stage: HashMap::new(),
            listeners: HashMap::new(),
            speakers: HashMap::new(),
            left_talk: HashMap::new(),
            has_talk: false,
            is_shared: false,
            loss: LossAmongListeners::default(),
            choice: SpeakerChoice::default(),
            views: Vec::new(),
            long_packets_from,
            has_long_packets: false,
            flush_at: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stage.is_empty() && self.listeners.is_empty() && self.speakers.is_empty()
    }

    pub(crate) fn view(&self, at: usize) -> &View {
        &self.views[at]
    }

    pub(crate) fn view_mut(&mut self, at: usize) -> &mut View {
        &mut self.views[at]
    }

    pub(crate) fn views_mut(&mut self) -> impl Iterator<Item = &mut View> {
        self.views.iter_mut()
    }

    /// The leg of a member of a view.
    pub(crate) fn leg(&self, membership: Membership) -> &Leg {
        &self.views[membership.view].legs[membership.at]
    }

    pub(crate) fn leg_mut(&mut self, membership: Membership) -> &mut Leg {
        &mut self.views[membership.view].legs[membership.at]
    }

    /// What a target names: the legs, and the packet they all get. None if either is gone.
    pub(crate) fn outlet(&mut self, target: Target) -> Option<(&mut [Leg], &Sent)> {
        let view = self.views.get_mut(target.view)?;
        let packet = view.lanes.get(target.lane)?.history.get(target.index)?;
        Some((&mut view.legs, packet))
    }

    /// What a listener says in a genuine compound RTCP packet.
    pub(crate) fn on_feedback(&mut self, now: Moment, from: Membership, packet: &[u8], transmits: &mut Transmits) {
        let (view, stage) = (&mut self.views[from.view], &self.stage);
        // Somebody on the stage has this name and is not muted.
        let may_be_heard = |csrc| stage.values().any(|member| member.csrc == csrc && !member.muted);
        view.legs[from.at].on_rtcp(now, packet, &view.lanes, &mut self.loss, may_be_heard, transmits);
    }

    pub(crate) fn csrc_of(&self, person: &str) -> Option<u32> {
        self.stage.get(person).map(|member| member.csrc)
    }

    /// Measure the newest packet of somebody who may be heard, and choose.
    ///
    /// level: 0..=127 of RFC 6464. True if there is voice in it.
    pub(crate) fn listen_to(&mut self, now: Instant, csrc: u32, level: u8) -> bool {
        if self.choice.on_packet(now, csrc, level) {
            self.assign_lanes();
        }
        let is_voice = self.choice.is_loud(csrc);
        self.has_talk |= is_voice;
        is_voice
    }

    /// Say where a packet goes: into `targets`, which is cleared. Its content stays in each lane's history.
    ///
    /// level: RFC 6464's byte as the speaker sent it.
    pub(crate) fn place(
        &mut self,
        now: Instant,
        csrc: u32,
        packet: UplinkPosition,
        level: Option<u8>,
        frame: &[u8],
        targets: &mut Vec<Target>,
    ) {
        targets.clear();
        let opus = self.has_long_packets.then(|| OpusPacket::parse(frame)).flatten();
        let said = Said { csrc, position: packet, level, payload: frame, opus: opus.as_ref() };
        let room = self.at;
        for (view_at, view) in self.views.iter_mut().enumerate().filter(|(_, view)| !view.members.is_empty()) {
            let packs = self.has_long_packets && view.is_audience();
            for (lane_at, lane) in view.lanes.iter_mut().enumerate().filter(|(_, lane)| lane.speaker() == Some(csrc)) {
                lane.take(now, &said, packs, &mut |index| {
                    view.last_sound = Some(now);
                    targets.push(Target { room, view: view_at, lane: lane_at, index });
                });
                self.flush_at = earliest(self.flush_at, lane.flush_due());
            }
        }
    }

    /// Before this moment nothing that waits for a long packet must go.
    pub(crate) fn flush_at(&self) -> Option<Instant> {
        self.flush_at
    }

    /// Make packets of what has waited long enough; where they go is added to `targets`.
    pub(crate) fn flush_due(&mut self, now: Instant, targets: &mut Vec<Target>) {
        if self.flush_at.is_none_or(|at| at > now) {
            return;
        }
        self.flush_at = None;
        let room = self.at;
        for (view_at, view) in self.views.iter_mut().enumerate() {
            for (lane_at, lane) in view.lanes.iter_mut().enumerate() {
                if lane.flush_due().is_some_and(|due| due <= now) {
                    lane.flush(&mut |index| {
                        view.last_sound = Some(now);
                        targets.push(Target { room, view: view_at, lane: lane_at, index });
                    });
                }
                self.flush_at = earliest(self.flush_at, lane.flush_due());
            }
        }
    }

    /// Who of the stage is speaking now, the dominant one first.
    pub(crate) fn speaking(&self, now: Instant) -> Vec<Arc<str>> {
        let mut speaking: Vec<(usize, &Arc<str>)> = self
            .stage
            .iter()
            .filter(|(_, member)| self.choice.is_speaking(now, member.csrc))
            .map(|(person, member)| (self.choice.rank(member.csrc), person))
            .collect();
        speaking.sort_unstable();
        speaking.into_iter().map(|(_, person)| person.clone()).collect()
    }

    /// Somebody can no longer be heard: muted, gone from the stage, or disconnected.
    pub(crate) fn silence(&mut self, csrc: u32) {
        self.views.iter_mut().flat_map(|view| &mut view.lanes).for_each(|lane| lane.forget(csrc));
        if self.choice.remove(csrc) {
            self.assign_lanes();
        }
    }

    fn assign_lanes(&mut self) {
        for view in &mut self.views {
            view.assign(self.choice.forwarded());
        }
    }

    /// Put a connected listener into the view for as many slots without `excluded`'s voice.
    pub(crate) fn join(&mut self, now: Instant, session: SessionKey, excluded: Option<u32>, mut leg: Leg) -> Membership {
        let slots = leg.slot_count();
        let turn = self.emptiest_turn(slots).filter(|_| excluded.is_none());
        // A view without members was not numbered on, so it would begin with a gap.
        let fits = |view: &View| view.serves(slots, excluded) && !view.members.is_empty() && turn.is_none_or(|turn| turn == view.turn);
        let view_at = self.views.iter().position(fits).unwrap_or_else(|| self.new_view(now, slots, excluded, turn.unwrap_or_default()));
        let view = &mut self.views[view_at];
        for (tap, lane) in leg.taps_mut().zip(&view.lanes) {
            tap.join(lane, now);
        }
        view.members.push(session);
        view.legs.push(leg);
        let membership = Membership { view: view_at, at: view.members.len() - 1 };
        self.count_audience();
        membership
    }

    /// While packets are long: the turn in which the fewest of the audience with so many slots are sent to.
    fn emptiest_turn(&self, slots: usize) -> Option<Turn> {
        let members = |turn: Turn| -> usize {
            self.views.iter().filter(|view| view.serves(slots, None) && view.turn == turn).map(|view| view.members.len()).sum()
        };
        (0..TURNS).map(Turn).filter(|_| self.has_long_packets).min_by_key(|turn| members(*turn))
    }

    /// Packets become long when the audience is large, and short again when it is clearly smaller than that. What waits then goes with
    /// what comes next, or when its time has come.
    fn count_audience(&mut self) {
        if let Some(from) = self.long_packets_from {
            let audience: usize = self.views.iter().filter(|view| view.is_audience()).map(|view| view.members.len()).sum();
            self.has_long_packets =
                if self.has_long_packets { audience.saturating_mul(4) >= from.saturating_mul(3) } else { audience >= from };
        }
    }

    fn new_view(&mut self, now: Instant, slots: usize, excluded: Option<u32>, turn: Turn) -> usize {
        let mut view = View {
            excluded,
            turn,
            last_sound: None,
            last_sign: None,
            lanes: std::iter::repeat_with(|| Lane::new(now, turn)).take(slots).collect(),
            members: Vec::new(),
            legs: Vec::new(),
            cells: Vec::new(),
        };
        view.assign(self.choice.forwarded());
        // An abandoned view's place may be taken: nobody's taps refer to its lanes any more.
        match self.views.iter().position(|view| view.members.is_empty()) {
            Some(at) => {
                self.views[at] = view;
                at
            }
            None => {
                self.views.push(view);
                self.views.len() - 1
            }
        }
    }

    /// Take a listener out of its view. Returns its leg, and the session that moved into its place, whose membership is now `from`.
    pub(crate) fn leave(&mut self, now: Instant, from: Membership) -> (Leg, Option<SessionKey>) {
        let view = &mut self.views[from.view];
        view.members.swap_remove(from.at);
        let mut leg = view.legs.swap_remove(from.at);
        for (tap, lane) in leg.taps_mut().zip(&view.lanes) {
            tap.leave(lane, now);
        }
        let moved = view.members.get(from.at).copied();
        self.count_audience();
        (leg, moved)
    }
}

/// The earlier of two moments, if there is one.
pub(crate) fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

impl View {
    /// It is for listeners with so many slots who do not hear `excluded`.
    fn serves(&self, slots: usize, excluded: Option<u32>) -> bool {
        self.lanes.len() == slots && self.excluded == excluded
    }

    /// Whether its listeners are to be given a sign now: it has lately fallen silent.
    pub(crate) fn takes_sign(&mut self, now: Instant) -> bool {
        let is_due = |at: Option<Instant>| at.is_none_or(|at| now.duration_since(at) >= SIGN_INTERVAL);
        let takes = self.may_need_signs(now) && is_due(self.last_sound) && is_due(self.last_sign);
        if takes {
            self.last_sign = Some(now);
        }
        takes
    }

    /// An audience that has heard nothing for long costs nothing.
    pub(crate) fn may_need_signs(&self, now: Instant) -> bool {
        !self.members.is_empty() && self.last_sound.is_some_and(|at| now.duration_since(at) < SIGNS_AFTER_SOUND)
    }

    /// Its listeners are not on the stage.
    fn is_audience(&self) -> bool {
        self.excluded.is_none()
    }

    /// Let the lanes follow the first of `forwarded`, dominant first, that this view may hear; nobody who is kept changes lane.
    fn assign(&mut self, forwarded: &[u32]) {
        let heard: Vec<u32> = forwarded.iter().copied().filter(|csrc| Some(*csrc) != self.excluded).take(self.lanes.len()).collect();
        for lane in &mut self.lanes {
            if lane.speaker().is_some_and(|speaker| !heard.contains(&speaker)) {
                lane.follow(None);
            }
        }
        for csrc in heard {
            if self.lanes.iter().any(|lane| lane.speaker() == Some(csrc)) {
                continue;
            }
            if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.speaker().is_none()) {
                lane.follow(Some(csrc));
            }
        }
    }
}
