//! Between two network namespaces: what an ordinary UDP socket at the other end takes, the kernel found right.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use salon_engine::{Route, Transmits};

use super::*;

const OURS: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 1);
const THEIRS: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 2);
/// Behind them, by a route.
const BEYOND: Ipv4Addr = Ipv4Addr::new(10, 214, 0, 7);
const PATIENCE: Duration = Duration::from_secs(5);

/// Two namespaces and a cable between them; both go with it.
struct Cable {
    ours: String,
    theirs: String,
}

impl Cable {
    /// None, with the reason on standard error, where namespaces may not be made.
    fn new() -> Option<Self> {
        static CABLES: AtomicU32 = AtomicU32::new(0);
        let number = CABLES.fetch_add(1, Ordering::Relaxed);
        let name = |side| format!("salon-{}-{number}-{side}", std::process::id());
        let cable = Self { ours: name("a"), theirs: name("b") };
        if let Err(reason) = ip(&["netns", "add", &cable.ours]) {
            eprintln!("skipped: network namespaces cannot be made here: {reason}");
            return None;
        }
        ip(&["netns", "add", &cable.theirs]).unwrap();
        cable.ours(&["link", "add", "out0", "type", "veth", "peer", "name", "in0", "netns", &cable.theirs]);
        cable.ours(&["addr", "add", &format!("{OURS}/24"), "dev", "out0"]);
        cable.ours(&["link", "set", "out0", "up"]);
        cable.theirs(&["addr", "add", &format!("{THEIRS}/24"), "dev", "in0"]);
        cable.theirs(&["addr", "add", &format!("{BEYOND}/32"), "dev", "in0"]);
        cable.theirs(&["link", "set", "in0", "up"]);
        cable.ours(&["route", "add", "10.214.0.0/16", "via", &THEIRS.to_string()]);
        Some(cable)
    }

    fn ours(&self, arguments: &[&str]) {
        ip(&[&["-n", self.ours.as_str()], arguments].concat()).unwrap();
    }

    fn theirs(&self, arguments: &[&str]) {
        ip(&[&["-n", self.theirs.as_str()], arguments].concat()).unwrap();
    }

    fn listener(&self, at: Ipv4Addr) -> UdpSocket {
        within(&self.theirs, || {
            let socket = UdpSocket::bind((at, 0)).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket
        })
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for namespace in [&self.ours, &self.theirs] {
            let _ = ip(&["netns", "del", namespace]); // What a failed test leaves behind must not hide why it failed.
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let ran = Command::new("ip").args(arguments).output().map_err(|error| format!("ip: {error}"))?;
    if ran.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned()) }
}

/// Run `work` on a thread in a namespace. What it opens stays there.
fn within<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let namespace = File::open(format!("/run/netns/{namespace}")).unwrap();
            // SAFETY: no pointers; it moves the calling thread alone.
            assert_eq!(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
            work()
        });
        worker.join().unwrap()
    })
}

/// Have the kernel complete checksums. It leaves them to a veth, which leaves them out, since nothing on a cable of memory is verified.
fn complete_checksums_in_the_kernel() {
    const SIOCETHTOOL: libc::Ioctl = 0x8946;
    const ETHTOOL_STXCSUM: u32 = 0x17;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let mut setting = [ETHTOOL_STXCSUM, 0];
    // SAFETY: all-zero is a valid ifreq; the request reads the name and the two words, which live through the call.
    let result = unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"out0") {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_data = setting.as_mut_ptr().cast();
        libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &raw mut request)
    };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

fn batch(to: &[SocketAddr], number: u8) -> Transmits {
    let mut batch = Transmits::default();
    for peer in to {
        batch.push(Route::udp(*peer), &[number; 101]);
    }
    batch
}

fn take(listener: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut bytes = [0; 2_048];
    let (len, from) = listener.recv_from(&mut bytes).expect("a datagram");
    (bytes[..len].to_vec(), from)
}

/// A socket that sends, and the way around it.
fn sender() -> (Socket, Bypass, SocketAddr) {
    let socket = Socket::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0).into()).unwrap();
    let bound = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), socket.port());
    let bypass = Bypass::open("out0", bound).unwrap();
    (socket, bypass, SocketAddr::new(IpAddr::V4(OURS), bound.port()))
}

