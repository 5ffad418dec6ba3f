//! The RFCs' own vectors, one of libsrtp's, and what must not be accepted.

use super::cipher::{RtcpCipher, RtpCipher};
use super::keys::Label;
use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal")).collect()
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().expect("the vector's length")
}

/// The master key and salt of RFC 3711 appendix B.3.
fn rfc3711_keys() -> MasterKeys {
    MasterKeys::new(&bytes("E1F97A0D3E018BE0D64FA32C06DE4139"), &bytes("0EC675AD498AFEEBB6960B3AABE6"))
}

const PROFILES: [Profile; 3] = [Profile::Aes128CmSha1, Profile::Aes128Gcm, Profile::Aes256Gcm];

fn keys_for(profile: Profile) -> MasterKeys {
    let material: Vec<u8> = (0..2 * (32 + 12)).collect();
    let len = match profile {
        Profile::Aes128CmSha1 => 2 * (16 + 14),
        Profile::Aes128Gcm => 2 * (16 + 12),
        Profile::Aes256Gcm => 2 * (32 + 12),
    };
    MasterKeys::from_dtls(profile, &material[..len]).expect("the profile's length").0
}

fn pair(profile: Profile) -> (OutboundRtp, Inbound) {
    (OutboundRtp::new(profile, &keys_for(profile)), Inbound::new(profile, &keys_for(profile)))
}

fn rtcp_outbound(profile: Profile) -> Outbound {
    Outbound::new(profile, &keys_for(profile))
}

const SSRC: u32 = 0xcafe_babe;

/// A 12-byte header and a payload.
fn plain_packet(index: u64) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend_from_slice(&index.to_be_bytes()[6..]);
    packet.extend_from_slice(&[0, 0, 3, 192]);
    packet.extend_from_slice(&SSRC.to_be_bytes());
    packet.extend_from_slice(b"a frame of opus");
    packet
}

fn protected(outbound: &OutboundRtp, index: u64) -> Vec<u8> {
    let mut packet = plain_packet(index);
    outbound.protect(&mut packet, 0, 12, SSRC, index);
    packet
}

