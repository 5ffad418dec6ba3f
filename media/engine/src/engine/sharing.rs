//! One room on several engines: speech out to the others, and in from them.

use std::sync::Arc;
use std::time::Instant;

use super::Engine;
use super::fanout::WaitingFrame;
use crate::room::{StreamKey, UplinkPosition};
use crate::route::Route;
use crate::session::MAX_FRAME_LEN;
use crate::speech::{Speech, SpeechFrame, SpeechStream};

impl Engine {
    /// Whether other engines have listeners of `room`: then [`super::Output::Speech`] tells what its speakers say here. Remembered until it
    /// is taken back, whether the room exists or not.
    pub fn share_room(&mut self, room: &str, is_shared: bool) {
        if is_shared {
            self.shared_rooms.insert(room.into());
        } else {
            self.shared_rooms.remove(room);
        }
        if let Some(room) = self.room_at.get(room).and_then(|at| self.rooms[*at].as_mut()) {
            room.is_shared = is_shared;
        }
    }

    /// Whether a session here has validated `route`.
    #[must_use]
    pub fn owns(&self, route: Route) -> bool {
        self.by_route.contains_key(&route)
    }

    /// Whether the session here that has `route` has also proven that its peer is there.
    #[must_use]
    pub fn has_proved(&self, route: Route) -> bool {
        self.by_route.get(&route).and_then(|key| self.sessions.get(*key)).is_some_and(|session| session.ice.has_proved(route))
    }

    /// Every route that a session here has validated.
    pub fn routes(&self) -> impl Iterator<Item = Route> {
        self.by_route.keys().copied()
    }

    /// Tell other engines what stands in `waiting`, the frames of one packet at hand.
    pub(super) fn share_speech(&mut self, room: Arc<str>, level: Option<u8>) {
        let Some(WaitingFrame { csrc, position: UplinkPosition { stream, .. }, .. }) = self.waiting.back() else {
            return;
        };
        let (csrc, stream) = (*csrc, SpeechStream { shard: stream.shard, session: stream.session, ssrc: stream.ssrc });
        let frames = self.waiting.iter().map(|waiting| SpeechFrame {
            index: waiting.position.index,
            timestamp: waiting.position.timestamp,
            marker: waiting.position.marker,
            is_late: waiting.position.is_late,
            level: waiting.level,
            bytes: self.packet[waiting.bytes.clone()].to_vec(),
        });
        self.speech.push_back(Speech { room, csrc, stream, level, frames: frames.collect() });
    }

    /// Tell other engines that a voice is gone.
    pub(super) fn share_silence(&mut self, room: Arc<str>, csrc: u32) {
        let stream = SpeechStream { shard: 0, session: 0, ssrc: 0 };
        self.speech.push_back(Speech { room, csrc, stream, level: None, frames: Vec::new() });
    }

    /// Let the listeners here hear what was said at another engine, if policy, as it is known here, lets that be heard.
    pub(super) fn take_speech(&mut self, now: Instant, speech: &Speech) {
        let Some(at) = self.room_at.get(&speech.room).copied().filter(|_| !self.is_held) else {
            return;
        };
        let Some(room) = self.rooms[at].as_mut() else {
            return;
        };
        if speech.frames.is_empty() {
            room.silence(speech.csrc);
            return;
        }
        let may_be_heard = room.stage.values().any(|member| member.csrc == speech.csrc && !member.muted);
        if !may_be_heard || speech.frames.iter().any(|frame| frame.bytes.len() > MAX_FRAME_LEN) {
            return;
        }
        // Who talks is counted where their session is.
        let has_talk = room.has_talk;
        if let Some(level) = speech.level {
            room.listen_to(now, speech.csrc, level);
        }
        room.has_talk = has_talk;
        let SpeechStream { shard, session, ssrc } = speech.stream;
        self.packet.clear();
        for frame in &speech.frames {
            let start = self.packet.len();
            self.packet.extend_from_slice(&frame.bytes);
            let SpeechFrame { index, timestamp, marker, is_late, level, .. } = *frame;
            self.waiting.push_back(WaitingFrame {
                room: at,
                csrc: speech.csrc,
                position: UplinkPosition { stream: StreamKey { shard, session, ssrc }, index, timestamp, marker, is_late },
                level,
                bytes: start..self.packet.len(),
            });
        }
        self.begin_next_fanout(now);
    }
}
