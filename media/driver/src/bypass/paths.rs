//! Where frames to a peer must go: the kernel's routes and neighbours, read again once a second.
//!
//! A route comes from the main table, a neighbour from the ARP cache, the source address from the kernel's own answer to `connect`. Once a
//! second a datagram for each next hop is left to the socket, so that the kernel goes on checking whether the neighbour is there: of
//! frames it knows nothing.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use super::frame::{Mac, Path};

const KEPT: Duration = Duration::from_secs(1);
/// Of the calling thread: the process's first one may be in another network namespace.
const ROUTES: &str = "/proc/thread-self/net/route";
const NEIGHBOURS: &str = "/proc/thread-self/net/arp";

const ROUTE_IS_UP: u32 = 0x1;
const ROUTE_HAS_GATEWAY: u32 = 0x2;
const NEIGHBOUR_IS_COMPLETE: u32 = 0x2;
const ETHERNET: u32 = 0x1;
/// The discard port: a datagram socket that is connected sends nothing.
const ANY_PORT: u16 = 9;

/// The way to each peer, as far as known.
#[derive(Debug)]
pub(super) struct Paths {
    interface: String,
    /// Of the UDP socket, if it is bound to one address.
    source: Option<Ipv4Addr>,
    routes: Vec<Route>,
    neighbours: HashMap<Ipv4Addr, Mac>,
    /// Next hops that the kernel has had a datagram for since the last reading.
    checked: HashSet<Ipv4Addr>,
    known: HashMap<Ipv4Addr, Option<Path>>,
    read_at: Option<Instant>,
}

/// A line of the main routing table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    is_ours: bool,
    network: u32,
    mask: u32,
    metric: u32,
    gateway: Option<Ipv4Addr>,
    /// What the kernel sends from over this route; learned when first needed.
    source: Option<Ipv4Addr>,
}

impl Paths {
    pub(super) fn new(interface: &str, source: Option<Ipv4Addr>) -> Self {
        Self {
            interface: interface.to_owned(),
            source,
            routes: Vec::new(),
            neighbours: HashMap::new(),
            checked: HashSet::new(),
            known: HashMap::new(),
            read_at: None,
        }
    }

    /// Read the kernel's tables again if it is time; whether it was.
    pub(super) fn refresh(&mut self, now: Instant) -> bool {
        if self.read_at.is_some_and(|at| now.saturating_duration_since(at) < KEPT) {
            return false;
        }
        self.read_at = Some(now);
        let read = |path| fs::read_to_string(path).unwrap_or_default(); // Nothing known: all goes by the socket.
        self.take_in(&read(ROUTES), &read(NEIGHBOURS));
        true
    }

    fn take_in(&mut self, routes: &str, neighbours: &str) {
        self.routes = routes.lines().skip(1).filter_map(|line| parse_route(line, &self.interface)).collect();
        self.neighbours = neighbours.lines().skip(1).filter_map(|line| parse_neighbour(line, &self.interface)).collect();
        self.checked.clear();
        self.known.clear();
    }

    /// The way to `to`; None: by the socket.
    pub(super) fn find(&mut self, to: Ipv4Addr) -> Option<Path> {
        if let Some(path) = self.known.get(&to) {
            return *path;
        }
        let path = self.resolve(to);
        if let Some((hop, _)) = path
            && self.checked.insert(hop)
        {
            return None;
        }
        let path = path.map(|(_, path)| path);
        self.known.insert(to, path);
        path
    }

    /// The next hop's address, and the way.
    fn resolve(&mut self, to: Ipv4Addr) -> Option<(Ipv4Addr, Path)> {
        let bits = to.to_bits();
        let fitting = self.routes.iter_mut().filter(|route| bits & route.mask == route.network);
        // The longest prefix; of equal ones the lowest metric.
        let route = fitting.max_by_key(|route| (route.mask, u32::MAX - route.metric)).filter(|route| route.is_ours)?;
        let hop = route.gateway.unwrap_or(to);
        let mac = *self.neighbours.get(&hop)?;
        if self.source.is_none() && route.source.is_none() {
            route.source = source_towards(to);
        }
        Some((hop, Path { mac, source: self.source.or(route.source)? }))
    }
}

/// The address that the kernel sends from.
fn source_towards(to: Ipv4Addr) -> Option<Ipv4Addr> {
    let probe = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    probe.connect((to, ANY_PORT)).ok()?;
    match probe.local_addr().ok()?.ip() {
        std::net::IpAddr::V4(source) => Some(source),
        std::net::IpAddr::V6(_) => None,
    }
}

