use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// SILK, 20 ms, mono.
const SILK: u8 = 9 << 3;

fn packed(payloads: &[&[u8]]) -> Vec<u8> {
    let mut group = Group::default();
    for payload in payloads {
        group.append(&OpusPacket::parse(payload).expect("packable"));
    }
    let mut packet = Vec::new();
    group.write(&mut packet);
    packet
}

fn code_0(toc: u8, frame: &[u8]) -> Vec<u8> {
    [&[toc], frame].concat()
}

#[test]
fn frames_last_as_long_as_the_table_says() {
    let of = |configurations: std::ops::Range<u8>| configurations.map(|number| frame_units(number << 3)).collect::<Vec<_>>();
    for silk in [of(0..4), of(4..8), of(8..12)] {
        assert_eq!(silk, [Some(480), Some(960), None, None]);
    }
    assert_eq!(of(12..16), [480, 960, 480, 960].map(Some));
    for celt in [of(16..20), of(20..24), of(24..28), of(28..32)] {
        assert_eq!(celt, [120, 240, 480, 960].map(Some));
    }
}

#[test]
fn packets_are_framed_as_the_rfc_draws_them() {
    let [a, b, c] = [b"aa", b"bb", b"cc"].map(|frame| code_0(SILK, frame));
    assert_eq!(packed(&[&a]), [&[SILK][..], b"aa"].concat());
    assert_eq!(packed(&[&a, &b]), [&[SILK | 1][..], b"aabb"].concat());
    assert_eq!(packed(&[&a, &b, &c]), [&[SILK | 3, 3][..], b"aabbcc"].concat());
    let longer = code_0(SILK, b"longer");
    assert_eq!(packed(&[&a, &longer]), [&[SILK | 2, 2][..], b"aalonger"].concat());
    assert_eq!(packed(&[&a, &longer, &c]), [&[SILK | 3, 0x83, 2, 6][..], b"aalongercc"].concat());
    // RFC 6716 section 3.2.1: four times the second byte plus the first.
    let (long, longest) = (code_0(SILK, &[1; 252]), code_0(SILK, &[2; 259]));
    assert_eq!(packed(&[&long, &a])[..3], [SILK | 2, 252, 0]);
    assert_eq!(packed(&[&longest, &a])[..3], [SILK | 2, 255, 1]);
}

#[test]
fn padding_goes_and_what_it_padded_stays() {
    let padded = [&[SILK | 3, 0x41, 255, 2][..], b"frame", &[0; 254 + 2]].concat();
    assert_eq!(OpusPacket::parse(&padded).expect("one frame").frames(), [b"frame"]);
    assert_eq!(OpusPacket::parse(&[SILK | 3, 0x41, 3, 1, 1]).map(|packet| packet.count), None, "more padding than packet");
}

#[test]
fn silence_and_what_is_long_already_is_left_alone() {
    let sixty_ms = code_0(11 << 3, b"frame");
    let forty_ms = code_0(10 << 3, b"frame");
    let four = [&[SILK | 3, 4][..], b"aabbccdd"].concat();
    let none_at_all: [&[u8]; 10] =
        [&[], &[SILK], &[SILK, 0], &[SILK | 3, 1, 0], &[SILK | 3, 0], &[SILK | 3], &[SILK | 1, 1, 2, 3], &sixty_ms, &forty_ms, &four];
    for payload in none_at_all {
        assert!(OpusPacket::parse(payload).is_none(), "{payload:?}");
    }
    assert!(OpusPacket::parse(&code_0(SILK, &[0; 1_275])).is_some());
    assert!(OpusPacket::parse(&code_0(SILK, &[0; 1_276])).is_none());
}

