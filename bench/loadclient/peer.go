package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"
	"golang.org/x/sys/unix"
)

// identity is the certificate that all peers of this process show: making one for each would measure nothing of the server's.
type identity struct {
	certificate tls.Certificate
	fingerprint string
}

func newIdentity() (identity, error) {
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return identity{}, fmt.Errorf("certificate: %w", err)
	}
	digest := sha256.Sum256(certificate.Certificate[0])
	pairs := make([]string, len(digest))
	for i, b := range digest {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return identity{certificate, strings.Join(pairs, ":")}, nil
}

// peer is one WebRTC session of ours: an ICE agent with a single pair (controlling, as the offerer is), a DTLS client, SRTP. It answers for the protocol's
// cheapest honest client: it checks, consents and reports as often as browsers do.
type peer struct {
	identity  identity
	direction direction
	slots     int
	ssrc      uint32
	ufrag     string
	password  string
	tieBreak  [8]byte
	// controlled is our ICE role when a server with a full agent made the offer: it nominates the pair then.
	controlled bool

	location string // the session's path on the server
	answer   answerDescription
	fd       int
	remote   unix.SockaddrInet4

	checked    chan struct{} // closed by the first valid check response
	nominated  chan struct{} // closed when the server, if it is the controlling side, has chosen the pair
	heardFirst chan struct{} // closed by the first decrypted packet
	dtlsIn     *datagrams
	dtls       *dtls.Conn

	// Guarded by reader.mu.
	transaction [stun.TransactionIDSize]byte
	isChecked   bool
	isNominated bool
	inbound     *srtp.Context
	heard       heardCount
	consentAtNs int64 // when the server last proved that it is there
	profile     string

	outboundMu sync.Mutex
	outbound   *srtp.Context
}

func newPeer(id identity, d direction, slots int) *peer {
	var random [8 + 4]byte
	rand.Read(random[:])
	p := &peer{
		identity: id, direction: d, slots: slots, fd: -1,
		ssrc:       binary.BigEndian.Uint32(random[8:]) | 1,
		ufrag:      hexToken(4),
		password:   hexToken(16),
		checked:    make(chan struct{}),
		nominated:  make(chan struct{}),
		heardFirst: make(chan struct{}),
	}
	copy(p.tieBreak[:], random[:8])
	return p
}

func hexToken(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random)
	return hex.EncodeToString(random)
}

func (p *peer) offer() string {
	return offer(p.direction, p.slots, p.ufrag, p.password, p.identity.fingerprint, p.ssrc)
}

// connect brings the session up with the server's answer: a check until it is answered, then DTLS, then keys.
func (p *peer) connect(ctx context.Context, r *reader, answerSdp string) error {
	var err error
	if p.answer, err = parseAnswer(answerSdp); err != nil {
		return err
	}
	if err = p.bind(r); err != nil {
		return err
	}
	return p.establish(ctx, r)
}

// bind opens the socket towards the address that the server named.
func (p *peer) bind(r *reader) error {
	var err error
	if p.fd, err = openSocket(p.answer.address); err != nil {
		return err
	}
	p.remote = unix.SockaddrInet4{Port: int(p.answer.address.Port()), Addr: p.answer.address.Addr().As4()}
	p.dtlsIn = newDatagrams(p)
	return r.add(p)
}

func (p *peer) establish(ctx context.Context, r *reader) error {
	if err := p.check(ctx, r); err != nil {
		return err
	}
	if p.controlled {
		// Before that the server drops our handshake, and its repetition comes a second later.
		select {
		case <-p.nominated:
		case <-ctx.Done():
			return errors.New("the server nominated no pair")
		}
	}
	return p.handshake(ctx, r)
}

// check sends binding requests, doubling the wait as RFC 8489 section 6.2.1 does, until one is answered.
func (p *peer) check(ctx context.Context, r *reader) error {
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		if err := p.sendCheck(r); err != nil {
			return err
		}
		select {
		case <-p.checked:
			return nil
		case <-ctx.Done():
			return errors.New("no answer to ICE checks")
		case <-time.After(wait):
		}
	}
}

// controlling is the ICE-CONTROLLING attribute (RFC 8445 section 16.1).
type controlling [8]byte

func (c controlling) AddTo(m *stun.Message) error {
	m.Add(stun.AttrICEControlling, c[:])
	return nil
}