/// Interface, destination, gateway, flags, references, uses, metric, mask, and more: proc(5). None if it is not in use.
fn parse_route(line: &str, interface: &str) -> Option<Route> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let &[name, network, gateway, flags, _, _, metric, mask, ..] = words.as_slice() else {
        return None;
    };
    // An address is printed as a number whose bytes in memory are the address.
    let address = |word| u32::from_str_radix(word, 16).ok().map(|number| Ipv4Addr::from(number.to_ne_bytes()));
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let (network, gateway, mask) = (address(network)?, address(gateway)?, address(mask)?);
    (flags & ROUTE_IS_UP != 0).then_some(())?;
    Some(Route {
        is_ours: name == interface,
        network: network.to_bits(),
        mask: mask.to_bits(),
        metric: metric.parse().ok()?,
        gateway: (flags & ROUTE_HAS_GATEWAY != 0).then_some(gateway),
        source: None,
    })
}

/// Address, kind of hardware, flags, hardware address, mask, interface. None if it is not known where it is.
fn parse_neighbour(line: &str, interface: &str) -> Option<(Ipv4Addr, Mac)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let &[address, kind, flags, mac, _, name] = words.as_slice() else {
        return None;
    };
    let number = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let is_usable = name == interface && number(kind)? == ETHERNET && number(flags)? & NEIGHBOUR_IS_COMPLETE != 0;
    is_usable.then_some(())?;
    Some((address.parse().ok()?, parse_mac(mac)?))
}

fn parse_mac(text: &str) -> Option<Mac> {
    let bytes: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth1\t00000000\t0100010A\t0003\t0\t0\t50\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth0\t0000A8C0\t0200000A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0
*\t0005A8C0\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0
";
    const NEIGHBOURS: &str = "\
IP address       HW type     Flags       HW address            Mask     Device
10.0.0.1         0x1         0x2         02:00:00:00:00:01     *        eth0
10.0.0.2         0x1         0x6         02:00:00:00:00:02     *        eth0
10.0.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.4         0x1         0x2         02:00:00:00:00:04     *        eth9
";
    const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

    fn paths() -> Paths {
        let mut paths = Paths::new("eth0", Some(SOURCE));
        paths.take_in(ROUTES, NEIGHBOURS);
        paths
    }

    /// Asked twice: the first datagram to each next hop is the kernel's.
    fn station(paths: &mut Paths, to: [u8; 4]) -> Option<u8> {
        paths.find(to.into());
        paths.find(to.into()).map(|path| path.mac[5])
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn longest_prefix_with_the_lowest_metric_names_the_next_hop() {
        let mut paths = paths();
        assert_eq!(station(&mut paths, [10, 0, 0, 1]), Some(1), "on the link");
        assert_eq!(station(&mut paths, [192, 168, 1, 1]), Some(2), "by a gateway");
        assert_eq!(station(&mut paths, [192, 168, 5, 1]), None, "rejected");
        assert_eq!(station(&mut paths, [198, 51, 100, 1]), None, "the better default route is another interface's");
        assert_eq!(station(&mut paths, [10, 0, 0, 3]), None, "nobody has answered there");
        assert_eq!(station(&mut paths, [10, 0, 0, 4]), None, "a neighbour on another interface");
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn first_datagram_to_each_next_hop_after_a_reading_is_left_to_the_kernel() {
        let mut paths = paths();
        let by_gateway = [Ipv4Addr::new(192, 168, 1, 1), Ipv4Addr::new(192, 168, 1, 2)];
        let known = Some(Path { mac: [2, 0, 0, 0, 0, 2], source: SOURCE });
        assert_eq!(by_gateway.map(|to| paths.find(to)), [None, known]);
        assert_eq!(by_gateway.map(|to| paths.find(to)), [known, known]);
        paths.take_in(ROUTES, NEIGHBOURS);
        assert_eq!(by_gateway.map(|to| paths.find(to)), [None, known]);
    }

    #[test]
    fn lines_that_make_no_sense_are_no_routes_and_no_neighbours() {
        let mut paths = Paths::new("eth0", Some(SOURCE));
        paths.take_in("x\neth0\neth0 zz 0 1 0 0 0 0", "x\n10.0.0.1 0x1 0x2 02:00 * eth0\n10.0.0.1 1 2 02:00:00:00:00:01 * eth0");
        assert_eq!((paths.routes.len(), paths.neighbours.len()), (0, 0));
    }

    #[test]
    fn tables_are_read_once_a_second() {
        let (mut paths, now) = (Paths::new("lo", None), Instant::now());
        let asked = [0, 1, 999, 1_000, 1_999, 2_000].map(|ms| paths.refresh(now + Duration::from_millis(ms)));
        assert_eq!(asked, [true, false, false, true, false, true]);
    }
}
