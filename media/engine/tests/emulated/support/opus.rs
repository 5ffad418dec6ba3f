//! Opus packets as RFC 6716 section 3.2 frames them, read apart from the engine.

use std::collections::VecDeque;

/// CELT, 20 ms, mono, one frame.
pub const TOC: u8 = 31 << 3;

/// Frames of 20 ms that say what number they have.
pub fn recording(count: usize) -> VecDeque<Vec<u8>> {
    (0..count).map(frame).collect()
}

pub fn frame(number: usize) -> Vec<u8> {
    [&[TOC], format!("frame {number}").as_bytes()].concat()
}

/// The frames of a packet without padding, each as a packet of its own.
pub fn unpack(packet: &[u8]) -> Vec<Vec<u8>> {
    let (toc, code) = (packet[0] & !3, packet[0] & 3);
    let (count, are_equal, mut rest) = match code {
        0 => (1, true, &packet[1..]),
        1 => (2, true, &packet[1..]),
        2 => (2, false, &packet[1..]),
        _ => (usize::from(packet[1] & 0x3f), packet[1] & 0x80 == 0, &packet[2..]),
    };
    let mut lens = vec![rest.len() / count; count - 1];
    if !are_equal {
        for len in &mut lens {
            *len = usize::from(rest[0]);
            assert!(*len < 252, "short ones only");
            rest = &rest[1..];
        }
    }
    let mut frames = Vec::new();
    for len in lens {
        let (frame, after) = rest.split_at(len);
        frames.push(frame);
        rest = after;
    }
    frames.push(rest);
    frames.iter().map(|frame| [&[toc], *frame].concat()).collect()
}

/// What a frame of [`recording`] says.
pub fn number(frame: &[u8]) -> usize {
    std::str::from_utf8(&frame[1..]).unwrap().strip_prefix("frame ").unwrap().parse().unwrap()
}
