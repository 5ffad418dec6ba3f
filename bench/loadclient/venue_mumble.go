package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// mumble is the root channel of a Mumble server: TLS and protobuf for control, OCB2-encrypted datagrams for sound
// (the "Mumble Protocol" documentation, version 1.3).
type mumble struct {
	reader  *reader
	address string
	entered atomic.Uint32
}

// Kinds of control messages.
const (
	mumbleVersion      = 0
	mumbleAuthenticate = 2
	mumblePing         = 3
	mumbleReject       = 4
	mumbleServerSync   = 5
	mumbleCryptSetup   = 15
)

// Kinds of datagrams, in the top three bits of the first byte.
const (
	datagramPing = 1
	datagramOpus = 4
)

// largestControl is larger than any message that a server without texts and pictures sends.
const largestControl = 1 << 20

// mumbleClient is one who is connected.
type mumbleClient struct {
	control *tls.Conn
	fd      int
	remote  unix.SockaddrInet4

	writing sync.Mutex // guards control's writes and outbound
	inbound *voiceCrypt
	heard   heardCount
	// pinged is closed by the first ping that the server sent back: from then on it knows our address and sends us sound by datagram.
	pinged   chan struct{}
	isPinged bool
	outbound *voiceCrypt
}

func (m *mumble) enterSpeaker(ctx context.Context) (talker, error) {
	return m.enter(ctx, "speaker")
}

func (m *mumble) enterListener(ctx context.Context) (attendee, error) {
	return m.enter(ctx, fmt.Sprintf("listener-%d", m.entered.Add(1)))
}

func (m *mumble) leave(context.Context) error { return nil }

func (m *mumble) enter(ctx context.Context, name string) (*mumbleClient, error) {
	address, err := netip.ParseAddrPort(m.address)
	if err != nil || !address.Addr().Is4() {
		return nil, fmt.Errorf("mumble: %q is not an IPv4 address with a port", m.address)
	}
	// The server's certificate is its own; what the bench wants to know is what it sends, not who it is.
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec
	conn, err := dialer.DialContext(ctx, "tcp", m.address)
	if err != nil {
		return nil, fmt.Errorf("mumble: %w", err)
	}
	c := &mumbleClient{control: conn.(*tls.Conn), fd: -1, pinged: make(chan struct{})}
	c.remote = unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}
	if err := c.connect(ctx, m.reader, name, address); err != nil {
		c.close(m.reader)
		return nil, fmt.Errorf("mumble: %w", err)
	}
	return c, nil
}

func (c *mumbleClient) connect(ctx context.Context, r *reader, name string, server netip.AddrPort) error {
	if until, ok := ctx.Deadline(); ok {
		c.control.SetDeadline(until)
	}
	const version = 1<<16 | 3<<8 | 4
	if err := c.write(mumbleVersion, appendVarintField(nil, 1, version)); err != nil {
		return err
	}
	authenticate := appendBytesField(nil, 1, []byte(name))
	authenticate = appendVarintField(authenticate, 5, 1) // we can hear Opus
	if err := c.write(mumbleAuthenticate, authenticate); err != nil {
		return err
	}
	incoming := bufio.NewReader(c.control)
	if err := c.readUntilSync(incoming); err != nil {
		return err
	}
	c.control.SetDeadline(time.Time{})
	go func() { // what others do is of no interest, but must be read
		for {
			if _, _, err := readControl(incoming); err != nil {
				return
			}
		}
	}()
	var err error
	if c.fd, err = openSocket(server); err != nil {
		return err
	}
	if err := r.watch(c.fd, c); err != nil {
		return err
	}
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		if err := c.sendDatagram(pingDatagram(time.Now())); err != nil {
			return err
		}
		select {
		case <-c.pinged:
			return nil
		case <-ctx.Done():
			return errors.New("no answer to pings by datagram")
		case <-time.After(wait):
		}
	}
}

func (c *mumbleClient) readUntilSync(incoming *bufio.Reader) error {
	for {
		kind, message, err := readControl(incoming)
		if err != nil {
			return err
		}
		switch kind {
		case mumbleReject:
			return fmt.Errorf("the server refuses: %q", message)
		case mumbleCryptSetup:
			if err := c.setUpCrypt(message); err != nil {
				return err
			}
		case mumbleServerSync:
			if c.inbound == nil {
				return errors.New("the server gave no keys")
			}
			return nil
		}
	}
}

