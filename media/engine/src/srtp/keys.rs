//! Master keys from DTLS, and the session keys derived from them (RFC 3711 section 4.3).

use aes::cipher::{KeyIvInit, StreamCipher};

/// A protection profile of RFC 5764 and RFC 7714.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// SRTP_AES128_CM_HMAC_SHA1_80.
    Aes128CmSha1,
    /// SRTP_AEAD_AES_128_GCM.
    Aes128Gcm,
    /// SRTP_AEAD_AES_256_GCM.
    Aes256Gcm,
}

impl Profile {
    /// As RFC 5764 section 4.1.2 and RFC 7714 section 14.2 number them; the second byte.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Aes128CmSha1 => 1,
            Self::Aes128Gcm => 7,
            Self::Aes256Gcm => 8,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Aes128CmSha1, Self::Aes128Gcm, Self::Aes256Gcm].into_iter().find(|profile| profile.number() == number)
    }

    fn key_len(self) -> usize {
        match self {
            Self::Aes128CmSha1 | Self::Aes128Gcm => 16,
            Self::Aes256Gcm => 32,
        }
    }

    fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1 => 14,
            Self::Aes128Gcm | Self::Aes256Gcm => 12,
        }
    }
}

/// One direction's master key and salt.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MasterKeys {
    key: Vec<u8>,
    /// Padded with zeros on the right to 14 bytes, as RFC 7714 section 11 has it for the 12-byte salts of GCM.
    salt: [u8; 14],
}

/// What a derived key is for; the labels of RFC 3711 section 4.3.1.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Label {
    RtpKey = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

impl MasterKeys {
    /// key: 16 or 32 bytes; salt: at most 14.
    pub(crate) fn new(key: &[u8], salt: &[u8]) -> Self {
        let mut padded = [0; 14];
        padded[..salt.len()].copy_from_slice(salt);
        Self { key: key.to_vec(), salt: padded }
    }

    /// Split DTLS's exported keying material into (the client's keys, the server's keys), RFC 5764 section 4.2.
    ///
    /// None if it is not as long as the profile asks.
    pub(crate) fn from_dtls(profile: Profile, material: &[u8]) -> Option<(Self, Self)> {
        let (key, salt) = (profile.key_len(), profile.salt_len());
        if material.len() != 2 * (key + salt) {
            return None;
        }
        let (keys, salts) = material.split_at(2 * key);
        Some((Self::new(&keys[..key], &salts[..salt]), Self::new(&keys[key..], &salts[salt..])))
    }

    /// None if key or salt is not as long as the profile asks; the salt may be padded.
    pub(crate) fn checked(profile: Profile, key: &[u8], salt: &[u8]) -> Option<Self> {
        (key.len() == profile.key_len() && salt.len() <= 14).then(|| Self::new(key, salt))
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Padded to 14 bytes.
    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(super) fn key_len(&self) -> usize {
        self.key.len()
    }

    /// `N` bytes of session key: AES counter mode over zeros with the salt XOR label as the counter's start.
    pub(super) fn derive<const N: usize>(&self, label: Label) -> [u8; N] {
        let mut iv = [0_u8; 16];
        iv[..14].copy_from_slice(&self.salt);
        // RFC 3711 section 4.3.1: key_id = label || (index DIV kdr), 56 bits with kdr 0, aligned to the right of the 112-bit salt.
        iv[7] ^= label as u8;
        let mut derived = [0_u8; N];
        if self.key.len() == 32 {
            keystream::<ctr::Ctr128BE<aes::Aes256>>(&self.key, &iv, &mut derived);
        } else {
            keystream::<ctr::Ctr128BE<aes::Aes128>>(&self.key, &iv, &mut derived);
        }
        derived
    }
}

#[allow(clippy::expect_used)] // Key and counter lengths are fixed by `Profile` and by the array's type.
fn keystream<C: KeyIvInit + StreamCipher>(key: &[u8], iv: &[u8; 16], output: &mut [u8]) {
    C::new_from_slices(key, iv).expect("key and counter have the cipher's lengths").apply_keystream(output);
}
