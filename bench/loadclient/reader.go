package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/pion/rtp"
	"golang.org/x/sys/unix"
)

const (
	batchSize      = 8
	largestPacket  = 1500
	controlSize    = 64
	receiveBuffer  = 256 << 10 // room for 0.1 s of anything while this process waits for the processor
	eventsPerRound = 256

	// rest is how long the reader sleeps after it has found nothing more to read. Arrivals are stamped by the kernel, so nothing measured
	// here grows by it; but a reader that waits at every packet is woken by every system call of the server's, at the server's cost,
	// which no audience that is somewhere else asks of it. The limit program's receivers rest alike.
	rest = time.Millisecond
)

// multiMessage is the kernel's struct mmsghdr (recvmmsg(2)).
type multiMessage struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// inbox is what receives on a socket of its own: one datagram at a time, with its arrival in Unix nanoseconds and the reader's lock held.
type inbox interface {
	receive(r *reader, packet []byte, arrivedNs int64)
}

// reader receives for every peer of this process on one thread: one epoll set, one socket per peer, recvmmsg into the same buffers.
// Go's own network poller would wake a goroutine per packet, which costs more than decrypting it.
type reader struct {
	epoll int

	// mu guards everything below and every peer's inbound state. The thread holds it for one round of events.
	mu     sync.Mutex
	byFd   []inbox
	delays *delayCount

	schedule *schedule // of what our speakers send; nil where nobody does
	frames   [][]byte  // of the packet at hand
	marks    []mark    // likewise

	messages [batchSize]multiMessage
	vectors  [batchSize]unix.Iovec
	packets  [batchSize][largestPacket]byte
	controls [batchSize][controlSize]byte
	header   rtp.Header
	plain    [largestPacket]byte
}

func newReader() (*reader, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	r := &reader{epoll: epoll, delays: new(delayCount)}
	for i := range r.messages {
		r.vectors[i].Base = &r.packets[i][0]
		r.vectors[i].SetLen(largestPacket)
		header := &r.messages[i].header
		header.Iov = &r.vectors[i]
		header.SetIovlen(1)
		header.Control = &r.controls[i][0]
	}
	return r, nil
}

// openSocket makes a peer's UDP socket on a port of its own. Arrival times are stamped by the kernel, so that a delay
// measured here ends when the packet reaches the socket and not when this process gets to read it.
func openSocket(remote netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	local := &unix.SockaddrInet4{}
	if remote.Addr().IsLoopback() {
		local.Addr = [4]byte{127, 0, 0, 1}
	}
	for _, step := range []func() error{
		func() error { return unix.Bind(fd, local) },
		func() error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) },
		func() error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer) },
	} {
		if err := step(); err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("socket: %w", err)
		}
	}
	return fd, nil
}

func (r *reader) add(p *peer) error { return r.watch(p.fd, p) }

// watch hands what arrives on the socket to in.
func (r *reader) watch(fd int, in inbox) error {
	r.mu.Lock()
	for len(r.byFd) <= fd {
		r.byFd = append(r.byFd, nil)
	}
	r.byFd[fd] = in
	r.mu.Unlock()
	return unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// remove forgets the peer and closes its socket.
func (r *reader) remove(p *peer) { r.forget(p.fd, p) }

// forget ends what watch began and closes the socket, unless its number is another one's by now.
func (r *reader) forget(fd int, in inbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if fd < len(r.byFd) && r.byFd[fd] == in {
		r.byFd[fd] = nil
		unix.Close(fd) // leaves the epoll set by itself (epoll(7))
	}
}

// run reads until the process ends.
func (r *reader) run() error {
	runtime.LockOSThread()
	var events [eventsPerRound]unix.EpollEvent
	for {
		n, err := unix.EpollWait(r.epoll, events[:], -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		r.mu.Lock()
		for _, event := range events[:n] {
			if in := r.byFd[event.Fd]; in != nil {
				r.drain(int(event.Fd), in)
			}
		}
		r.mu.Unlock()
		if n < eventsPerRound {
			time.Sleep(rest)
		}
	}
}

// drain reads one batch; what is left wakes the next round (the set is level-triggered).
func (r *reader) drain(fd int, in inbox) {
	for i := range r.messages {
		r.messages[i].header.SetControllen(controlSize)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.messages[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return // EAGAIN: nothing there; ECONNREFUSED: an earlier send met a closed port, and the peer's own deadline will tell
	}
	for i := range int(n) {
		message := &r.messages[i]
		in.receive(r, r.packets[i][:message.length], arrival(r.controls[i][:message.header.Controllen]))
	}
}

// arrival reads SCM_TIMESTAMPNS from a control message: Unix nanoseconds. Without one it is now.
func arrival(control []byte) int64 {
	const headerSize, timeSize = 16, 16 // struct cmsghdr and struct timespec on 64-bit Linux
	if len(control) >= headerSize+timeSize {
		header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS {
			stamp := (*unix.Timespec)(unsafe.Pointer(&control[headerSize]))
			return stamp.Nano()
		}
	}
	return time.Now().UnixNano()
}