#[test]
fn other_kinds_longer_ones_and_more_do_not_fit() {
    let mut group = Group::default();
    let parse = |payload: &'static [u8]| OpusPacket::parse(payload).expect("packable");
    let (mono, stereo, celt) = (parse(&[SILK, 1, 2]), parse(&[SILK | 4, 1, 2]), parse(&[31 << 3, 1, 2]));
    assert!(group.fits(&mono) && group.fits(&stereo));
    group.append(&mono);
    assert!(group.fits(&mono) && !group.fits(&stereo) && !group.fits(&celt));
    group.append(&mono);
    group.append(&mono);
    assert_eq!(group.units(), LONG_UNITS);
    assert!(!group.fits(&mono), "60 ms are enough");
    group.clear();
    let half = code_0(SILK, &[0; 580]);
    let half = OpusPacket::parse(&half).expect("packable");
    group.append(&half);
    assert!(!group.fits(&half), "1,166 bytes");
}

/// Any packable packets in any order, before or behind: what is written holds the same frames, as long, and no longer than a path takes.
#[test]
fn what_is_packed_unpacks_to_the_same_frames() {
    let mut random = StdRng::seed_from_u64(1);
    let mut packed_many = 0;
    for round in 0..20_000 {
        let configuration: u8 = [1, 5, 9, 12, 13, 15, 16, 21, 26, 31][random.random_range(0..10)];
        let toc = configuration << 3 | random.random_range(0..2) << 2;
        let longest = [3, 90, 300, 1_275][random.random_range(0..4)];
        let (mut group, mut expected) = (Group::default(), Vec::<Vec<u8>>::new());
        for _ in 0..8 {
            let same = random.random_range(0..2) == 0;
            let len = random.random_range(0..=longest);
            let frames: Vec<Vec<u8>> = (0..random.random_range(1..4))
                .map(|_| vec![random.random(); if same { len } else { random.random_range(0..=longest) }])
                .collect();
            let payload = code_3(toc, &frames, random.random_range(0..2) * 300);
            let Some(packet) = OpusPacket::parse(&payload).filter(|packet| group.fits(packet)) else {
                continue;
            };
            assert_eq!(packet.frames(), frames);
            if random.random_range(0..3) == 0 {
                group.prepend(&packet);
                expected.splice(..0, frames);
            } else {
                group.append(&packet);
                expected.extend(frames);
            }
        }
        if expected.is_empty() {
            continue;
        }
        let mut written = vec![];
        group.write(&mut written);
        assert!(written.len() <= MAX_PACKED_LEN && group.units() <= LONG_UNITS, "round {round}");
        let read = OpusPacket::parse(&written).expect("ours");
        assert_eq!(
            (read.frames(), read.toc, read.units()),
            (&expected.iter().map(Vec::as_slice).collect::<Vec<_>>()[..], toc, group.units())
        );
        packed_many += usize::from(expected.len() > 2);
    }
    assert!(packed_many > 5_000, "{packed_many}");
}

/// With its lengths told, whether they differ or not.
fn code_3(toc: u8, frames: &[Vec<u8>], padding: usize) -> Vec<u8> {
    let mut payload = vec![toc | 3, 0x80 | u8::from(padding > 0) << 6 | u8::try_from(frames.len()).expect("few")];
    if padding > 0 {
        payload.extend(std::iter::repeat_n(255, padding / 254));
        payload.push(u8::try_from(padding % 254).expect("less"));
    }
    frames[..frames.len() - 1].iter().for_each(|frame| write_len(frame.len(), &mut payload));
    payload.extend(frames.concat());
    payload.resize(payload.len() + padding, 0);
    payload
}

#[test]
fn hostile_packets_do_no_harm() {
    let mut random = StdRng::seed_from_u64(2);
    let mut understood = 0;
    for _ in 0..200_000 {
        let payload: Vec<u8> = (0..random.random_range(0..40)).map(|_| random.random()).collect();
        let Some(packet) = OpusPacket::parse(&payload) else {
            continue;
        };
        let mut group = Group::default();
        if group.fits(&packet) {
            group.append(&packet);
            let mut written = Vec::new();
            group.write(&mut written);
            assert_eq!(OpusPacket::parse(&written).expect("ours").frames(), packet.frames());
            understood += 1;
        }
    }
    assert!(understood > 20_000, "{understood}");
}
