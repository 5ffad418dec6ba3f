//! This machine's own addresses: what came to one of them is answered from it.
//!
//! A socket on all addresses sends from whichever the route back prefers. On a machine with several, a peer that asked another one must
//! not accept that answer (RFC 8445 section 7.2.5.2.1), nor would its firewall let it in.

use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Numbers are from 1 to this.
const MAX_NUMBERED: usize = u8::MAX as usize;
/// One control message with an address: header, and the longer of in_pktinfo and in6_pktinfo.
const PINNED_LEN: usize = 40;
const HEADER_LEN: usize = size_of::<libc::cmsghdr>();

/// The same in every shard, since routes cross them. Numbered in the order of the addresses, so that the process after this one counts
/// alike: should an address have come or gone between them, its peers are answered from a wrong one until their next check.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalAddresses {
    sorted: Arc<[(IpAddr, Pinned)]>,
}

/// A control message for `sendmmsg` that says which address to send from.
#[derive(Debug, Clone, Copy)]
#[repr(align(8))]
pub(crate) struct Pinned {
    bytes: [u8; PINNED_LEN],
    len: usize,
}

impl LocalAddresses {
    /// Of the machine, for sockets bound to `bind`. None are numbered where the kernel has no choice, or makes no wrong one: on a socket
    /// that is bound to one address, and on a machine with one beside loopback.
    pub(crate) fn of_machine(bind: IpAddr) -> io::Result<Self> {
        if !bind.is_unspecified() {
            return Ok(Self::default());
        }
        let family = interface_addresses()?.into_iter().filter(|address| bind.is_ipv6() || address.is_ipv4());
        Ok(Self::numbered(family.collect(), bind.is_ipv6()))
    }

    fn numbered(mut addresses: Vec<IpAddr>, is_ipv6: bool) -> Self {
        addresses.retain(|address| !address.is_loopback() && !is_link_local(*address));
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.len() < 2 {
            return Self::default();
        }
        addresses.truncate(MAX_NUMBERED);
        Self { sorted: addresses.into_iter().map(|address| (address, Pinned::new(address, is_ipv6))).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// 0 if it has none.
    pub(crate) fn number(&self, address: IpAddr) -> u8 {
        let at = self.sorted.binary_search_by_key(&address.to_canonical(), |(address, _)| *address);
        at.ok().and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0)
    }

    fn entry(&self, number: u8) -> Option<&(IpAddr, Pinned)> {
        self.sorted.get(usize::from(number).checked_sub(1)?)
    }

    pub(crate) fn address(&self, number: u8) -> Option<IpAddr> {
        self.entry(number).map(|(address, _)| *address)
    }

    pub(crate) fn pinned(&self, number: u8) -> Option<&Pinned> {
        self.entry(number).map(|(_, pinned)| pinned)
    }
}

/// Good on one link only: a route that has its scope needs no other choice.
fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

impl Pinned {
    /// As a socket of the family wants it: an IPv6 one takes IPv4 addresses mapped.
    fn new(address: IpAddr, is_ipv6: bool) -> Self {
        let mut data = Vec::with_capacity(PINNED_LEN - HEADER_LEN);
        let (level, kind) = match (address, is_ipv6) {
            (IpAddr::V4(address), false) => {
                // in_pktinfo: any interface, the address to send from, and one that counts on receiving only.
                data.extend(0_i32.to_ne_bytes());
                data.extend(address.octets());
                data.extend([0; 4]);
                (libc::IPPROTO_IP, libc::IP_PKTINFO)
            }
            (address, _) => {
                let address = match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                data.extend(address.octets());
                data.extend(0_u32.to_ne_bytes());
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
            }
        };
        let mut bytes = [0; PINNED_LEN];
        bytes[..size_of::<usize>()].copy_from_slice(&(HEADER_LEN + data.len()).to_ne_bytes());
        bytes[HEADER_LEN - 8..HEADER_LEN - 4].copy_from_slice(&level.to_ne_bytes());
        bytes[HEADER_LEN - 4..HEADER_LEN].copy_from_slice(&kind.to_ne_bytes());
        bytes[HEADER_LEN..HEADER_LEN + data.len()].copy_from_slice(&data);
        Self { bytes, len: (HEADER_LEN + data.len()).next_multiple_of(size_of::<usize>()) }
    }