func (c *mumbleClient) setUpCrypt(message []byte) error {
	fields, err := parseProtobuf(message)
	if err != nil {
		return err
	}
	var key, clientNonce, serverNonce []byte
	for _, field := range fields {
		switch field.number {
		case 1:
			key = field.bytes
		case 2:
			clientNonce = field.bytes
		case 3:
			serverNonce = field.bytes
		}
	}
	if c.outbound, err = newVoiceCrypt(key, clientNonce); err != nil {
		return err
	}
	c.inbound, err = newVoiceCrypt(key, serverNonce)
	return err
}

// write frames one control message: kind and length, big-endian, 2 and 4 bytes.
func (c *mumbleClient) write(kind uint16, message []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.control.Write(appendControl(nil, kind, message))
	return err
}

func appendControl(dst []byte, kind uint16, message []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, kind)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(message)))
	return append(dst, message...)
}

func readControl(from io.Reader) (kind uint16, message []byte, err error) {
	var header [6]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(header[2:])
	if length > largestControl {
		return 0, nil, fmt.Errorf("a control message of %d bytes", length)
	}
	message = make([]byte, length)
	_, err = io.ReadFull(from, message)
	return binary.BigEndian.Uint16(header[:]), message, err
}

func (c *mumbleClient) sendDatagram(plain []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return unix.Sendto(c.fd, c.outbound.seal(plain), 0, &c.remote)
}

func pingDatagram(now time.Time) []byte {
	return appendMumbleNumber([]byte{datagramPing << 5}, uint64(now.UnixMilli()))
}

// sendOpus sends one frame; Mumble has neither levels nor clocks in its packets and numbers them by 10 ms.
func (c *mumbleClient) sendOpus(opus []byte, _ uint8, _ uint16, timestamp uint32) error {
	const samplesPer10Ms = 480
	packet := appendMumbleNumber([]byte{datagramOpus << 5}, uint64(timestamp/samplesPer10Ms))
	packet = appendMumbleNumber(packet, uint64(len(opus)))
	return c.sendDatagram(append(packet, opus...))
}

// appendMumbleNumber writes Mumble's own variable-length number: as many leading ones as bytes follow, then the value, big-endian.
func appendMumbleNumber(dst []byte, value uint64) []byte {
	switch {
	case value < 1<<7:
		return append(dst, byte(value))
	case value < 1<<14:
		return append(dst, 0x80|byte(value>>8), byte(value))
	case value < 1<<21:
		return append(dst, 0xc0|byte(value>>16), byte(value>>8), byte(value))
	case value < 1<<28:
		return append(dst, 0xe0|byte(value>>24), byte(value>>16), byte(value>>8), byte(value))
	case value < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, 0xf0), uint32(value))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xf4), value)
}

func (c *mumbleClient) receive(r *reader, packet []byte, arrivedNs int64) {
	plain, err := c.inbound.open(r.plain[:], packet)
	if err != nil || len(plain) == 0 {
		c.heard.refused++
		return
	}
	switch plain[0] >> 5 {
	case datagramPing:
		if !c.isPinged {
			c.isPinged = true
			close(c.pinged)
		}
	case datagramOpus:
		// Its numbers are not needed: the mark at the end tells what is missing. There is one speaker, so one slot.
		marks := r.marks[:0]
		if m, ok := findMark(plain); ok {
			marks = append(marks, m)
		}
		if delay := c.heard.add(0, uint16(c.heard.packets), marks, len(packet), arrivedNs); delay >= 0 {
			r.delays.add(delay)
		}
	}
}

func (c *mumbleClient) ears() *heardCount  { return &c.heard }
func (c *mumbleClient) protection() string { return "OCB2-AES128" }

// keepAlive sends both pings: without the one over TCP the server ends the connection after 30 s.
func (c *mumbleClient) keepAlive(*reader) error {
	if err := c.write(mumblePing, appendVarintField(nil, 1, uint64(time.Now().UnixMilli()))); err != nil {
		return err
	}
	return c.sendDatagram(pingDatagram(time.Now()))
}

func (c *mumbleClient) close(r *reader) {
	_ = c.control.Close()
	if c.fd >= 0 {
		r.forget(c.fd, c)
	}
}