#[test]
fn session_keys_are_those_of_rfc_3711_appendix_b3() {
    let keys = rfc3711_keys();
    assert_eq!(keys.derive::<16>(Label::RtpKey), array("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(keys.derive::<14>(Label::RtpSalt), array("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(keys.derive::<20>(Label::RtpAuthentication), array("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

#[test]
fn counter_mode_packet_is_that_of_libsrtp() {
    let mut packet = bytes("800f1234decafbadcafebabe abababababababababababababababab");
    OutboundRtp::new(Profile::Aes128CmSha1, &rfc3711_keys()).protect(&mut packet, 0, 12, SSRC, 0x1234);
    assert_eq!(packet, bytes("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));
}

#[test]
fn counter_mode_rtcp_packet_is_that_of_libsrtp() {
    let mut packet = bytes("81c8000bcafebabe abababababababababababababababab");
    Outbound::new(Profile::Aes128CmSha1, &rfc3711_keys()).protect_rtcp(&mut packet, 0, SSRC);
    assert_eq!(packet, bytes("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"));
}

#[test]
fn gcm_packet_is_that_of_rfc_7714_section_16() {
    let cipher = RtpCipher::gcm_with_session_keys(array("000102030405060708090a0b0c0d0e0f"), array("517569642070726f2071756f"));
    let header = "8040f17b 8041f8d3 5501a0b2";
    let plain = bytes(&format!("{header} 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573"));
    let sealed = bytes(&format!(
        "{header} f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce"
    ));
    let mut packet = plain.clone();
    cipher.seal(&mut packet, 0, 12, 0x5501_a0b2, 0xf17b);
    assert_eq!(packet, sealed);
    assert_eq!(cipher.open(&mut packet, 12, 0x5501_a0b2, 0xf17b), Ok(plain.len()));
    assert_eq!(packet[..plain.len()], plain);
}

#[test]
fn gcm_rtcp_packet_is_that_of_rfc_7714_section_17() {
    let cipher = RtcpCipher::gcm_with_session_keys(array("000102030405060708090a0b0c0d0e0f"), array("517569642070726f2071756f"));
    let plain =
        bytes("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef");
    let sealed = bytes(
        "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b \
         c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
    );
    let mut packet = plain.clone();
    cipher.seal(&mut packet, 0, 0x4d61_7273, 0x5d4);
    assert_eq!(packet, sealed);
    assert_eq!(cipher.open(&mut packet, 0x4d61_7273), Ok(plain.len()));
    assert_eq!(packet[..plain.len()], plain);
}

#[test]
fn packets_pass_the_rollover_in_every_profile() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        for index in (60_000..140_000).step_by(7) {
            let mut packet = protected(&outbound, index);
            let unprotected = inbound.unprotect_rtp(&mut packet).expect("genuine");
            assert_eq!((unprotected.index, &packet[..unprotected.len]), (index, &plain_packet(index)[..]), "{profile:?}");
        }
    }
}

#[test]
fn reordered_packets_are_accepted_and_repeated_ones_refused() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let mut packets: Vec<Vec<u8>> = (65_500..65_580).map(|index| protected(&outbound, index)).collect();
        packets.swap(30, 40);
        for packet in &packets {
            assert!(inbound.unprotect_rtp(&mut packet.clone()).is_ok());
        }
        for packet in &packets {
            assert_eq!(inbound.unprotect_rtp(&mut packet.clone()).err(), Some(Refused::Replayed));
        }
    }
}

#[test]
fn every_flipped_bit_is_noticed_and_moves_no_state() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let genuine = protected(&outbound, 9);
        for bit in 0..8 * genuine.len() {
            let mut packet = genuine.clone();
            packet[bit / 8] ^= 1 << (bit % 8);
            assert!(inbound.unprotect_rtp(&mut packet).is_err(), "{profile:?}, bit {bit}");
        }
        assert!(inbound.unprotect_rtp(&mut genuine.clone()).is_ok());
    }
}

#[test]
fn packets_cut_short_are_refused() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let rtp = protected(&outbound, 9);
        for len in 0..rtp.len() {
            assert!(inbound.unprotect_rtp(&mut rtp[..len].to_vec()).is_err());
        }
        let mut rtcp = bytes("80c80001cafebabeffffffff");
        rtcp_outbound(profile).protect_rtcp(&mut rtcp, 0, SSRC);
        for len in 0..rtcp.len() {
            assert!(inbound.unprotect_rtcp(&mut rtcp[..len].to_vec()).is_err());
        }
        assert_eq!(inbound.unprotect_rtcp(&mut rtcp.clone()), Ok(12));
        assert_eq!(inbound.unprotect_rtcp(&mut rtcp), Err(Refused::Replayed));
    }
}

#[test]
fn rtcp_without_encryption_is_refused() {
    let (_, mut inbound) = pair(Profile::Aes128Gcm);
    let mut rtcp = bytes("80c80001cafebabeffffffff");
    rtcp_outbound(Profile::Aes128Gcm).protect_rtcp(&mut rtcp, 0, SSRC);
    let at = rtcp.len() - 4;
    rtcp[at] &= 0x7f;
    assert_eq!(inbound.unprotect_rtcp(&mut rtcp), Err(Refused::Malformed));
}

#[test]
fn a_fifth_stream_is_refused() {
    let (outbound, mut inbound) = pair(Profile::Aes128Gcm);
    let packet_of = |ssrc: u32| {
        let mut packet = plain_packet(1);
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
        outbound.protect(&mut packet, 0, 12, ssrc, 1);
        packet
    };
    for ssrc in 1..=4 {
        assert!(inbound.unprotect_rtp(&mut packet_of(ssrc)).is_ok());
    }
    assert_eq!(inbound.unprotect_rtp(&mut packet_of(5)).err(), Some(Refused::TooManyStreams));
}

#[test]
fn keying_material_of_another_length_is_none() {
    assert!(MasterKeys::from_dtls(Profile::Aes128Gcm, &[0; 55]).is_none());
    assert!(MasterKeys::from_dtls(Profile::Aes128CmSha1, &[0; 56]).is_none());
}