#[test]
fn neighbour_is_found_by_the_socket_and_then_served_by_the_ring() {
    let Some(cable) = Cable::new() else { return };
    let listeners = [cable.listener(THEIRS), cable.listener(BEYOND)];
    let to = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
    within(&cable.ours, || {
        let (mut socket, mut bypass, from) = sender();
        let mut now = Instant::now();
        let mut took = Vec::new();
        // A new second for each of the first three: nobody known; known, and checked by a datagram; and again.
        for number in 0..40 {
            let sent = bypass.send(now, &batch(&to, number), &mut socket);
            assert_eq!(sent, Sent { bytes: 202, errors: 0 });
            took.push(bypass.take_sent());
            for listener in &listeners {
                assert_eq!(take(listener), (vec![number; 101], from));
            }
            now += Duration::from_secs(u64::from(number < 2));
        }
        assert_eq!(took[..3], [0, 1, 1], "one next hop for both, which the kernel shall go on checking");
        assert_eq!(took[3..], [2; 37]);
    });
}

#[test]
fn checksums_are_right_whoever_completes_them() {
    let Some(cable) = Cable::new() else { return };
    let listener = cable.listener(THEIRS);
    let to = listener.local_addr().unwrap();
    within(&cable.ours, || {
        let (mut socket, mut bypass, from) = sender();
        complete_checksums_in_the_kernel();
        let now = Instant::now();
        bypass.send(now, &batch(&[to], 0), &mut socket);
        take(&listener);
        let later = now + Duration::from_secs(1);
        bypass.send(later, &batch(&[to], 0), &mut socket);
        take(&listener);
        for len in (0..200).chain([1_471, 1_472]) {
            let payload: Vec<u8> = (0..len).map(|at| if len % 3 == 0 { 0xff } else { (at * 7 + len) as u8 }).collect();
            let mut one = Transmits::default();
            one.push(Route::udp(to), &payload);
            bypass.send(later, &one, &mut socket);
            assert_eq!(take(&listener), (payload, from));
        }
        assert_eq!(bypass.take_sent(), 202);
    });
}

#[test]
fn ring_goes_round_and_loses_nothing() {
    let Some(cable) = Cable::new() else { return };
    let listener = cable.listener(THEIRS);
    let to = [listener.local_addr().unwrap(); 64];
    within(&cable.ours, || {
        let (mut socket, mut bypass, from) = sender();
        let now = Instant::now();
        bypass.send(now, &batch(&to[..1], 0), &mut socket);
        take(&listener);
        let later = now + Duration::from_secs(1);
        for round in 0..100 {
            assert_eq!(bypass.send(later, &batch(&to, round), &mut socket).errors, 0);
            for _ in 0..64 {
                assert_eq!(take(&listener), (vec![round; 101], from));
            }
        }
        assert_eq!(bypass.take_sent(), 64 * 100 - 1);
    });
}

#[test]
fn link_that_is_down_holds_nobody_up_and_serves_again_when_it_is_up() {
    let Some(cable) = Cable::new() else { return };
    let listener = cable.listener(THEIRS);
    let to = [listener.local_addr().unwrap(); 2];
    within(&cable.ours, || {
        let (mut socket, mut bypass, from) = sender();
        let mut now = Instant::now();
        bypass.send(now, &batch(&to, 1), &mut socket);
        now += Duration::from_secs(1);
        bypass.send(now, &batch(&to, 2), &mut socket);
        assert_eq!(bypass.take_sent(), 1);
        cable.ours(&["link", "set", "out0", "down"]);
        // Within the same second the neighbour still counts as known.
        assert_eq!(bypass.send(now, &batch(&to, 3), &mut socket), Sent { bytes: 0, errors: 2 });
        assert_eq!(bypass.take_sent(), 0);
        cable.ours(&["link", "set", "out0", "up"]);
        for number in 4..6 {
            now += Duration::from_secs(1);
            bypass.send(now, &batch(&to, number), &mut socket);
        }
        assert_eq!(bypass.take_sent(), 1, "the slots that were not taken are filled again");
        let numbers: Vec<u8> = (0..8).map(|_| take(&listener)).map(|(bytes, source)| (assert_eq!(source, from), bytes[0]).1).collect();
        assert_eq!(numbers, [1, 1, 2, 2, 4, 4, 5, 5]);
    });
}

