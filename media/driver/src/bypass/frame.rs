//! A UDP datagram over IPv4 (RFC 768, RFC 791) in an Ethernet frame, its UDP checksum begun.
//!
//! What the payload adds to the checksum is left to whoever sends the frame: a network card does it at no cost, or else the kernel.

use std::net::Ipv4Addr;

/// A station on the Ethernet.
pub(super) type Mac = [u8; 6];

const ETHERNET_LEN: usize = 14;
const IPV4_LEN: usize = 20;
const UDP_LEN: usize = 8;
/// What counts against the MTU beside the payload.
pub(super) const IP_HEADERS_LEN: usize = IPV4_LEN + UDP_LEN;
/// All that stands before the payload.
pub(super) const HEADERS_LEN: usize = ETHERNET_LEN + IP_HEADERS_LEN;
/// From where on the UDP checksum goes over the frame …
pub(super) const CHECKSUM_START: usize = ETHERNET_LEN + IPV4_LEN;
/// … and where behind that it stands.
pub(super) const CHECKSUM_OFFSET: usize = 6;

const ETHERTYPE_IPV4: u16 = 0x0800;
const VERSION_AND_LENGTH: u8 = 0x45;
const DONT_FRAGMENT: u16 = 0x4000;
/// As Linux does by default.
const HOPS: u8 = 64;
const UDP: u8 = 17;

/// Who all frames come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub mac: Mac,
    pub port: u16,
}

/// How frames get to one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path {
    /// Of the next hop.
    pub mac: Mac,
    /// The address of ours that the kernel would take.
    pub source: Ipv4Addr,
}

/// Write the frame; `frame` has exactly its length.
pub(super) fn write(frame: &mut [u8], sender: &Sender, path: &Path, to: Ipv4Addr, port: u16, payload: &[u8]) {
    let (ethernet, rest) = frame.split_at_mut(ETHERNET_LEN);
    ethernet[..6].copy_from_slice(&path.mac);
    ethernet[6..12].copy_from_slice(&sender.mac);
    ethernet[12..].copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
    let (ip, udp) = rest.split_at_mut(IPV4_LEN);
    // Nothing longer than an MTU comes here.
    let total = u16::try_from(IP_HEADERS_LEN + payload.len()).unwrap_or(u16::MAX);
    let udp_len = total - IPV4_LEN as u16;
    ip[..2].copy_from_slice(&[VERSION_AND_LENGTH, 0]);
    ip[2..4].copy_from_slice(&total.to_be_bytes());
    // No identification: RFC 6864 asks none of what is not fragmented.
    ip[4..6].copy_from_slice(&[0, 0]);
    ip[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
    ip[8..12].copy_from_slice(&[HOPS, UDP, 0, 0]);
    ip[12..16].copy_from_slice(&path.source.octets());
    ip[16..].copy_from_slice(&to.octets());
    let checksum = !folded(sum(ip));
    ip[10..12].copy_from_slice(&checksum.to_ne_bytes());
    udp[..2].copy_from_slice(&sender.port.to_be_bytes());
    udp[2..4].copy_from_slice(&port.to_be_bytes());
    udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
    // The pseudo header's sum alone, not inverted: what is summed over the datagram afterwards finds it in the field.
    let pseudo_header = sum(&ip[12..]) + u64::from(u16::from(UDP).to_be()) + u64::from(udp_len.to_be());
    udp[CHECKSUM_OFFSET..UDP_LEN].copy_from_slice(&folded(pseudo_header).to_ne_bytes());
    udp[UDP_LEN..].copy_from_slice(payload);
}

/// The sum of RFC 1071, not folded, over words in this machine's order: the order changes only the order of the result's bytes.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let words: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    words + u64::from(u32::from_ne_bytes(last))
}

fn folded(mut sum: u64) -> u16 {
    while sum > u64::from(u16::MAX) {
        sum = (sum & u64::from(u16::MAX)) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1071's own words: 16 bits at a time, big-endian, carries added at once.
    fn plain_sum(bytes: &[u8]) -> u16 {
        let mut sum = 0_u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).unwrap()
    }

    fn frame_of(payload: &[u8]) -> Vec<u8> {
        let sender = Sender { mac: [2, 0, 0, 0, 0, 1], port: 8004 };
        let path = Path { mac: [2, 0, 0, 0, 0, 2], source: Ipv4Addr::new(203, 0, 113, 7) };
        let mut frame = vec![0xaa; HEADERS_LEN + payload.len()];
        write(&mut frame, &sender, &path, Ipv4Addr::new(198, 51, 100, 9), 50_000, payload);
        frame
    }

    /// The IPv4 header's sum, checksum included: all ones if it is right. Then the UDP checksum as the sender completes it (over the
    /// datagram with what the field holds), and as RFC 768 defines it.
    fn sums(frame: &[u8]) -> (u16, u16, u16) {
        let (ip, udp) = frame[ETHERNET_LEN..].split_at(IPV4_LEN);
        let completed = !plain_sum(&frame[CHECKSUM_START..]);
        let pseudo = [&ip[12..20], &[0, 17], &udp[4..6]].concat();
        let defined = !plain_sum(&[&pseudo, &udp[..6], &[0, 0], &udp[8..]].concat());
        (plain_sum(ip), completed, defined)
    }

    #[test]
    fn every_field_stands_where_the_rfcs_have_it() {
        let frame = frame_of(b"abc");
        assert_eq!(frame[..14], [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
        assert_eq!(frame[14..24], [0x45, 0, 0, 31, 0, 0, 0x40, 0, 64, 17]);
        assert_eq!(frame[26..34], [203, 0, 113, 7, 198, 51, 100, 9]);
        assert_eq!(frame[34..40], [0x1f, 0x44, 0xc3, 0x50, 0, 11]);
        assert_eq!(&frame[42..], b"abc");
        // 0xcb00 + 0x7107 + 0xc633 + 0x6409 + 17 + 11, carries added.
        assert_eq!(frame[40..42], [0x66, 0x61]);
        assert_eq!(sums(&frame).0, 0xffff);
    }

    #[test]
    fn checksums_are_right_for_every_length_and_for_bytes_that_carry() {
        for len in 0..1_472 {
            let bytes: Vec<u8> = (0..len).map(|at| if len % 3 == 0 { 0xff } else { (at * 7 + len) as u8 }).collect();
            let (ip, completed, defined) = sums(&frame_of(&bytes));
            assert_eq!((ip, completed), (0xffff, defined), "{len} bytes");
        }
    }
}
