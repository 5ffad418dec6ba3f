package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"
	"github.com/pion/transport/v5/deadline"
)

// liteServer is the smallest server that a peer can connect to: ICE-lite, DTLS, SRTP to one client on one port.
type liteServer struct {
	t        *testing.T
	conn     *net.UDPConn
	identity identity
	profiles []dtls.SRTPProtectionProfile
	password string
	client   *net.UDPAddr
	fromDtls chan []byte
	deadline *deadline.Deadline
	checks   int
	mu       sync.Mutex
}

func newLiteServer(t *testing.T, profile dtls.SRTPProtectionProfile) *liteServer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	id, err := newIdentity()
	if err != nil {
		t.Fatal(err)
	}
	s := &liteServer{
		t: t, conn: conn, identity: id, profiles: []dtls.SRTPProtectionProfile{profile},
		password: "a-password-of-22-chars", fromDtls: make(chan []byte, 16), deadline: deadline.New(),
	}
	go s.read()
	return s
}

func (s *liteServer) answer() string {
	address := s.conn.LocalAddr().(*net.UDPAddr)
	return fmt.Sprintf("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:lite\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n"+
		"a=setup:passive\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=candidate:1 1 udp 1 127.0.0.1 %d typ host\r\n",
		s.password, s.identity.fingerprint, address.Port)
}

func (s *liteServer) read() {
	buffer := make([]byte, largestPacket)
	for {
		n, from, err := s.conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		packet := append([]byte(nil), buffer[:n]...)
		switch {
		case stun.IsMessage(packet):
			s.answerCheck(packet, from)
		case packet[0] < 64:
			s.fromDtls <- packet
		}
	}
}

func (s *liteServer) answerCheck(packet []byte, from *net.UDPAddr) {
	request := &stun.Message{Raw: packet}
	integrity := stun.NewShortTermIntegrity(s.password)
	if err := request.Decode(); err != nil || integrity.Check(request) != nil || !request.Contains(stun.AttrUseCandidate) {
		s.t.Errorf("a check that no ICE-lite server would take: %v", err)
		return
	}
	response := stun.MustBuild(stun.NewTransactionIDSetter(request.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.IP, Port: from.Port}, integrity, stun.Fingerprint)
	s.mu.Lock()
	s.client = from
	s.checks++
	s.mu.Unlock()
	_, _ = s.conn.WriteToUDP(response.Raw, from)
}

func (s *liteServer) clientAddress() *net.UDPAddr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client
}

// The server's DTLS reads what arrived as DTLS and writes to the client's checked address.
func (s *liteServer) ReadFrom(buffer []byte) (int, net.Addr, error) {
	select {
	case packet := <-s.fromDtls:
		return copy(buffer, packet), s.clientAddress(), nil
	case <-s.deadline.Done():
		return 0, nil, context.DeadlineExceeded
	}
}

func (s *liteServer) WriteTo(packet []byte, _ net.Addr) (int, error) {
	return s.conn.WriteToUDP(packet, s.clientAddress())
}
func (s *liteServer) Close() error                      { return nil }
func (s *liteServer) LocalAddr() net.Addr               { return s.conn.LocalAddr() }
func (s *liteServer) SetDeadline(t time.Time) error     { s.deadline.Set(t); return nil }
func (s *liteServer) SetReadDeadline(t time.Time) error { s.deadline.Set(t); return nil }
func (s *liteServer) SetWriteDeadline(time.Time) error  { return nil }

// accept completes the handshake and returns the context that encrypts towards the client.
func (s *liteServer) accept(ctx context.Context) (*srtp.Context, error) {
	for s.clientAddress() == nil && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	conn, err := dtls.ServerWithOptions(s, s.clientAddress(),
		dtls.WithCertificates(s.identity.certificate), dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithSRTPProtectionProfiles(s.profiles...))
	if err != nil {
		return nil, err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	profile, _ := conn.SelectedSRTPProtectionProfile()
	state, _ := conn.ConnectionState()
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := config.ExtractSessionKeysFromDTLS(&state, false); err != nil {
		return nil, err
	}
	return srtp.CreateContext(config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt, config.Profile)
}

func connected(t *testing.T, profile dtls.SRTPProtectionProfile) (*reader, *peer, *liteServer, *srtp.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	server := newLiteServer(t, profile)
	r, err := newReader()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.run() }()
	id, err := newIdentity()
	if err != nil {
		t.Fatal(err)
	}
	type accepted struct {
		context *srtp.Context
		err     error
	}
	server2client := make(chan accepted, 1)
	go func() {
		keys, err := server.accept(ctx)
		server2client <- accepted{keys, err}
	}()
	p := newPeer(id, listening, 1)
	if err := p.connect(ctx, r, server.answer()); err != nil {
		t.Fatal(err)
	}
	other := <-server2client
	if other.err != nil {
		t.Fatal(other.err)
	}
	return r, p, server, other.context
}

