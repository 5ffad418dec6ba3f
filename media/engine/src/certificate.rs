//! The engine's self-signed certificate, and certificate fingerprints (RFC 8122).
//!
//! WebRTC peers look at nothing in a certificate but its hash, which the answer carries; so it names nobody, and its dates are fixed.

use std::fmt;

use dimpl::DtlsCertificate;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey};
use rand::{Rng, rngs::StdRng};
use sha2::{Digest, Sha256};

/// SHA-256 of a certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub(crate) fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// `AB:CD:…`, as it stands after `sha-256 ` in SDP. None unless it is 32 bytes of hexadecimal.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let mut pairs = text.split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A fresh ECDSA P-256 key and a certificate signed with it. None if the key cannot be encoded, which would be a bug below us.
pub(crate) fn self_signed(random: &mut StdRng) -> Option<DtlsCertificate> {
    let key = random_key(random);
    let public = key.verifying_key().to_public_key_der().ok()?;
    let to_be_signed = to_be_signed(random, public.as_bytes());
    let signature: DerSignature = key.sign(&to_be_signed);
    let certificate = sequence(&[&to_be_signed, &sequence(&[ECDSA_WITH_SHA256]), &bit_string(signature.as_bytes())]);
    let private_key = key.to_pkcs8_der().ok()?.as_bytes().to_vec();
    Some(DtlsCertificate { certificate, private_key })
}

fn random_key(random: &mut StdRng) -> SigningKey {
    loop {
        let mut scalar = [0; 32];
        random.fill_bytes(&mut scalar);
        // Fails only for zero and for values above the curve's order: about one in 2^32.
        if let Ok(key) = SigningKey::from_slice(&scalar) {
            return key;
        }
    }
}

/// TBSCertificate of RFC 5280 section 4.1.
fn to_be_signed(random: &mut StdRng, public_key_info: &[u8]) -> Vec<u8> {
    let mut serial = [0; 16];
    random.fill_bytes(&mut serial);
    serial[0] = (serial[0] & 0x7f) | 1; // positive, and not shortened by a leading zero
    let name = sequence(&[&tlv(SET, &sequence(&[COMMON_NAME, &tlv(UTF8_STRING, b"Salon")]))]);
    let validity = sequence(&[&tlv(UTC_TIME, b"200101000000Z"), &tlv(UTC_TIME, b"491231235959Z")]);
    sequence(&[
        &tlv(EXPLICIT_0, &tlv(INTEGER, &[2])), // version 3
        &tlv(INTEGER, &serial),
        &sequence(&[ECDSA_WITH_SHA256]),
        &name,
        &validity,
        &name,
        public_key_info,
    ])
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXPLICIT_0: u8 = 0xa0;
/// OBJECT IDENTIFIER 1.2.840.10045.4.3.2 (RFC 5758 section 3.2).
const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// OBJECT IDENTIFIER 2.5.4.3 (RFC 5280 appendix A).
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];

/// One DER element; contents up to 65535 bytes.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    #[allow(clippy::cast_possible_truncation)] // The low bytes are meant.
    match content.len() {
        len @ 0..128 => element.push(len as u8),
        len @ 128..256 => element.extend([0x81, len as u8]),
        len => element.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    element.extend_from_slice(content);
    element
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

fn bit_string(content: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0], content].concat()) // no unused bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn fingerprint_reads_back() {
        let fingerprint = Fingerprint::of(b"certificate");
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        assert_eq!(Fingerprint::parse(&fingerprint.to_string().to_lowercase()), Some(fingerprint));
    }

    #[test]
    fn fingerprint_of_another_length_or_alphabet_is_none() {
        let text = Fingerprint::of(b"certificate").to_string();
        for wrong in [&text[3..], &format!("{text}:00"), &text.replace(':', ""), &format!("+{}", &text[1..]), ""] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn certificates_of_different_seeds_differ() {
        let [one, other] = [1, 2].map(|seed| self_signed(&mut StdRng::seed_from_u64(seed)).expect("encodes").certificate);
        assert_ne!(Fingerprint::of(&one), Fingerprint::of(&other));
    }
}