#[test]
fn frame_with_a_wrong_checksum_does_not_arrive() {
    // Otherwise the other tests would prove nothing about checksums.
    let Some(cable) = Cable::new() else { return };
    let listener = cable.listener(THEIRS);
    let to = listener.local_addr().unwrap();
    within(&cable.ours, || {
        let (mut socket, mut bypass, _) = sender();
        let now = Instant::now();
        bypass.send(now, &batch(&[to], 1), &mut socket);
        take(&listener);
        assert!(bypass.paths.refresh(now + Duration::from_secs(1)));
        complete_checksums_in_the_kernel();
        bypass.paths.find(THEIRS);
        let path = bypass.paths.find(THEIRS).expect("the neighbour is known");
        for number in [2, 3] {
            bypass.ring.place(frame::HEADERS_LEN + 3, |bytes| {
                frame::write(bytes, &bypass.sender, &path, THEIRS, to.port(), &[number; 3]);
                bytes[40] ^= u8::from(number == 2);
            });
        }
        assert_eq!(bypass.ring.flush(2), 2);
        assert_eq!(take(&listener).0, [3; 3]);
    });
}

#[test]
fn what_is_no_ethernet_or_not_there_is_refused_with_a_sentence() {
    let bound = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 1));
    let refused = |interface| refusal(interface, &Bypass::open(interface, bound).unwrap_err());
    if refused("lo").contains("CAP_NET_RAW") {
        eprintln!("skipped: without CAP_NET_RAW no packet socket can be made");
        return;
    }
    assert_eq!(refused("lo"), "Sound cannot be sent as frames over lo: it is no Ethernet. It goes by the UDP socket.");
    for missing in ["salon-none", "", "a-name-longer-than-any-interface"] {
        let expected = format!("Sound cannot be sent as frames over {missing}: there is no such interface. It goes by the UDP socket.");
        assert_eq!(refused(missing), expected);
    }
}

/// What handing a packet over costs this thread, ns: `cargo test --release -p salon-driver cost_of -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_handing_over() {
    const BATCHES: u32 = 4_000;
    const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 9);
    let Some(cable) = Cable::new() else { return };
    // A station that is not there: what is sent to it ends where the other kernel looks at the Ethernet header.
    cable.ours(&["neigh", "add", &NOBODY.to_string(), "lladdr", "02:00:00:00:00:99", "dev", "out0", "nud", "permanent"]);
    let listener = cable.listener(THEIRS);
    // Nobody reads: what arrives is checked by the kernel, fills a buffer and is dropped.
    let reader = listener.local_addr().unwrap();
    for (receives, to) in
        [("by nobody", SocketAddr::new(IpAddr::V4(NOBODY), 9)), ("in the sender's call", reader), ("on another core", reader)]
    {
        if receives == "on another core" {
            let steering = "echo 2 > /sys/class/net/in0/queues/rx-0/rps_cpus";
            assert!(Command::new("ip").args(["netns", "exec", &cable.theirs, "sh", "-c", steering]).status().unwrap().success());
        }
        let packets = batch(&[to; 64], 0);
        within(&cable.ours, || {
            // On the first core, or what arrives is handled where it is sent from after all.
            // SAFETY: all-zero is an empty set, and the calls read or write it alone.
            unsafe {
                let mut first: libc::cpu_set_t = std::mem::zeroed();
                libc::CPU_SET(0, &mut first);
                libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const first);
            }
            let (mut socket, mut bypass, _) = sender();
            let mut now = Instant::now();
            for _ in 0..2 {
                bypass.send(now, &batch(&[to; 2], 0), &mut socket);
                now += Duration::from_secs(1);
            }
            bypass.send(now, &batch(&[to; 2], 0), &mut socket);
            bypass.take_sent();
            let nanos = |send: &mut dyn FnMut()| {
                let began = crate::socket::thread_cpu();
                (0..BATCHES).for_each(|_| send());
                (crate::socket::thread_cpu() - began).as_nanos() / u128::from(BATCHES * 64)
            };
            let by_socket = nanos(&mut || {
                socket.send(&packets);
            });
            let around = nanos(&mut || {
                bypass.send(now, &packets, &mut socket);
            });
            let share = bypass.take_sent() * 100 / u64::from(BATCHES * 64);
            println!("received {receives}: {by_socket} ns by the socket, {around} ns around it ({share} % of them by the ring)");
        });
    }
}
