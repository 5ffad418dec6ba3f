//! The transmit ring of a packet socket: packet(7), PACKET_TX_RING with TPACKET_V2.
//!
//! The kernel looks at the ring within `send` only, takes slots in order and stops at the first that is not marked for sending, so each
//! flush begins where the last one ended. Slots that it did not take are taken back: nothing waits in the ring.

#![allow(clippy::cast_possible_truncation)] // Sizes of C structures as C wants them.

use std::io;
use std::mem::{offset_of, size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use super::frame::{self, Mac};

/// As the socket option wants it.
const TPACKET_V2: libc::c_int = 1;
const ON: libc::c_int = 1;
/// VIRTIO_NET_HDR_F_NEEDS_CSUM.
const NEEDS_CHECKSUM: u8 = 1;
/// Holds a frame of 1,500 bytes with all that the kernel puts before it.
const SLOT_LEN: usize = 2_048;
/// 20 ms of 2,000 listeners may be on their way to the wire.
const SLOTS: usize = 2_048;
const SLOTS_PER_BLOCK: usize = 16;
const RING_LEN: usize = SLOT_LEN * SLOTS;
/// Of frames that the kernel has made and the interface not sent yet.
const BUFFER_BYTES: libc::c_int = 8 << 20;

/// Where the kernel looks for what is to be sent: behind the slot's header.
const DATA_AT: usize = size_of::<libc::tpacket2_hdr>().next_multiple_of(16);
const VNET_LEN: usize = size_of::<VnetHeader>();
const MOST_FRAME: usize = SLOT_LEN - DATA_AT - VNET_LEN;

/// struct virtio_net_hdr: how much of the frame the kernel shall copy, and which checksum it, or the interface, shall complete.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct VnetHeader {
    flags: u8,
    gso_type: u8,
    hdr_len: u16,
    gso_size: u16,
    csum_start: u16,
    csum_offset: u16,
}

/// A packet socket that sends over one interface, with its ring.
#[derive(Debug)]
pub(super) struct Ring {
    socket: OwnedFd,
    memory: NonNull<u8>,
    interface: [libc::c_char; libc::IFNAMSIZ],
    index: libc::c_int,
    mac: Mac,
    mtu: usize,
    /// The slot that is filled next; after a flush, the one that the kernel looks at next.
    next: usize,
}

// SAFETY: the mapping belongs to the ring alone and is used through `&mut self`.
unsafe impl Send for Ring {}

