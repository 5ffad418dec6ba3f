//! The ciphers themselves: sealing and opening single packets with session keys.

use aes::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::Refused;
use super::keys::{Label, MasterKeys, Profile};

/// Of HMAC_SHA1_80.
const HMAC_TAG_LEN: usize = 10;
const GCM_TAG_LEN: usize = 16;
/// The E flag and the 31-bit index at the end of every SRTCP packet.
const RTCP_INDEX_LEN: usize = 4;
const RTCP_ENCRYPTED: u32 = 0x8000_0000;
/// An RTCP header and its sender's SSRC stay in the clear (RFC 3711 section 3.4).
const RTCP_CLEAR_LEN: usize = 8;

type CounterMode = ctr::Ctr128BE<aes::Aes128>;

/// Session keys, ready for use. ring's GCM takes a third of the time of RustCrypto's for packets as short as speech; its HMAC twice as
/// much, so that RustCrypto does AES-CM. Both are inline, not boxed: the fan-out walks over them in the order of their listeners.
#[allow(clippy::large_enum_variant)]
enum Cipher {
    CounterMode {
        key: [u8; 16],
        salt: [u8; 14],
        authentication: Hmac<Sha1>,
    },
    /// Of 128 or 256 bits.
    Gcm {
        key: LessSafeKey,
        salt: [u8; 12],
    },
}

#[allow(clippy::expect_used)] // `derive` returns arrays of exactly the ciphers' key lengths, and HMAC takes any.
fn new_cipher(profile: Profile, keys: &MasterKeys, labels: [Label; 3]) -> Cipher {
    debug_assert_eq!(keys.key_len() == 32, profile == Profile::Aes256Gcm);
    let [key, authentication, salt] = labels;
    match profile {
        Profile::Aes128CmSha1 => Cipher::CounterMode {
            key: keys.derive(key),
            salt: keys.derive(salt),
            authentication: Hmac::new_from_slice(&keys.derive::<20>(authentication)).expect("HMAC takes keys of any length"),
        },
        Profile::Aes128Gcm => gcm(UnboundKey::new(&AES_128_GCM, &keys.derive::<16>(key)), keys.derive(salt)),
        Profile::Aes256Gcm => gcm(UnboundKey::new(&AES_256_GCM, &keys.derive::<32>(key)), keys.derive(salt)),
    }
}

#[allow(clippy::expect_used)]
fn gcm(key: Result<UnboundKey, ring::error::Unspecified>, salt: [u8; 12]) -> Cipher {
    Cipher::Gcm { key: LessSafeKey::new(key.expect("16 or 32 bytes")), salt }
}

#[cfg(test)]
impl RtpCipher {
    /// AEAD_AES_128_GCM with session keys instead of master keys, as the RFC's test vectors give them.
    pub(super) fn gcm_with_session_keys(key: [u8; 16], salt: [u8; 12]) -> Self {
        Self(gcm(UnboundKey::new(&AES_128_GCM, &key), salt))
    }
}

#[cfg(test)]
impl RtcpCipher {
    /// See [`RtpCipher::gcm_with_session_keys`].
    pub(super) fn gcm_with_session_keys(key: [u8; 16], salt: [u8; 12]) -> Self {
        Self(RtpCipher::gcm_with_session_keys(key, salt).0)
    }
}

/// RFC 3711 section 4.1.1: (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16).
fn counter_start(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    xor(&mut iv[4..8], &ssrc.to_be_bytes());
    xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
    iv
}

/// RFC 7714 section 8.1 (RTP; index = rollover counter || sequence number) and 9.1 (RTCP; 48 bits of which 17 are zero).
fn gcm_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    nonce
}

fn xor(target: &mut [u8], with: &[u8]) {
    for (byte, mask) in target.iter_mut().zip(with) {
        *byte ^= mask;
    }
}

fn counter_mode(key: &[u8; 16], salt: &[u8; 14], ssrc: u32, index: u64, bytes: &mut [u8]) {
    CounterMode::new(key.into(), &counter_start(salt, ssrc, index).into()).apply_keystream(bytes);
}