    /// CMSG_SPACE of one message, aligned as the kernel wants it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Which of ours a datagram came to, from the content of a control message.
pub(crate) fn read_destination(level: libc::c_int, kind: libc::c_int, data: &[u8]) -> Option<IpAddr> {
    match (level, kind) {
        // in_pktinfo: interface, ours, the header's.
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => Some(Ipv4Addr::from(*data.get(4..)?.first_chunk::<4>()?).into()),
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => Some(Ipv6Addr::from(*data.first_chunk::<16>()?).to_canonical()),
        _ => None,
    }
}

fn interface_addresses() -> io::Result<Vec<IpAddr>> {
    let mut first = std::ptr::null_mut();
    // SAFETY: `first` lives through the call, which fills it in when it succeeds.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut addresses = Vec::new();
    let mut next = first;
    // SAFETY: the list's entries are alive until it is freed below; an address is as long as its family says.
    while let Some(entry) = unsafe { next.as_ref() } {
        addresses.extend(unsafe { read_address(entry.ifa_addr) });
        next = entry.ifa_next;
    }
    // SAFETY: got from getifaddrs, and not used afterwards.
    unsafe { libc::freeifaddrs(first) };
    Ok(addresses)
}

/// SAFETY: null, or of an address that is alive, as long as its family says.
unsafe fn read_address(address: *const libc::sockaddr) -> Option<IpAddr> {
    match libc::c_int::from(unsafe { address.as_ref() }?.sa_family) {
        libc::AF_INET => {
            let address = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes()).into())
        }
        libc::AF_INET6 => {
            let address = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(addresses: &[&str], is_ipv6: bool) -> LocalAddresses {
        LocalAddresses::numbered(addresses.iter().map(|address| address.parse().expect("an address")).collect(), is_ipv6)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn where_there_is_no_choice_nothing_is_numbered() {
        assert!(numbered(&["127.0.0.1", "192.0.2.1", "192.0.2.1"], false).is_empty());
        assert!(numbered(&["::1", "fe80::1", "2001:db8::1", "169.254.0.1"], true).is_empty());
        assert!(LocalAddresses::of_machine(ip("127.0.0.1")).expect("a list").is_empty(), "bound to one");
    }

    #[test]
    fn numbers_follow_the_order_of_the_addresses() {
        let local = numbered(&["192.0.2.9", "127.0.0.1", "192.0.2.1"], false);
        assert_eq!(["192.0.2.1", "192.0.2.9", "127.0.0.1", "192.0.2.2"].map(|address| local.number(ip(address))), [1, 2, 0, 0]);
        assert_eq!([0, 1, 2, 3].map(|number| local.address(number)), [None, Some(ip("192.0.2.1")), Some(ip("192.0.2.9")), None]);
        assert_eq!(local.number(ip("::ffff:192.0.2.9")), 2);
    }

    #[test]
    fn more_than_can_be_numbered_are_left_to_the_kernel() {
        let many: Vec<IpAddr> = (0..300_u16).map(|number| Ipv4Addr::from(0xc612_0000 + u32::from(number)).into()).collect();
        let local = LocalAddresses::numbered(many.clone(), false);
        assert_eq!((local.number(many[254]), local.number(many[255])), (255, 0));
    }

    #[test]
    fn what_is_sent_with_an_address_is_read_back_as_that_address() {
        for (address, is_ipv6) in [("192.0.2.1", false), ("192.0.2.1", true), ("2001:db8::1", true)] {
            let pinned = Pinned::new(ip(address), is_ipv6);
            let bytes = pinned.bytes();
            assert_eq!(bytes.as_ptr().align_offset(8), 0);
            let word = |at: usize| i32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four"));
            assert_eq!(read_destination(word(HEADER_LEN - 8), word(HEADER_LEN - 4), &bytes[HEADER_LEN..]), Some(ip(address)));
        }
        assert_eq!(read_destination(libc::IPPROTO_IP, libc::IP_PKTINFO, &[0; 7]), None, "cut short");
        assert_eq!(read_destination(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &[0; 16]), None);
    }
}
