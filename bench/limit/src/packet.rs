//! The packet that is sent: an RTP header with one CSRC, as a server that forwards speech writes it, and a payload
//! under AES-128-GCM.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

pub const HEADER: usize = 16;
pub const TAG: usize = 16;
pub const OVERHEAD: usize = HEADER + TAG;

/// The key of one receiver. Any 16 bytes do; what matters is that each has its own key schedule.
pub fn key(receiver: usize) -> LessSafeKey {
    let mut bytes = [0x5a; 16];
    bytes[..8].copy_from_slice(&(receiver as u64).to_be_bytes());
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &bytes).expect("16 bytes are a key of AES-128"))
}

fn nonce(receiver: u32, sequence: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[2..6].copy_from_slice(&receiver.to_be_bytes());
    bytes[8..].copy_from_slice(&sequence.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Sequence numbers up to here need no roll-over counter.
pub const LARGEST_SEQUENCE: u32 = u16::MAX as u32;

/// Write the header, copy the speech and encrypt it in place. `packet` has the length of the whole packet.
pub fn seal(packet: &mut [u8], key: &LessSafeKey, receiver: u32, sequence: u32, speech: &[u8]) {
    let (header, rest) = packet.split_at_mut(HEADER);
    header[0] = 0x81; // version 2, one CSRC
    header[1] = 111;
    header[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
    header[4..8].copy_from_slice(&sequence.wrapping_mul(960).to_be_bytes());
    header[8..12].copy_from_slice(&receiver.to_be_bytes());
    header[12..16].copy_from_slice(&1u32.to_be_bytes());
    let (payload, tag) = rest.split_at_mut(rest.len() - TAG);
    payload.copy_from_slice(speech);
    let sealed = key.seal_in_place_separate_tag(nonce(receiver, sequence), Aad::from(&*header), payload);
    tag.copy_from_slice(sealed.expect("a short packet is never too long for GCM").as_ref());
}

/// Decrypt in place; false if the packet is not genuine. Its number is read from its header, as SRTP does.
pub fn open(packet: &mut [u8], key: &LessSafeKey, receiver: u32) -> bool {
    if packet.len() < OVERHEAD {
        return false;
    }
    let (header, rest) = packet.split_at_mut(HEADER);
    let sequence = u32::from(u16::from_be_bytes([header[2], header[3]]));
    key.open_in_place(nonce(receiver, sequence), Aad::from(&*header), rest).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_receiver_only() {
        let mut packet = [0; OVERHEAD + 5];
        seal(&mut packet, &key(3), 3, 9, b"hello");
        assert_ne!(&packet[HEADER..HEADER + 5], b"hello");
        let mut stolen = packet;
        assert!(!open(&mut stolen, &key(4), 3));
        assert!(open(&mut packet, &key(3), 3));
        assert_eq!(&packet[HEADER..HEADER + 5], b"hello");
    }
}