fn hmac_tag(keyed: &Hmac<Sha1>, parts: [&[u8]; 2]) -> [u8; HMAC_TAG_LEN] {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(part);
    }
    let full: [u8; 20] = mac.finalize().into_bytes().into();
    let mut tag = [0; HMAC_TAG_LEN];
    tag.copy_from_slice(&full[..HMAC_TAG_LEN]);
    tag
}

#[allow(clippy::expect_used)] // Sealing fails only beyond 64 GiB.
fn gcm_seal(key: &LessSafeKey, nonce: [u8; 12], aad: &[u8], bytes: &mut [u8]) -> [u8; GCM_TAG_LEN] {
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), bytes).expect("far below GCM's limit");
    let mut copy = [0; GCM_TAG_LEN];
    copy.copy_from_slice(tag.as_ref());
    copy
}

/// bytes: ciphertext, then tag.
fn gcm_open(key: &LessSafeKey, nonce: [u8; 12], aad: &[u8], bytes: &mut [u8]) -> Result<(), Refused> {
    key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), bytes).map(|_| ()).map_err(|_| Refused::Forged)
}

/// Seals and opens RTP packets.
pub(super) struct RtpCipher(Cipher);

impl RtpCipher {
    pub(super) fn new(profile: Profile, keys: &MasterKeys) -> Self {
        Self(new_cipher(profile, keys, [Label::RtpKey, Label::RtpAuthentication, Label::RtpSalt]))
    }

    /// See [`super::OutboundRtp::protect`].
    pub(super) fn seal(&self, buffer: &mut Vec<u8>, start: usize, header_len: usize, ssrc: u32, index: u64) {
        let (header, payload) = buffer[start..].split_at_mut(header_len);
        match &self.0 {
            Cipher::CounterMode { key, salt, authentication } => {
                counter_mode(key, salt, ssrc, index, payload);
                let tag = hmac_tag(authentication, [&buffer[start..], &rollover(index).to_be_bytes()]);
                buffer.extend_from_slice(&tag);
            }
            Cipher::Gcm { key, salt } => {
                let tag = gcm_seal(key, gcm_nonce(salt, ssrc, index), header, payload);
                buffer.extend_from_slice(&tag);
            }
        }
    }

    /// Authenticate, decrypt in place; the length without the tag.
    pub(super) fn open(&self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<usize, Refused> {
        let tag_len = match self.0 {
            Cipher::CounterMode { .. } => HMAC_TAG_LEN,
            Cipher::Gcm { .. } => GCM_TAG_LEN,
        };
        let len = packet.len().checked_sub(tag_len).filter(|len| *len >= header_len).ok_or(Refused::Malformed)?;
        match &self.0 {
            Cipher::CounterMode { key, salt, authentication } => {
                let (body, tag) = packet.split_at_mut(len);
                let expected = hmac_tag(authentication, [body, &rollover(index).to_be_bytes()]);
                if !bool::from(expected.ct_eq(&*tag)) {
                    return Err(Refused::Forged);
                }
                counter_mode(key, salt, ssrc, index, &mut body[header_len..]);
            }
            Cipher::Gcm { key, salt } => {
                let (header, sealed) = packet.split_at_mut(header_len);
                gcm_open(key, gcm_nonce(salt, ssrc, index), header, sealed)?;
            }
        }
        Ok(len)
    }
}

#[allow(clippy::cast_possible_truncation)] // 48 bits less 16 are 32.
fn rollover(index: u64) -> u32 {
    (index >> 16) as u32
}

/// Seals and opens compound RTCP packets.
pub(super) struct RtcpCipher(Cipher);

impl RtcpCipher {
    pub(super) fn new(profile: Profile, keys: &MasterKeys) -> Self {
        Self(new_cipher(profile, keys, [Label::RtcpKey, Label::RtcpAuthentication, Label::RtcpSalt]))
    }

