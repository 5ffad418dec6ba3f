//! Parsers by themselves.

use salon_engine::Direction;
use salon_engine::fuzzing::{Cipher, Peer, Receiver, pack, read_fragment, read_offer, read_record, read_red, read_rtcp, read_rtp};

use crate::script::Script;

/// Frames in a stream are the same however the stream is cut.
pub(crate) fn framing(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else { return };
    let whole = salon_driver::deframe(std::iter::once(stream));
    let pieces = salon_driver::deframe(stream.chunks(1 + usize::from(*cut)));
    assert_eq!(whole, pieces);
    assert!(whole.0.iter().map(|frame| 2 + frame.len()).sum::<usize>() <= stream.len());
}

pub(crate) fn rtp(bytes: &[u8]) {
    if let Some((payload, _)) = read_rtp(bytes) {
        assert!(payload + 12 <= bytes.len(), "a payload lies behind its header");
    }
}

/// What another process left in memory: it may have died in the middle of it.
pub(crate) fn record(bytes: &[u8]) {
    let _ = read_record(bytes);
}

pub(crate) fn rtcp(bytes: &[u8]) {
    assert!(read_rtcp(bytes) <= 17 * bytes.len() / 4, "nothing comes of nothing");
}

/// Whatever speakers call Opus.
pub(crate) fn packing(bytes: &[u8]) {
    let mut script = Script(bytes);
    let mut payloads = Vec::new();
    while !script.is_over() {
        payloads.push(script.bytes());
    }
    pack(&payloads);
}

pub(crate) fn red(bytes: &[u8]) {
    if let Some(used) = read_red(bytes) {
        assert_eq!(used, bytes.len(), "every byte is used once");
    }
}

pub(crate) fn sdp_offer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = read_offer(text, Direction::Listen);
    let _ = read_offer(text, Direction::Speak);
}

pub(crate) fn sdp_fragment(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = read_fragment(text);
    }
}

/// Packets of any content, forged or sealed with the right keys; nothing is accepted twice, and what was sealed comes out as it went in.
pub(crate) fn srtp(bytes: &[u8]) {
    let mut script = Script(bytes);
    let cipher = Cipher::ALL[script.below(3)];
    let (mut receiver, mut peer) = (Receiver::new(cipher), Peer::new(cipher));
    let mut index = u64::from(script.word());
    let mut accepted = std::collections::HashSet::new();
    while !script.is_over() {
        match script.below(5) {
            0 => {
                let packet = script.bytes();
                assert!(receiver.take_rtp(packet).is_none() && receiver.take_rtcp(packet).is_none(), "nobody guesses a tag");
            }
            1 => {
                let compound = script.bytes();
                if let Some(mut packet) = peer.protect_rtcp(compound) {
                    let plain = receiver.take_rtcp(&packet);
                    assert!(plain.is_none_or(|plain| plain == compound), "what went in comes out");
                    assert!(receiver.take_rtcp(&packet).is_none(), "once");
                    let at = script.below(packet.len());
                    packet[at] ^= script.byte().max(1);
                    assert!(receiver.take_rtcp(&packet).is_none(), "a changed packet is not genuine");
                }
            }
            step => {
                // Forwards by a little, by a lot, or backwards: reordering, loss, rollover.
                index = match step {
                    2 => index + 1,
                    3 => index + u64::from(script.word()),
                    _ => index.saturating_sub(u64::from(script.byte())),
                };
                let Some(packet) = peer.protect_rtp(script.bytes(), index) else { continue };
                if let Some((at, plain)) = receiver.take_rtp(&packet) {
                    let ssrc: [u8; 4] = plain[8..12].try_into().unwrap();
                    assert_eq!(at, index, "the receiver finds the index that it was sealed with");
                    assert!(accepted.insert((ssrc, at)), "no index twice");
                    assert!(receiver.take_rtp(&packet).is_none(), "once");
                }
            }
        }
    }
}