// sendCheck sends one authenticated check that also nominates (RFC 8445 section 7.1) and, once connected, renews consent (RFC 7675).
func (p *peer) sendCheck(r *reader) error {
	const hostPriority = 2130706431 // RFC 8445 section 5.1.2.1 for a host candidate
	priority := binary.BigEndian.AppendUint32(nil, hostPriority)
	attributes := []stun.Setter{
		stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(p.answer.ufrag + ":" + p.ufrag),
		stun.RawAttribute{Type: stun.AttrPriority, Value: priority},
	}
	if p.controlled {
		attributes = append(attributes, stun.RawAttribute{Type: stun.AttrICEControlled, Value: p.tieBreak[:]})
	} else {
		attributes = append(attributes, controlling(p.tieBreak), stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	message, err := stun.Build(append(attributes, stun.NewShortTermIntegrity(p.answer.password), stun.Fingerprint)...)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	r.mu.Lock()
	p.transaction = message.TransactionID
	r.mu.Unlock()
	return p.send(message.Raw)
}

func (p *peer) handshake(ctx context.Context, r *reader) error {
	verify := func(chain [][]byte, _ [][]*x509.Certificate) error {
		if len(chain) == 0 {
			return errors.New("the server showed no certificate")
		}
		if digest := sha256.Sum256(chain[0]); !bytes.Equal(digest[:], p.answer.fingerprint) {
			return errors.New("the server's certificate is not the one its answer names")
		}
		return nil
	}
	conn, err := dtls.ClientWithOptions(p.dtlsIn, p.dtlsIn.LocalAddr(),
		dtls.WithCertificates(p.identity.certificate),
		dtls.WithInsecureSkipVerify(true), // WebRTC's certificates are self-signed; the fingerprint is what proves them
		dtls.WithVerifyPeerCertificate(verify),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
	)
	if err != nil {
		return fmt.Errorf("DTLS: %w", err)
	}
	p.dtls = conn
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("DTLS: %w", err)
	}
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return errors.New("DTLS: no SRTP profile in common")
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return errors.New("DTLS: no state after the handshake")
	}
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := config.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return fmt.Errorf("SRTP keys: %w", err)
	}
	keys := config.Keys
	inbound, err := srtp.CreateContext(keys.RemoteMasterKey, keys.RemoteMasterSalt, config.Profile, srtp.SRTPReplayProtection(128), srtp.SRTCPReplayProtection(128))
	if err != nil {
		return fmt.Errorf("SRTP: %w", err)
	}
	outbound, err := srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, config.Profile)
	if err != nil {
		return fmt.Errorf("SRTP: %w", err)
	}
	p.outboundMu.Lock()
	p.outbound = outbound
	p.outboundMu.Unlock()
	r.mu.Lock()
	p.inbound = inbound
	p.profile = config.Profile.String()
	r.mu.Unlock()
	return nil
}

func (p *peer) send(packet []byte) error { return unix.Sendto(p.fd, packet, 0, &p.remote) }

// receive takes one datagram; RFC 7983 tells the protocols apart by the first byte. The reader's lock is held.
func (p *peer) receive(r *reader, packet []byte, arrivedNs int64) {
	switch {
	case len(packet) < 2:
	case packet[0] < 4:
		p.receiveStun(packet, arrivedNs)
	case packet[0] >= 20 && packet[0] < 64:
		p.dtlsIn.push(packet)
	case packet[0] >= 128 && packet[0] < 192:
		// RFC 5761 section 4: 192 to 223 in the second byte is RTCP.
		if packet[1] < 192 || packet[1] > 223 {
			p.receiveRtp(r, packet, arrivedNs)
		}
	}
}

func (p *peer) receiveStun(packet []byte, arrivedNs int64) {
	message := &stun.Message{Raw: append([]byte(nil), packet...)}
	if message.Decode() != nil {
		return
	}
	switch message.Type {
	case stun.BindingSuccess:
		if message.TransactionID != p.transaction || stun.NewShortTermIntegrity(p.answer.password).Check(message) != nil {
			return
		}
		p.consentAtNs = arrivedNs
		if !p.isChecked {
			p.isChecked = true
			close(p.checked)
		}
	case stun.BindingRequest: // a server with a full ICE agent checks back; ICE-lite never does
		if stun.NewShortTermIntegrity(p.password).Check(message) != nil {
			return
		}
		response, err := stun.Build(
			stun.NewTransactionIDSetter(message.TransactionID), stun.BindingSuccess,
			&stun.XORMappedAddress{IP: p.remote.Addr[:], Port: p.remote.Port},
			stun.NewShortTermIntegrity(p.password), stun.Fingerprint,
		)
		if err == nil {
			_ = p.send(response.Raw)
		}
		if !p.isNominated && message.Contains(stun.AttrUseCandidate) {
			p.isNominated = true
			close(p.nominated)
		}
	}
}

