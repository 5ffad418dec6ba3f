package main

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
)

func TestWindowIsTheDifferenceOfTwoTallies(t *testing.T) {
	began := time.Now()
	before := tally{at: began, said: 10, bytes: 1000, lost: 3, refused: 1, unmarked: 2, packets: []uint64{5, 7, 9}, processSecs: 1.5}
	after := tally{at: began.Add(2 * time.Second), said: 110, bytes: 26000, lost: 2, refused: 4, unmarked: 7, packets: []uint64{105, 7, 99}, processSecs: 1.75}
	delays := new(delayCount)
	delays.add(400_000)
	got := between(before, after, delays)
	want := comparedWindow{
		Kind: "window", Seconds: 2, Said: 100, Listeners: 3, Heard: 2, Packets: 190, Fewest: 0, Bytes: 25000,
		Lost: -1, Undecryptable: 3, Unmarked: 5, DelayP50Ms: 0.4, DelayP99Ms: 0.4, ClientCPU: 0.25,
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestWindowCommand(t *testing.T) {
	settle, length, err := parseWindow("window 500ms 4s")
	if err != nil || settle != 500*time.Millisecond || length != 4*time.Second {
		t.Errorf("got %v, %v, %v", settle, length, err)
	}
	for _, line := range []string{"", "window 4s", "window 4 5", "close 1s 1s"} {
		if _, _, err := parseWindow(line); err == nil {
			t.Errorf("%q is taken for a command", line)
		}
	}
}

const offeredSound = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.7\r\na=sendonly\r\na=mid:a\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n" +
	"a=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n" +
	"a=fingerprint:sha-256 " + "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=candidate:1 1 udp 2013266431 192.0.2.7 40000 typ host\r\n"

func TestOfferOfOneAudioSection(t *testing.T) {
	server, audio, err := parseOffer(offeredSound)
	if err != nil {
		t.Fatal(err)
	}
	if audio != (offeredAudio{mid: "a", payloadType: "111", fmtp: "useinbandfec=1"}) {
		t.Errorf("audio: %+v", audio)
	}
	if server.ufrag != "abcd" || server.payloadType != 111 || server.address.String() != "192.0.2.7:40000" {
		t.Errorf("server: %+v", server)
	}
	text := answer(audio, "our", "secret", "AA:BB", server.address)
	for _, line := range []string{"m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:a", "a=recvonly", "a=setup:active", "a=fmtp:111 useinbandfec=1",
		"a=candidate:1 1 udp 2130706431 192.0.2.7 40000 typ host"} {
		if !strings.Contains(text, line+"\r\n") {
			t.Errorf("the answer lacks %q:\n%s", line, text)
		}
	}
}

func TestOfferThatIsNotOneAudioSectionIsRefused(t *testing.T) {
	for name, sdp := range map[string]string{
		"two sections": offeredSound + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:b\r\n",
		"video":        strings.Replace(offeredSound, "m=audio", "m=video", 1),
		"no Opus":      strings.Replace(offeredSound, "opus/48000/2", "PCMU/8000", 1),
		"no mid":       strings.Replace(offeredSound, "a=mid:a\r\n", "", 1),
		"no candidate": strings.Replace(offeredSound, "a=candidate", "a=other", 1),
		"empty":        "",
	} {
		if _, _, err := parseOffer(sdp); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestProtobufComesBackAsItWent(t *testing.T) {
	message := appendVarintField(nil, 1, 66052)
	message = appendBytesField(message, 3, []byte("rivers"))
	message = append(message, 4<<3|wire32, 1, 2, 3, 4)             // skipped
	message = append(message, 5<<3|wire64, 1, 2, 3, 4, 5, 6, 7, 8) // skipped
	message = appendBytesField(message, 200, nil)
	// 66052 is 0x10204: seven bits at a time, the lowest first.
	if start := []byte{0x08, 0x84, 0x84, 0x04, 0x1a, 0x06, 'r'}; !bytes.HasPrefix(message, start) {
		t.Errorf("the message begins with % x", message[:7])
	}
	fields, err := parseProtobuf(message)
	want := []protobufField{{number: 1, value: 66052}, {number: 3, bytes: []byte("rivers")}, {number: 200, bytes: []byte{}}}
	if err != nil || !reflect.DeepEqual(fields, want) {
		t.Errorf("got %+v, %v", fields, err)
	}
	for _, cut := range []int{1, 2, 5, 8, 11, 14, 18, 23} {
		if _, err := parseProtobuf(message[:cut]); err == nil {
			t.Errorf("the first %d bytes are taken for a message", cut)
		}
	}
	if _, err := parseProtobuf([]byte{1<<3 | 3}); err == nil {
		t.Error("a group is taken for a field")
	}
}

func TestControlMessagesAreFramed(t *testing.T) {
	framed := appendControl(nil, mumblePing, []byte{8, 1})
	if want := []byte{0, 3, 0, 0, 0, 2, 8, 1}; !bytes.Equal(framed, want) {
		t.Fatalf("got % x", framed)
	}
	kind, message, err := readControl(bytes.NewReader(framed))
	if err != nil || kind != mumblePing || !bytes.Equal(message, []byte{8, 1}) {
		t.Errorf("got %d, % x, %v", kind, message, err)
	}
	if _, _, err := readControl(bytes.NewReader([]byte{0, 3, 1, 0, 0, 0})); err == nil {
		t.Error("a message of 16 MiB is read")
	}
	if _, _, err := readControl(bytes.NewReader(framed[:7])); err == nil {
		t.Error("a message without its end is read")
	}
}

func TestMumbleNumbers(t *testing.T) {
	for value, want := range map[uint64][]byte{
		0: {0}, 127: {0x7f}, 128: {0x80, 0x80}, 16383: {0xbf, 0xff}, 16384: {0xc0, 0x40, 0x00}, 1<<21 - 1: {0xdf, 0xff, 0xff},
		1 << 21: {0xe0, 0x20, 0, 0}, 1 << 28: {0xf0, 0x10, 0, 0, 0}, 1 << 32: {0xf4, 0, 0, 0, 1, 0, 0, 0, 0},
	} {
		if got := appendMumbleNumber(nil, value); !bytes.Equal(got, want) {
			t.Errorf("%d: % x, not % x", value, got, want)
		}
	}
}

func TestAccessTokenIsSigned(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	token := accessToken("bench", "secret", "speaker", "rivers", map[string]any{"canPublish": true}, at)
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] != "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" {
		t.Fatalf("not a token of HS256: %s", token)
	}
	if other := accessToken("bench", "other", "speaker", "rivers", map[string]any{"canPublish": true}, at); other == token {
		t.Error("another secret signs alike")
	}
}

func TestMediasoupTransport(t *testing.T) {
	var transport mediasoupTransport
	transport.ICEParameters.UsernameFragment, transport.ICEParameters.Password = "abcd", "secret"
	transport.ICECandidates = append(transport.ICECandidates, struct {
		IP       string `json:"ip"`
		Port     uint16 `json:"port"`
		Protocol string `json:"protocol"`
	}{"127.0.0.1", 40000, "udp"})
	if _, err := transport.description(); err == nil {
		t.Error("a transport without a fingerprint is taken")
	}
	transport.DTLSParameters.Fingerprints = append(transport.DTLSParameters.Fingerprints, struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"value"`
	}{"sha-256", strings.Repeat("AB:", 31) + "AB"})
	d, err := transport.description()
	if err != nil || d.address.String() != "127.0.0.1:40000" || len(d.fingerprint) != 32 || d.fingerprint[0] != 0xab {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestPayloadIsWhatIsNeitherHeaderNorPadding(t *testing.T) {
	sound := []byte{0x78, 2, 3}
	plainHeader := func(first byte) []byte { return append([]byte{first, 111}, make([]byte, 10)...) }
	extension := []byte{0xbe, 0xde, 0, 3, 0x10, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} // one byte of three words is used
	for name, c := range map[string]struct {
		packet []byte
		want   []byte
	}{
		"bare":                {append(plainHeader(0x80), sound...), sound},
		"two sources":         {append(append(plainHeader(0x82), make([]byte, 8)...), sound...), sound},
		"roomy extension":     {append(append(plainHeader(0x90), extension...), sound...), sound},
		"padded":              {append(append(plainHeader(0xa0), sound...), 0, 0, 3), sound},
		"all of it":           {append(append(append(plainHeader(0xb1), 1, 2, 3, 4), extension...), append(sound, 1)...), sound},
		"padding beyond it":   {append(plainHeader(0xa0), 1, 2, 99), nil},
		"nothing but padding": {append(plainHeader(0xa0), 0, 2), []byte{}},
	} {
		var header rtp.Header
		if _, err := header.Unmarshal(c.packet); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := payloadOf(&header, c.packet); !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, not % x", name, got, c.want)
		}
	}
}
