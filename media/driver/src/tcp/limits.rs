//! How many connections there may be: in all, and from one source.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// In all shards together.
const MAX_CONNECTIONS: usize = 8_192;
/// From one source: an office behind one address, all of whose people listen.
const MAX_OF_SOURCE: usize = 1_024;
/// From one source, of those that have proven nothing yet.
const MAX_STRANGERS_OF_SOURCE: usize = 128;

/// Who is connected, shared by the shards.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_source: HashMap<IpAddr, Source>,
}

#[derive(Debug, Default)]
struct Source {
    connections: usize,
    strangers: usize,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Arc<Limits>,
    /// None: on this machine, as the operator's proxy is, which stands for many.
    source: Option<IpAddr>,
    is_stranger: bool,
}

impl Limits {
    /// A place for a connection from `peer` to `local`, if there is one.
    pub(crate) fn admit(self: &Arc<Self>, peer: SocketAddr, local: Option<SocketAddr>) -> Option<Admission> {
        let address = peer.ip().to_canonical();
        let is_own = address.is_loopback() || local.is_some_and(|local| local.ip().to_canonical() == address);
        let source = (!is_own).then(|| subscriber(address));
        let mut counts = self.lock();
        if counts.all >= MAX_CONNECTIONS {
            return None;
        }
        if let Some(source) = source {
            let counted = counts.by_source.entry(source).or_default();
            if counted.connections >= MAX_OF_SOURCE || counted.strangers >= MAX_STRANGERS_OF_SOURCE {
                return None;
            }
            counted.connections += 1;
            counted.strangers += 1;
        }
        counts.all += 1;
        Some(Admission { limits: self.clone(), source, is_stranger: true })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // Nothing in here panics.
    }
}

/// What one subscriber has: an address of IPv4, a network of 64 bits of IPv6.
fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

impl Admission {
    /// This connection's peer knows a session's password.
    pub(crate) fn prove(&mut self) {
        if !std::mem::take(&mut self.is_stranger) {
            return;
        }
        let mut counts = self.limits.lock();
        if let Some(counted) = self.source.and_then(|source| counts.by_source.get_mut(&source)) {
            counted.strangers -= 1;
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut counts = self.limits.lock();
        counts.all -= 1;
        let Some(source) = self.source else {
            return;
        };
        if let Some(counted) = counts.by_source.get_mut(&source) {
            counted.connections -= 1;
            counted.strangers -= usize::from(self.is_stranger);
            if counted.connections == 0 {
                counts.by_source.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str, port: u16) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), port)
    }

    fn admit(limits: &Arc<Limits>, text: &str, count: u16) -> Vec<Admission> {
        (0..count).map_while(|port| limits.admit(peer(text, port), Some(peer("192.0.2.1", 8004)))).collect()
    }

    #[test]
    fn strangers_of_one_source_are_few_until_they_prove_themselves_or_go() {
        let limits = Arc::new(Limits::default());
        let mut admitted = admit(&limits, "198.51.100.1", 200);
        assert_eq!(admitted.len(), 128);
        assert_eq!(admit(&limits, "198.51.100.2", 1).len(), 1, "others are not their fault");
        admitted[0].prove();
        admitted[0].prove();
        admitted.extend(admit(&limits, "198.51.100.1", 200));
        assert_eq!(admitted.len(), 129);
        admitted.truncate(1);
        assert_eq!(admit(&limits, "198.51.100.1", 200).len(), 128);
    }

    #[test]
    fn one_source_has_at_most_so_many_and_all_together_too() {
        let limits = Arc::new(Limits::default());
        let mut all: Vec<Admission> = Vec::new();
        for source in 0..9 {
            let before = all.len();
            for port in 0..2_000 {
                let Some(mut admission) = limits.admit(peer(&format!("198.51.100.{source}"), port), None) else {
                    break;
                };
                admission.prove();
                all.push(admission);
            }
            assert_eq!(all.len() - before, if source < 8 { 1_024 } else { 0 }, "source {source}");
        }
        all.pop();
        assert_eq!(admit(&limits, "203.0.113.1", 2).len(), 1);
        drop(all);
        assert!(limits.lock().by_source.is_empty());
    }

    #[test]
    fn subscriber_of_ipv6_is_a_network_and_mapped_addresses_are_ipv4() {
        let limits = Arc::new(Limits::default());
        let one = admit(&limits, "2001:db8::1", 100);
        assert_eq!((one.len(), admit(&limits, "2001:db8::2", 100).len(), admit(&limits, "2001:db8:0:1::2", 100).len()), (100, 28, 100));
        let mapped = admit(&limits, "::ffff:198.51.100.1", 100);
        assert_eq!((mapped.len(), admit(&limits, "198.51.100.1", 100).len()), (100, 28));
    }

    #[test]
    fn proxy_on_this_machine_stands_for_many() {
        let limits = Arc::new(Limits::default());
        assert_eq!(admit(&limits, "127.0.0.1", 2_000).len(), 2_000);
        assert_eq!(admit(&limits, "::1", 2_000).len(), 2_000);
        assert_eq!(admit(&limits, "192.0.2.1", 2_000).len(), 2_000, "from an address of its own");
        assert!(limits.lock().by_source.is_empty());
    }
}