    fn trailer_len(&self) -> usize {
        match self.0 {
            // ciphertext, E and index, tag (RFC 3711 figure 2)
            Cipher::CounterMode { .. } => RTCP_INDEX_LEN + HMAC_TAG_LEN,
            // ciphertext, tag, E and index (RFC 7714 section 9.2)
            Cipher::Gcm { .. } => GCM_TAG_LEN + RTCP_INDEX_LEN,
        }
    }

    /// E flag and index as they stand on the wire.
    fn marked_index(&self, packet: &[u8]) -> Option<u32> {
        let trailer = packet.len().checked_sub(self.trailer_len()).filter(|len| *len >= RTCP_CLEAR_LEN)?;
        let at = match self.0 {
            Cipher::CounterMode { .. } => trailer,
            Cipher::Gcm { .. } => trailer + GCM_TAG_LEN,
        };
        Some(u32::from_be_bytes(packet[at..at + RTCP_INDEX_LEN].try_into().ok()?))
    }

    /// The 31-bit index a packet claims, or None if it is too short.
    pub(super) fn index_of(&self, packet: &[u8]) -> Option<u32> {
        Some(self.marked_index(packet)? & !RTCP_ENCRYPTED)
    }

    pub(super) fn seal(&self, buffer: &mut Vec<u8>, start: usize, ssrc: u32, index: u32) {
        let marked = (RTCP_ENCRYPTED | index).to_be_bytes();
        let (clear, payload) = buffer[start..].split_at_mut(RTCP_CLEAR_LEN);
        let gcm_tag = match &self.0 {
            Cipher::CounterMode { key, salt, authentication } => {
                counter_mode(key, salt, ssrc, u64::from(index), payload);
                let tag = hmac_tag(authentication, [&buffer[start..], &marked]);
                buffer.extend_from_slice(&marked);
                buffer.extend_from_slice(&tag);
                return;
            }
            Cipher::Gcm { key, salt } => gcm_seal(key, gcm_nonce(salt, ssrc, u64::from(index)), &rtcp_aad(clear, marked), payload),
        };
        buffer.extend_from_slice(&gcm_tag);
        buffer.extend_from_slice(&marked);
    }

    /// Authenticate, decrypt in place; the length without trailer. Unencrypted SRTCP (E flag 0) is refused: no WebRTC peer sends it.
    pub(super) fn open(&self, packet: &mut [u8], ssrc: u32) -> Result<usize, Refused> {
        let marked = self.marked_index(packet).ok_or(Refused::Malformed)?;
        if marked & RTCP_ENCRYPTED == 0 {
            return Err(Refused::Malformed);
        }
        let index = u64::from(marked & !RTCP_ENCRYPTED);
        let marked = marked.to_be_bytes();
        let len = packet.len() - self.trailer_len();
        match &self.0 {
            Cipher::CounterMode { key, salt, authentication } => {
                let expected = hmac_tag(authentication, [&packet[..len], &marked]);
                if !bool::from(expected.ct_eq(&packet[len + RTCP_INDEX_LEN..])) {
                    return Err(Refused::Forged);
                }
                counter_mode(key, salt, ssrc, index, &mut packet[RTCP_CLEAR_LEN..len]);
            }
            Cipher::Gcm { key, salt } => {
                let (clear, sealed) = packet[..len + GCM_TAG_LEN].split_at_mut(RTCP_CLEAR_LEN);
                gcm_open(key, gcm_nonce(salt, ssrc, index), &rtcp_aad(clear, marked), sealed)?;
            }
        }
        Ok(len)
    }
}

/// RFC 7714 section 9.2: the clear header, then E flag and index.
fn rtcp_aad(clear: &[u8], marked: [u8; RTCP_INDEX_LEN]) -> [u8; RTCP_CLEAR_LEN + RTCP_INDEX_LEN] {
    let mut aad = [0; RTCP_CLEAR_LEN + RTCP_INDEX_LEN];
    aad[..RTCP_CLEAR_LEN].copy_from_slice(clear);
    aad[RTCP_CLEAR_LEN..].copy_from_slice(&marked);
    aad
}
