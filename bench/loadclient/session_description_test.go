package main

import (
	"strings"
	"testing"
)

const goodAnswer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n" +
	"m=audio 8004 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 127.0.0.1\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" +
	"a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n" +
	"a=setup:passive\r\na=extmap:4 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n" +
	"a=candidate:1 1 tcp 2130706431 127.0.0.1 8004 typ host tcptype passive\r\n" +
	"a=candidate:2 1 udp 2130706431 ::1 8004 typ host\r\n" +
	"a=candidate:3 1 udp 2130706431 192.0.2.7 8004 typ host\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:other\r\n"

func TestAnswerGivesTransportOfTheFirstSection(t *testing.T) {
	answer, err := parseAnswer(goodAnswer)
	if err != nil {
		t.Fatal(err)
	}
	if answer.ufrag != "abcd" || answer.password != "0123456789012345678901" || answer.address.String() != "192.0.2.7:8004" {
		t.Errorf("%+v", answer)
	}
	if answer.payloadType != 96 || answer.levelExtension != 4 || answer.fingerprint[31] != 0x1f {
		t.Errorf("%+v", answer)
	}
}

func TestUnusableAnswersAreNamed(t *testing.T) {
	for want, change := range map[string][2]string{
		"refused the first media section": {"m=audio 8004", "m=audio 0"},
		"no ICE credentials":              {"a=ice-pwd:0123456789012345678901\r\n", ""},
		"no SHA-256 fingerprint":          {"a=fingerprint:sha-256", "a=fingerprint:sha-1"},
		"no UDP host candidate":           {"192.0.2.7", "host.local"},
		"must be passive":                 {"a=setup:passive", "a=setup:active"},
		"is not SDP":                      {"t=0 0", "hello"},
	} {
		_, err := parseAnswer(strings.Replace(goodAnswer, change[0], change[1], 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestOfferHasASectionPerSlotOnOneTransport(t *testing.T) {
	sdp := offer(listening, 3, "ufrag", "password", "AA:BB", 5)
	if strings.Count(sdp, "m=audio ") != 3 || !strings.Contains(sdp, "a=group:BUNDLE 0 1 2\r\n") || strings.Count(sdp, "a=recvonly") != 3 {
		t.Errorf("%s", sdp)
	}
	if strings.Contains(sdp, "a=candidate") || strings.Contains(sdp, "a=ssrc") {
		t.Errorf("a listener offers neither candidates nor sources:\n%s", sdp)
	}
	if !strings.Contains(offer(speaking, 1, "ufrag", "password", "AA:BB", 5), "a=sendonly\r\n") {
		t.Error("a speaker's section is sendonly")
	}
}
