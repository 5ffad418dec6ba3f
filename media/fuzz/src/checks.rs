//! STUN messages as a peer writes them, byte by byte, so that everything about them can be wrong.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const CONTROLLED: u16 = 0x8029;
const CONTROLLING: u16 = 0x802a;

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
    message.extend_from_slice(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

fn begin(kind: u16, transaction: [u8; 12]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &[0, 0], &COOKIE, &transaction].concat()
}

/// Write the length as of now and append MESSAGE-INTEGRITY.
pub(crate) fn sign(message: &mut Vec<u8>, password: &str) {
    let len = u16::try_from(message.len() - 20 + 24).unwrap();
    message[2..4].copy_from_slice(&len.to_be_bytes());
    let mut mac = Hmac::<Sha1>::new_from_slice(password.as_bytes()).unwrap();
    mac.update(message);
    let tag: [u8; 20] = mac.finalize().into_bytes().into();
    attribute(message, MESSAGE_INTEGRITY, &tag);
}

/// A binding request, not yet signed. extra: attributes as they are, put before the signature.
pub(crate) fn request(username: &str, transaction: [u8; 12], nominates: bool, is_controlling: bool, extra: &[u8]) -> Vec<u8> {
    let mut message = begin(REQUEST, transaction);
    attribute(&mut message, USERNAME, username.as_bytes());
    attribute(&mut message, PRIORITY, &[0, 0, 0, 100]);
    attribute(&mut message, if is_controlling { CONTROLLING } else { CONTROLLED }, &[7; 8]);
    if nominates {
        attribute(&mut message, USE_CANDIDATE, &[]);
    }
    message.extend_from_slice(extra);
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

/// The answer to a request of the engine's, not yet signed.
pub(crate) fn success(transaction: [u8; 12], extra: &[u8]) -> Vec<u8> {
    let mut message = begin(SUCCESS, transaction);
    attribute(&mut message, XOR_MAPPED_ADDRESS, &[0, 1, 0x21, 0x12, 0x21, 0x12, 0xa4, 0x42]);
    message.extend_from_slice(extra);
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

/// The transaction of a request, None for anything else.
pub(crate) fn transaction_of_request(bytes: &[u8]) -> Option<[u8; 12]> {
    (bytes.get(..2)? == REQUEST.to_be_bytes()).then(|| bytes.get(8..20)?.try_into().ok())?
}