func (s *liteServer) sendMarked(keys *srtp.Context, number uint16, spoil bool) {
	s.t.Helper()
	payload := appendMarked(nil, []byte{0x78, 1, 2, 3}, mark{number: uint32(number), sentNs: time.Now().UnixNano()})
	plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: number, SSRC: 7, CSRC: []uint32{9}}, Payload: payload}).Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	packet, err := keys.EncryptRTP(nil, plain, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if spoil {
		packet[len(packet)-1] ^= 1
	}
	if _, err := s.conn.WriteToUDP(packet, s.clientAddress()); err != nil {
		s.t.Fatal(err)
	}
}

func TestPeerCountsOnlyWhatItDecrypts(t *testing.T) {
	for _, profile := range []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80} {
		r, p, server, keys := connected(t, profile)
		for _, number := range []uint16{1, 2, 4, 5} { // 3 is lost on the way
			server.sendMarked(keys, number, false)
		}
		server.sendMarked(keys, 6, true)
		server.sendMarked(keys, 7, false)
		deadline := time.Now().Add(10 * time.Second)
		for heard := uint64(0); heard < 5; {
			if time.Now().After(deadline) {
				t.Fatalf("%v: %d packets came", profile, heard)
			}
			time.Sleep(time.Millisecond)
			r.mu.Lock()
			heard = p.heard.packets
			r.mu.Unlock()
		}
		r.mu.Lock()
		byRtp, byMark := p.heard.lost()
		if p.heard.packets != 5 || p.heard.refused != 1 || byRtp != 2 || byMark != 2 || r.delays.count != 5 || p.heard.unmarked != 0 {
			t.Errorf("%v: %+v, lost %d and %d, %d delays", profile, p.heard, byRtp, byMark, r.delays.count)
		}
		if r.delays.maxNs <= 0 {
			t.Errorf("%v: no packet arrives before it is sent, and none in no time", profile)
		}
		r.mu.Unlock()
		p.close(r)
	}
}

func TestPeerRefusesACertificateThatTheAnswerDidNotName(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	server := newLiteServer(t, dtls.SRTP_AEAD_AES_128_GCM)
	r, err := newReader()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.run() }()
	go func() { _, _ = server.accept(ctx) }()
	other := sha256.Sum256([]byte("another certificate"))
	pairs := make([]string, len(other))
	for i, b := range other {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	answer := strings.Replace(server.answer(), server.identity.fingerprint, strings.Join(pairs, ":"), 1)
	p := newPeer(server.identity, listening, 1)
	defer p.close(r)
	if err := p.connect(ctx, r, answer); err == nil || !strings.Contains(err.Error(), "not the one its answer names") {
		t.Fatalf("got %v", err)
	}
}

func TestPeerGivesUpWhenNobodyAnswersItsChecks(t *testing.T) {
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r, err := newReader()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	server := &liteServer{conn: silent, password: "a-password-of-22-chars"}
	if server.identity, err = newIdentity(); err != nil {
		t.Fatal(err)
	}
	p := newPeer(server.identity, listening, 1)
	defer p.close(r)
	if err := p.connect(ctx, r, server.answer()); err == nil || err.Error() != "no answer to ICE checks" {
		t.Fatalf("got %v", err)
	}
}

func BenchmarkDecryptAndCount(b *testing.B) {
	keys, salt := make([]byte, 16), make([]byte, 12)
	out, err := srtp.CreateContext(keys, salt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		b.Fatal(err)
	}
	in, err := srtp.CreateContext(keys, salt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		b.Fatal(err)
	}
	r, err := newReader()
	if err != nil {
		b.Fatal(err)
	}
	p := &peer{inbound: in, heardFirst: make(chan struct{})}
	packets := make([][]byte, b.N)
	for i := range packets {
		payload := appendMarked(nil, make([]byte, 80), mark{number: uint32(i)})
		plain, _ := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: uint16(i), SSRC: 7, CSRC: []uint32{9}}, Payload: payload}).Marshal()
		if packets[i], err = out.EncryptRTP(nil, plain, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, packet := range packets {
		p.receive(r, packet, 0)
	}
	if p.heard.packets != uint64(b.N) {
		b.Fatalf("%d of %d", p.heard.packets, b.N)
	}
}
