package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// offeredAudio is what a listener needs of a server's offer beyond its transport.
type offeredAudio struct {
	mid string
	// media is the section's payload types and what describes them, of Opus alone.
	payloadType string
	fmtp        string
}

var opusMap = regexp.MustCompile(`(?i)^rtpmap:(\d+) opus/48000/2$`)

// parseOffer reads an offer with one audio section: the server's side of the transport, and the sound. The server offers
// actpass and we choose to be the DTLS client (RFC 8842).
func parseOffer(sdp string) (answerDescription, offeredAudio, error) {
	var audio offeredAudio
	sections := 0
	for _, line := range strings.FieldsFunc(sdp, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.HasPrefix(line, "m=") {
			sections++
			if !strings.HasPrefix(line, "m=audio ") {
				return answerDescription{}, audio, fmt.Errorf("%q in the offer: one audio section is all we take", line)
			}
		}
		attribute, isAttribute := strings.CutPrefix(line, "a=")
		if !isAttribute || sections == 0 {
			continue
		}
		if mid, ok := strings.CutPrefix(attribute, "mid:"); ok {
			audio.mid = mid
		}
		if opus := opusMap.FindStringSubmatch(attribute); opus != nil {
			audio.payloadType = opus[1]
		}
		if formats, ok := strings.CutPrefix(attribute, "fmtp:"+audio.payloadType+" "); ok && audio.payloadType != "" {
			audio.fmtp = formats
		}
	}
	if sections != 1 || audio.mid == "" || audio.payloadType == "" {
		return answerDescription{}, audio, errors.New("the offer has not exactly one audio section with a mid and Opus")
	}
	// From here on it reads like an answer of a server that waits for our handshake.
	server, err := parseAnswer(strings.ReplaceAll(sdp, "a=setup:actpass", "a=setup:passive"))
	return server, audio, err
}

// answerTo takes a server's offer of sound, opens the socket, and writes the answer with our one candidate. After the server has it,
// establish connects. The server, as the offerer, is the controlling ICE agent.
func (p *peer) answerTo(r *reader, sdp string) (string, error) {
	server, audio, err := parseOffer(sdp)
	if err != nil {
		return "", err
	}
	p.answer, p.controlled = server, true
	if err := p.bind(r); err != nil {
		return "", err
	}
	local, err := unix.Getsockname(p.fd)
	if err != nil {
		return "", fmt.Errorf("getsockname: %w", err)
	}
	bound, isIPv4 := local.(*unix.SockaddrInet4)
	if !isIPv4 {
		return "", errors.New("the socket is not one of IPv4")
	}
	// The server is on this machine: what it calls its address is ours too.
	return answer(audio, p.ufrag, p.password, p.identity.fingerprint, netip.AddrPortFrom(server.address.Addr(), uint16(bound.Port))), nil
}

func answer(audio offeredAudio, ufrag, password, fingerprint string, at netip.AddrPort) string {
	var b strings.Builder
	line := func(format string, arguments ...any) { fmt.Fprintf(&b, format+"\r\n", arguments...) }
	line("v=0")
	line("o=- 1 1 IN IP4 0.0.0.0")
	line("s=-")
	line("t=0 0")
	line("a=group:BUNDLE %s", audio.mid)
	line("a=msid-semantic: WMS *")
	line("m=audio 9 UDP/TLS/RTP/SAVPF %s", audio.payloadType)
	line("c=IN IP4 0.0.0.0")
	line("a=mid:%s", audio.mid)
	line("a=%s", listening)
	line("a=rtcp-mux")
	line("a=ice-ufrag:%s", ufrag)
	line("a=ice-pwd:%s", password)
	line("a=fingerprint:sha-256 %s", fingerprint)
	line("a=setup:active")
	line("a=rtpmap:%s opus/48000/2", audio.payloadType)
	if audio.fmtp != "" {
		line("a=fmtp:%s %s", audio.payloadType, audio.fmtp)
	}
	line("a=candidate:1 1 udp 2130706431 %s %d typ host", at.Addr(), at.Port())
	line("a=end-of-candidates")
	return b.String()
}

// connectTo answers the server's offer: deliver hands our answer over.
func (p *peer) connectTo(ctx context.Context, r *reader, sdp string, deliver func(answer string) error) error {
	text, err := p.answerTo(r, sdp)
	if err != nil {
		return err
	}
	if err := deliver(text); err != nil {
		return err
	}
	return p.establish(ctx, r)
}
