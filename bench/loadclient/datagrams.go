package main

import (
	"net"
	"os"
	"sync"
	"time"

	"github.com/pion/transport/v5/deadline"
)

// datagrams is the DTLS side of a peer's socket: what the reader sorted out as DTLS comes in, what DTLS says goes out on the socket.
type datagrams struct {
	peer      *peer
	in        chan []byte
	closed    chan struct{}
	closeOnce sync.Once
	deadline  *deadline.Deadline
}

func newDatagrams(p *peer) *datagrams {
	// A handshake's flights are at most a handful of datagrams; beyond that DTLS repeats itself.
	return &datagrams{peer: p, in: make(chan []byte, 16), closed: make(chan struct{}), deadline: deadline.New()}
}

func (d *datagrams) push(packet []byte) {
	select {
	case d.in <- append([]byte(nil), packet...):
	default:
	}
}

func (d *datagrams) ReadFrom(buffer []byte) (int, net.Addr, error) {
	select {
	case packet := <-d.in:
		return copy(buffer, packet), d.LocalAddr(), nil
	case <-d.closed:
		return 0, nil, net.ErrClosed
	case <-d.deadline.Done():
		return 0, nil, os.ErrDeadlineExceeded
	}
}

func (d *datagrams) WriteTo(packet []byte, _ net.Addr) (int, error) {
	if err := d.peer.send(packet); err != nil {
		return 0, err
	}
	return len(packet), nil
}

func (d *datagrams) Close() error {
	d.closeOnce.Do(func() { close(d.closed) })
	return nil
}

// LocalAddr names the one pair that there is; DTLS only needs some address to hand back.
func (d *datagrams) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(d.peer.remoteAddress()) }

func (d *datagrams) SetReadDeadline(t time.Time) error {
	d.deadline.Set(t)
	return nil
}

func (d *datagrams) SetDeadline(t time.Time) error    { return d.SetReadDeadline(t) }
func (d *datagrams) SetWriteDeadline(time.Time) error { return nil }
