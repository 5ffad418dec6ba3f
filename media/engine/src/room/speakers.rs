//! Speaker choice: which three of a room's speakers are forwarded, and which of them is dominant.
//!
//! Terms, steps and worked numbers: docs/algorithms/speaker.md. Source: Volfin and Cohen, "Dominant speaker identification for multipoint
//! videoconferencing" (Computer Speech and Language 27, 2013), simplified to one smoothed level with hysteresis; levels by RFC 6464.

use std::time::{Duration, Instant};

/// Forwarded at a time. More than three voices at once nobody follows, and the audience's cost stays bounded.
pub(crate) const MAX_FORWARDED: usize = 3;
/// RFC 6464's level for digital silence, -127 dBov.
pub(crate) const SILENCE_LEVEL: u8 = 127;
/// Assumed for packets that carry no level: -40 dBov, ordinary speech at some distance.
pub(crate) const ASSUMED_LEVEL: u8 = 40;

/// Smoothed loudness, dB above -127 dBov, from which somebody counts as speaking: -52 dBov.
/// Microphones of laptops in quiet rooms idle at -60 to -75 dBov, soft speech begins near -45.
const SPEAKING_DB: f32 = 75.0;
/// Loudness follows a rise within about this time, so that a click does not take the floor …
const ATTACK_SECS: f32 = 0.06;
/// … and a fall within this, so that pauses between syllables do not lose it.
const RELEASE_SECS: f32 = 0.3;
/// A pause shorter than this is part of speech.
const PAUSE: Duration = Duration::from_millis(300);
/// Who has spoken for this long may take the place of somebody silent.
const TAKE_FROM_SILENT_AFTER: Duration = Duration::from_millis(60);
/// Who is louder by this …
const OVERTAKE_DB: f32 = 6.0;
/// … for this long may take the place of somebody who is speaking.
const OVERTAKE_AFTER: Duration = Duration::from_millis(400);

/// The state of one room's choice. Speakers are named by CSRC.
#[derive(Debug, Default)]
pub(crate) struct SpeakerChoice {
    speakers: Vec<Speaker>,
    /// At most [`MAX_FORWARDED`], the dominant one first, then by how recently each was dominant.
    forwarded: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Speaker {
    csrc: u32,
    /// Smoothed, dB above -127 dBov.
    loudness: f32,
    last_packet: Instant,
    speaking_since: Option<Instant>,
    /// When the loudness was last at or above [`SPEAKING_DB`].
    last_loud: Option<Instant>,
    louder_than_weakest_since: Option<Instant>,
    louder_than_dominant_since: Option<Instant>,
}

impl Speaker {
    fn new(csrc: u32, now: Instant) -> Self {
        Self {
            csrc,
            loudness: 0.0,
            // The first packet counts as one frame's time, like every other.
            last_packet: now.checked_sub(Duration::from_millis(20)).unwrap_or(now),
            speaking_since: None,
            last_loud: None,
            louder_than_weakest_since: None,
            louder_than_dominant_since: None,
        }
    }

    /// level: as RFC 6464 has it, 0 loudest, 127 silence.
    fn hear(&mut self, now: Instant, level: u8) {
        let loudness = f32::from(SILENCE_LEVEL.saturating_sub(level));
        // Packets come every 20 ms or so; after a gap (DTX, loss) the longest step is that of 400 ms, Opus's DTX interval.
        let step_secs = now.duration_since(self.last_packet).as_secs_f32().clamp(0.01, 0.4);
        let time_constant = if loudness > self.loudness { ATTACK_SECS } else { RELEASE_SECS };
        // One step of silence-to-speech may not count as more than one packet's time.
        let step_secs = if loudness > self.loudness { step_secs.min(0.02) } else { step_secs };
        self.loudness += (loudness - self.loudness) * (1.0 - (-step_secs / time_constant).exp());
        self.last_packet = now;
        if self.loudness >= SPEAKING_DB {
            self.last_loud = Some(now);
            self.speaking_since.get_or_insert(now);
        } else if !self.is_speaking(now) {
            self.speaking_since = None;
        }
    }

    fn is_speaking(&self, now: Instant) -> bool {
        self.last_loud.is_some_and(|at| now.duration_since(at) <= PAUSE)
    }

    fn has_spoken_for(&self, now: Instant, at_least: Duration) -> bool {
        self.is_speaking(now) && self.speaking_since.is_some_and(|since| now.duration_since(since) >= at_least)
    }
}

impl SpeakerChoice {
    /// The forwarded speakers, the dominant one first.
    pub(crate) fn forwarded(&self) -> &[u32] {
        &self.forwarded
    }

    /// Whether there is voice in this one's sound now.
    pub(crate) fn is_loud(&self, csrc: u32) -> bool {
        self.speaker(csrc).is_some_and(|speaker| speaker.loudness >= SPEAKING_DB)
    }

