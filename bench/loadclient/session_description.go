package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// opusPayloadType and levelExtension are ours to choose: the offerer numbers both (RFC 3264, RFC 8285).
const (
	opusPayloadType = 111
	levelExtension  = 1
)

type direction string

const (
	listening direction = "recvonly"
	speaking  direction = "sendonly"
)

// offer writes the SDP of a client that needs no candidates: the server is ICE-lite and learns our address from our checks.
func offer(d direction, slots int, ufrag, password, fingerprint string, ssrc uint32) string {
	var b strings.Builder
	line := func(format string, arguments ...any) { fmt.Fprintf(&b, format+"\r\n", arguments...) }
	line("v=0")
	line("o=- %d 1 IN IP4 0.0.0.0", uint64(ssrc)+1)
	line("s=-")
	line("t=0 0")
	mids := make([]string, slots)
	for i := range mids {
		mids[i] = strconv.Itoa(i)
	}
	line("a=group:BUNDLE %s", strings.Join(mids, " "))
	line("a=msid-semantic: WMS *")
	for _, mid := range mids {
		line("m=audio 9 UDP/TLS/RTP/SAVPF %d", opusPayloadType)
		line("c=IN IP4 0.0.0.0")
		line("a=mid:%s", mid)
		line("a=%s", d)
		line("a=rtcp-mux")
		line("a=ice-ufrag:%s", ufrag)
		line("a=ice-pwd:%s", password)
		line("a=ice-options:trickle")
		line("a=fingerprint:sha-256 %s", fingerprint)
		line("a=setup:active")
		line("a=rtpmap:%d opus/48000/2", opusPayloadType)
		line("a=fmtp:%d minptime=10;useinbandfec=1", opusPayloadType)
		line("a=extmap:%d urn:ietf:params:rtp-hdrext:ssrc-audio-level", levelExtension)
		if d == speaking {
			line("a=msid:speech speech-%s", mid)
			line("a=ssrc:%d cname:loadclient", ssrc)
		}
	}
	return b.String()
}

// answerDescription is what a client needs of the server's answer.
type answerDescription struct {
	ufrag, password string
	fingerprint     []byte // SHA-256 of the server's certificate
	address         netip.AddrPort
	payloadType     uint8
	levelExtension  uint8 // 0 if the server does not want audio levels
}

// parseAnswer reads the first media section, which carries the bundle's transport (RFC 9143), and the session level above it.
func parseAnswer(sdp string) (answerDescription, error) {
	answer := answerDescription{payloadType: opusPayloadType}
	var sections, candidates int
	for _, line := range strings.FieldsFunc(sdp, func(r rune) bool { return r == '\r' || r == '\n' }) {
		kind, value, found := strings.Cut(line, "=")
		if !found {
			return answer, fmt.Errorf("answer line %q is not SDP", line)
		}
		if kind == "m" {
			sections++
			fields := strings.Fields(value)
			if sections == 1 {
				if len(fields) < 4 || fields[1] == "0" {
					return answer, errors.New("the server refused the first media section")
				}
				payloadType, err := strconv.ParseUint(fields[3], 10, 7)
				if err != nil {
					return answer, fmt.Errorf("payload type: %w", err)
				}
				answer.payloadType = uint8(payloadType)
			}
		}
		if kind != "a" || sections > 1 {
			continue
		}
		name, value, _ := strings.Cut(value, ":")
		switch name {
		case "ice-ufrag":
			answer.ufrag = value
		case "ice-pwd":
			answer.password = value
		case "fingerprint":
			algorithm, digest, _ := strings.Cut(value, " ")
			if !strings.EqualFold(algorithm, "sha-256") {
				continue
			}
			bytes, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(digest), ":", ""))
			if err != nil {
				return answer, fmt.Errorf("fingerprint: %w", err)
			}
			answer.fingerprint = bytes
		case "setup":
			if value != "passive" {
				return answer, fmt.Errorf("the server wants to be %q in DTLS; it must be passive", value)
			}
		case "extmap":
			id, uri, _ := strings.Cut(value, " ")
			if strings.HasPrefix(uri, "urn:ietf:params:rtp-hdrext:ssrc-audio-level") {
				number, _, _ := strings.Cut(id, "/")
				extension, err := strconv.ParseUint(number, 10, 4)
				if err != nil {
					return answer, fmt.Errorf("extmap: %w", err)
				}
				answer.levelExtension = uint8(extension)
			}
		case "candidate":
			address, ok := hostCandidate(value)
			// Several addresses are ways to the same server: the first that is ours to use does.
			if ok && candidates == 0 {
				answer.address = address
				candidates++
			}
		}
	}
	switch {
	case answer.ufrag == "" || answer.password == "":
		return answer, errors.New("the answer has no ICE credentials")
	case len(answer.fingerprint) != 32:
		return answer, errors.New("the answer has no SHA-256 fingerprint")
	case candidates == 0:
		return answer, errors.New("the answer has no UDP host candidate over IPv4")
	}
	return answer, nil
}

// hostCandidate reads `foundation component protocol priority address port typ host …` (RFC 8839 section 5.1).
func hostCandidate(value string) (netip.AddrPort, bool) {
	fields := strings.Fields(value)
	if len(fields) < 8 || !strings.EqualFold(fields[2], "udp") || fields[1] != "1" || fields[7] != "host" {
		return netip.AddrPort{}, false
	}
	address, err := netip.ParseAddr(fields[4])
	if err != nil || !address.Is4() {
		return netip.AddrPort{}, false
	}
	port, err := strconv.ParseUint(fields[5], 10, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(address, uint16(port)), true
}