impl Ring {
    /// Without a protocol, so that the socket receives nothing.
    pub(super) fn open(interface: &str) -> io::Result<Self> {
        let interface = name_of(interface)?;
        // SAFETY: no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is fresh and nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &TPACKET_V2)?;
        // A frame is copied whole: frames that point into the ring would be copied later, and dearer, by every bridge and veth.
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_VNET_HDR, &ON)?;
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, &ON)?;
        if set_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &BUFFER_BYTES).is_err() {
            set_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, &BUFFER_BYTES)?;
        }
        let layout = libc::tpacket_req {
            tp_block_size: (SLOT_LEN * SLOTS_PER_BLOCK) as libc::c_uint,
            tp_block_nr: (SLOTS / SLOTS_PER_BLOCK) as libc::c_uint,
            tp_frame_size: SLOT_LEN as libc::c_uint,
            tp_frame_nr: SLOTS as libc::c_uint,
        };
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_TX_RING, &layout)?;
        let flags = libc::MAP_SHARED;
        // SAFETY: a new mapping at an address of the kernel's choice, of the ring that was just made with this length.
        let memory =
            unsafe { libc::mmap(std::ptr::null_mut(), RING_LEN, libc::PROT_READ | libc::PROT_WRITE, flags, socket.as_raw_fd(), 0) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut ring = Self { socket, memory, interface, index: 0, mac: [0; 6], mtu: 0, next: 0 };
        ring.follow_interface()?;
        Ok(ring)
    }

    /// The interface's own.
    pub(super) fn mac(&self) -> Mac {
        self.mac
    }

    pub(super) fn mtu(&self) -> usize {
        self.mtu
    }

    /// Learn the interface's number, address and MTU, and send over it from now on.
    pub(super) fn follow_interface(&mut self) -> io::Result<()> {
        // SAFETY (all three): the kernel filled the member that the request is about.
        let index = unsafe { self.ask(libc::SIOCGIFINDEX)?.ifr_ifru.ifru_ifindex };
        let address = unsafe { self.ask(libc::SIOCGIFHWADDR)?.ifr_ifru.ifru_hwaddr };
        let mtu = unsafe { self.ask(libc::SIOCGIFMTU)?.ifr_ifru.ifru_mtu };
        if address.sa_family != libc::ARPHRD_ETHER {
            return Err(io::Error::other("it is no Ethernet"));
        }
        self.mac = std::array::from_fn(|at| address.sa_data[at].cast_unsigned());
        self.mtu = usize::try_from(mtu).unwrap_or(0).min(MOST_FRAME - frame::HEADERS_LEN);
        if index != self.index {
            self.bind(index)?;
            self.index = index;
        }
        Ok(())
    }

    fn bind(&self, index: libc::c_int) -> io::Result<()> {
        // SAFETY: all-zero is a valid sockaddr_ll.
        let mut name: libc::sockaddr_ll = unsafe { zeroed() };
        name.sll_family = libc::AF_PACKET as libc::c_ushort;
        name.sll_ifindex = index;
        // SAFETY: `name` lives through the call, and its length is told.
        let result =
            unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const name).cast(), size_of::<libc::sockaddr_ll>() as libc::socklen_t) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn ask(&self, request: libc::Ioctl) -> io::Result<libc::ifreq> {
        // SAFETY: all-zero is a valid ifreq.
        let mut question: libc::ifreq = unsafe { zeroed() };
        question.ifr_name = self.interface;
        // SAFETY: these requests read the name from an ifreq and write into it; it lives through the call.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), request, &raw mut question) };
        if result == 0 { Ok(question) } else { Err(io::Error::last_os_error()) }
    }

    /// Have `fill` write a frame of `len` bytes into the next slot; false if there is no room.
    pub(super) fn place(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        if len > MOST_FRAME || self.status(self.next).load(Ordering::Acquire) != libc::TP_STATUS_AVAILABLE {
            return false;
        }
        let header = VnetHeader {
            flags: NEEDS_CHECKSUM,
            hdr_len: len as u16,
            csum_start: frame::CHECKSUM_START as u16,
            csum_offset: frame::CHECKSUM_OFFSET as u16,
            ..VnetHeader::default()
        };
        // SAFETY: the slot lies within the mapping (`next` < SLOTS, and DATA_AT, VNET_LEN and `len` fit a slot), is ours while it is
        // available, and nobody has a reference into it. The length is a u32 at an aligned offset; the vnet header may be unaligned.
        let frame = unsafe {
            let slot = self.memory.add(self.next * SLOT_LEN);
            slot.add(offset_of!(libc::tpacket2_hdr, tp_len)).cast::<u32>().write((VNET_LEN + len) as u32);
            slot.add(DATA_AT).cast::<VnetHeader>().write_unaligned(header);
            slice::from_raw_parts_mut(slot.add(DATA_AT + VNET_LEN).as_ptr(), len)
        };
        fill(frame);
        self.status(self.next).store(libc::TP_STATUS_SEND_REQUEST, Ordering::Release);
        self.next = (self.next + 1) % SLOTS;
        true
    }

    /// Have the kernel send the last `count` slots that were filled, without waiting: how many it took, from the first on.
    pub(super) fn flush(&mut self, count: usize) -> usize {
        // SAFETY: no bytes are handed over; the ring holds them.
        unsafe { libc::send(self.socket.as_raw_fd(), std::ptr::null(), 0, libc::MSG_DONTWAIT) };
        // Its result says less than the slots: part of a batch may be gone although it failed.
        let first = (self.next + SLOTS - count) % SLOTS;
        let left = |status: u32| status & (libc::TP_STATUS_SEND_REQUEST | libc::TP_STATUS_WRONG_FORMAT) != 0;
        let taken = (0..count).find(|at| left(self.status((first + at) % SLOTS).load(Ordering::Acquire))).unwrap_or(count);
        for at in taken..count {
            // The kernel has not come this far, and does not look at the ring before the next `send`.
            self.status((first + at) % SLOTS).store(libc::TP_STATUS_AVAILABLE, Ordering::Release);
        }
        self.next = (first + taken) % SLOTS;
        taken
    }

    /// Whose slot it is. tp_status is the header's first word.
    fn status(&self, slot: usize) -> &AtomicU32 {
        // SAFETY: `slot` < SLOTS lies within the mapping, which lives as long as `self`; slots are aligned far beyond a u32, and the
        // kernel changes this word with plain atomic stores.
        unsafe { AtomicU32::from_ptr(self.memory.add(slot * SLOT_LEN).cast().as_ptr()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: mapped by `open` with this length, and nothing refers to it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), RING_LEN) };
    }
}

fn name_of(interface: &str) -> io::Result<[libc::c_char; libc::IFNAMSIZ]> {
    let mut name = [0; libc::IFNAMSIZ];
    if interface.is_empty() || interface.len() >= name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in name.iter_mut().zip(interface.bytes()) {
        *to = from.cast_signed();
    }
    Ok(name)
}

fn set_option<T>(socket: &OwnedFd, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the descriptor is open, and `value` lives through the call with the size told.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), len) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
