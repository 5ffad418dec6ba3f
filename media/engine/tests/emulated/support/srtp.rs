//! SRTP with AEAD_AES_256_GCM as RFC 7714 has it, written apart from the engine's: what dimpl's client and server agree on.

use std::collections::HashMap;

use aes::cipher::{KeyIvInit, StreamCipher};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

pub struct Keys {
    rtp: (Aes256Gcm, [u8; 12]),
    rtcp: (Aes256Gcm, [u8; 12]),
    rtcp_index: u32,
    highest: HashMap<u32, u64>,
}

fn derive(key: &[u8], salt: &[u8], label: u8, output: &mut [u8]) {
    let mut counter = [0_u8; 16];
    counter[..12].copy_from_slice(salt);
    counter[7] ^= label;
    ctr::Ctr128BE::<aes::Aes256>::new_from_slices(key, &counter).unwrap().apply_keystream(output);
}

fn session_keys(key: &[u8], salt: &[u8], first_label: u8) -> (Aes256Gcm, [u8; 12]) {
    let (mut session_key, mut session_salt) = ([0; 32], [0; 12]);
    derive(key, salt, first_label, &mut session_key);
    derive(key, salt, first_label + 2, &mut session_salt);
    (Aes256Gcm::new_from_slice(&session_key).unwrap(), session_salt)
}

fn nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    let place = (u128::from(ssrc) << 48 | u128::from(index)).to_be_bytes();
    std::array::from_fn(|at| salt[at] ^ place[at + 4])
}

impl Keys {
    /// (the client's, the server's).
    pub fn from_dtls(material: &[u8]) -> (Self, Self) {
        assert_eq!(material.len(), 88, "AEAD_AES_256_GCM");
        (Self::new(&material[..32], &material[64..76]), Self::new(&material[32..64], &material[76..]))
    }

    fn new(key: &[u8], salt: &[u8]) -> Self {
        Self { rtp: session_keys(key, salt, 0), rtcp: session_keys(key, salt, 3), rtcp_index: 0, highest: HashMap::new() }
    }

    pub fn protect(&self, header: &[u8], payload: &[u8], ssrc: u32, index: u64) -> Vec<u8> {
        let nonce = nonce(&self.rtp.1, ssrc, index);
        let sealed = self.rtp.0.encrypt(&Nonce::from(nonce), Payload { msg: payload, aad: header }).unwrap();
        [header, &sealed].concat()
    }

    /// (index, payload), or None if the tag does not match.
    pub fn unprotect(&mut self, packet: &[u8], header_len: usize) -> Option<(u64, Vec<u8>)> {
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = u32::from_be_bytes(packet[8..12].try_into().unwrap());
        let highest = self.highest.get(&ssrc).copied().unwrap_or(u64::from(sequence));
        let candidates = [highest & !0xffff, (highest & !0xffff) + 0x1_0000, (highest & !0xffff).saturating_sub(0x1_0000)];
        let index = candidates.map(|base| base + u64::from(sequence)).into_iter().min_by_key(|index| index.abs_diff(highest)).unwrap();
        let (header, sealed) = packet.split_at(header_len);
        let payload = self.rtp.0.decrypt(&Nonce::from(nonce(&self.rtp.1, ssrc, index)), Payload { msg: sealed, aad: header }).ok()?;
        self.highest.insert(ssrc, highest.max(index));
        Some((index, payload))
    }

    pub fn protect_rtcp(&mut self, packet: &[u8]) -> Vec<u8> {
        self.rtcp_index += 1;
        let ssrc = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        let marked = (self.rtcp_index | 0x8000_0000).to_be_bytes();
        let aad = [&packet[..8], &marked].concat();
        let nonce = nonce(&self.rtcp.1, ssrc, u64::from(self.rtcp_index));
        let sealed = self.rtcp.0.encrypt(&Nonce::from(nonce), Payload { msg: &packet[8..], aad: &aad }).unwrap();
        [&packet[..8], &sealed, &marked].concat()
    }

    pub fn unprotect_rtcp(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let (body, marked) = packet.split_at(packet.len() - 4);
        let index = u32::from_be_bytes(marked.try_into().unwrap()) & 0x7fff_ffff;
        let ssrc = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        let aad = [&body[..8], marked].concat();
        let nonce = nonce(&self.rtcp.1, ssrc, u64::from(index));
        let plain = self.rtcp.0.decrypt(&Nonce::from(nonce), Payload { msg: &body[8..], aad: &aad }).ok()?;
        Some([&body[..8], &plain].concat())
    }
}
