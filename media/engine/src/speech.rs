//! What a speaker said, on its way from the engine that has their session to others that have listeners of the room.

use std::sync::Arc;

/// One packet's worth of a speaker whom policy lets be heard, decrypted. Ids and numbers only, so that it can travel.
///
/// Every engine chooses among speakers by the same rule from the same packets, and keeps the losses visible as the speaker's numbering has
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// The room's id.
    pub room: Arc<str>,
    /// The speaker's name in packets.
    pub csrc: u32,
    /// Whose numbering the frames have.
    pub stream: SpeechStream,
    /// By which speakers are chosen: RFC 6464's, 0..=127, or what is assumed where the packet carries none. None: it came late, and
    /// was no part of the moment that the choice is about.
    pub level: Option<u8>,
    /// Those recovered from copies first, the newest last. None at all: this voice can no longer be heard.
    pub frames: Vec<SpeechFrame>,
}

/// Names one stream of one speak session of one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpeechStream {
    /// The engine's shard.
    pub shard: u32,
    /// Unique in that engine.
    pub session: u64,
    /// Of the uplink.
    pub ssrc: u32,
}

/// One frame of Opus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechFrame {
    /// 48 bits: the sequence number with its rollovers.
    pub index: u64,
    /// RTP, 48 kHz.
    pub timestamp: u32,
    /// Begins a talkspurt.
    pub marker: bool,
    /// Recovered or come late: it fills a gap, or is of no use.
    pub is_late: bool,
    /// RFC 6464's byte, voice flag included, if the packet carried one.
    pub level: Option<u8>,
    /// Opus.
    pub bytes: Vec<u8>,
}