func (p *peer) receiveRtp(r *reader, packet []byte, arrivedNs int64) {
	if p.inbound == nil {
		return // the server may send before our side of the handshake is done
	}
	plain, err := p.inbound.DecryptRTP(r.plain[:0], packet, &r.header)
	if err != nil {
		p.heard.refused++
		return
	}
	isFirst := p.heard.packets == 0
	marks := r.marksOf(payloadOf(&r.header, plain))
	if delay := p.heard.add(r.header.SSRC, r.header.SequenceNumber, marks, len(packet), arrivedNs); delay >= 0 {
		r.delays.add(delay)
	}
	if isFirst {
		close(p.heardFirst)
	}
}

// payloadOf is the sound in an RTP packet that was decrypted (RFC 3550 section 5.1): after a header whose extensions some servers leave room
// in, and before the padding with which some fill packets up to whole words. Nothing if the packet is not whole.
func payloadOf(header *rtp.Header, packet []byte) []byte {
	begin := 12 + 4*len(header.CSRC)
	if header.Extension && len(packet) >= begin+4 {
		begin += 4 + 4*int(binary.BigEndian.Uint16(packet[begin+2:])) // in words, the first one not counted
	}
	end := len(packet)
	if header.Padding && end > 0 {
		end -= int(packet[end-1])
	}
	if begin > end {
		return nil
	}
	return packet[begin:end]
}

// sendOpus sends one frame with its level as RFC 6464 asks (voice activity in the top bit).
func (p *peer) sendOpus(opus []byte, level uint8, sequence uint16, timestamp uint32) error {
	header := rtp.Header{Version: 2, PayloadType: p.answer.payloadType, SequenceNumber: sequence, Timestamp: timestamp, SSRC: p.ssrc}
	if p.answer.levelExtension != 0 {
		voice := uint8(0)
		if level < 127 {
			voice = 0x80
		}
		if err := header.SetExtension(p.answer.levelExtension, []byte{voice | level}); err != nil {
			return fmt.Errorf("audio level: %w", err)
		}
	}
	plain, err := (&rtp.Packet{Header: header, Payload: opus}).Marshal()
	if err != nil {
		return fmt.Errorf("RTP: %w", err)
	}
	p.outboundMu.Lock()
	packet, err := p.outbound.EncryptRTP(nil, plain, nil)
	p.outboundMu.Unlock()
	if err != nil {
		return fmt.Errorf("SRTP: %w", err)
	}
	return p.send(packet)
}

// sendReport sends a receiver report on what was heard, as every RTP receiver does (RFC 3550 section 6).
func (p *peer) sendReport(r *reader) error {
	report := &rtcp.ReceiverReport{SSRC: p.ssrc}
	r.mu.Lock()
	for i := range p.heard.slots {
		slot := &p.heard.slots[i]
		report.Reports = append(report.Reports, rtcp.ReceptionReport{
			SSRC: slot.ssrc, TotalLost: uint32(min(slot.rtp.lost(), 1<<23-1)), LastSequenceNumber: uint32(slot.rtp.highest),
		})
	}
	r.mu.Unlock()
	plain, err := report.Marshal()
	if err != nil {
		return fmt.Errorf("RTCP: %w", err)
	}
	p.outboundMu.Lock()
	defer p.outboundMu.Unlock()
	if p.outbound == nil {
		return nil
	}
	packet, err := p.outbound.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return fmt.Errorf("SRTCP: %w", err)
	}
	return p.send(packet)
}

// close tells the server by a DTLS alert and frees the socket.
func (p *peer) close(r *reader) {
	if p.dtls != nil {
		_ = p.dtls.Close()
	}
	if p.fd >= 0 {
		r.remove(p)
	}
}

// remoteAddress is where the server said it listens.
func (p *peer) remoteAddress() netip.AddrPort { return p.answer.address }