    /// Whether this one speaks: a short pause is part of speech.
    pub(crate) fn is_speaking(&self, now: Instant, csrc: u32) -> bool {
        self.speaker(csrc).is_some_and(|speaker| speaker.is_speaking(now))
    }

    /// Place among the forwarded, 0 for the dominant one; behind all of them for who is not forwarded.
    pub(crate) fn rank(&self, csrc: u32) -> usize {
        self.forwarded.iter().position(|forwarded| *forwarded == csrc).unwrap_or(MAX_FORWARDED)
    }

    /// Take note of a packet of `csrc`, who may be heard. True if [`Self::forwarded`] has changed.
    ///
    /// level: 0..=127 of RFC 6464, [`ASSUMED_LEVEL`] where the packet carries none. now: not before the call before.
    pub(crate) fn on_packet(&mut self, now: Instant, csrc: u32, level: u8) -> bool {
        let at = self.speakers.iter().position(|speaker| speaker.csrc == csrc).unwrap_or_else(|| {
            self.speakers.push(Speaker::new(csrc, now));
            self.speakers.len() - 1
        });
        self.speakers[at].hear(now, level);
        let entered = !self.forwarded.contains(&csrc) && self.enter(now, at);
        let dominates = self.forwarded.contains(&csrc) && self.dominate(now, at);
        entered || dominates
    }

    /// Forget somebody who was muted or left. True if [`Self::forwarded`] has changed.
    pub(crate) fn remove(&mut self, csrc: u32) -> bool {
        self.speakers.retain(|speaker| speaker.csrc != csrc);
        let before = self.forwarded.len();
        self.forwarded.retain(|forwarded| *forwarded != csrc);
        self.forwarded.len() != before
    }

    fn speaker(&self, csrc: u32) -> Option<&Speaker> {
        self.speakers.iter().find(|speaker| speaker.csrc == csrc)
    }

    /// Give the speaker at `at` a free place, or somebody's who is silent, or the weakest one's.
    fn enter(&mut self, now: Instant, at: usize) -> bool {
        let challenger = self.speakers[at];
        if self.forwarded.len() < MAX_FORWARDED {
            self.forwarded.push(challenger.csrc);
            return true;
        }
        if !challenger.has_spoken_for(now, TAKE_FROM_SILENT_AFTER) {
            self.speakers[at].louder_than_weakest_since = None;
            return false;
        }
        let Some(replaced) = self.longest_silent(now).or_else(|| self.overtaken(now, at)) else {
            return false;
        };
        self.forwarded.retain(|csrc| *csrc != replaced);
        self.forwarded.push(challenger.csrc);
        self.speakers[at].louder_than_weakest_since = None;
        true
    }

    fn longest_silent(&self, now: Instant) -> Option<u32> {
        let silent = self.forwarded.iter().filter_map(|csrc| self.speaker(*csrc)).filter(|speaker| !speaker.is_speaking(now));
        silent.min_by_key(|speaker| speaker.last_loud).map(|speaker| speaker.csrc)
    }

    /// The weakest forwarded speaker, if the one at `at` has been louder for long enough.
    fn overtaken(&mut self, now: Instant, at: usize) -> Option<u32> {
        let weakest = self.forwarded.iter().filter_map(|csrc| self.speaker(*csrc)).min_by(|a, b| a.loudness.total_cmp(&b.loudness))?;
        let (weakest, threshold) = (weakest.csrc, weakest.loudness + OVERTAKE_DB);
        let challenger = &mut self.speakers[at];
        overtakes(now, challenger.loudness > threshold, &mut challenger.louder_than_weakest_since).then_some(weakest)
    }

    /// Make the forwarded speaker at `at` the dominant one if it is time.
    fn dominate(&mut self, now: Instant, at: usize) -> bool {
        let challenger = self.speakers[at];
        let Some(dominant) = self.forwarded.first().and_then(|csrc| self.speaker(*csrc)).copied() else {
            return false;
        };
        if dominant.csrc == challenger.csrc || !challenger.has_spoken_for(now, TAKE_FROM_SILENT_AFTER) {
            self.speakers[at].louder_than_dominant_since = None;
            return false;
        }
        let louder = challenger.loudness > dominant.loudness + OVERTAKE_DB;
        if dominant.is_speaking(now) && !overtakes(now, louder, &mut self.speakers[at].louder_than_dominant_since) {
            return false;
        }
        self.speakers[at].louder_than_dominant_since = None;
        self.forwarded.retain(|csrc| *csrc != challenger.csrc);
        self.forwarded.insert(0, challenger.csrc);
        true
    }
}

/// True once `louder` has held for [`OVERTAKE_AFTER`]; `since` remembers from when.
fn overtakes(now: Instant, louder: bool, since: &mut Option<Instant>) -> bool {
    if !louder {
        *since = None;
        return false;
    }
    now.duration_since(*since.get_or_insert(now)) >= OVERTAKE_AFTER
}

#[cfg(test)]
mod tests;
