package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
)

// mediasoup is one router behind bench/peers/mediasoup/server.mjs: mediasoup is a library and brings no signalling of its own.
type mediasoup struct {
	reader   *reader
	identity identity
	client   *http.Client
	base     string
}

// mediasoupTransport is what the script tells of the transport that it made for us.
type mediasoupTransport struct {
	ICEParameters struct {
		UsernameFragment string `json:"usernameFragment"`
		Password         string `json:"password"`
	} `json:"iceParameters"`
	ICECandidates []struct {
		IP       string `json:"ip"`
		Port     uint16 `json:"port"`
		Protocol string `json:"protocol"`
	} `json:"iceCandidates"`
	DTLSParameters struct {
		Fingerprints []struct {
			Algorithm string `json:"algorithm"`
			Value     string `json:"value"`
		} `json:"fingerprints"`
	} `json:"dtlsParameters"`
	PayloadType    uint8 `json:"payloadType"`
	LevelExtension uint8 `json:"levelExtension"`
}

func (m *mediasoup) enterSpeaker(ctx context.Context) (talker, error) { return m.enter(ctx, speaking) }
func (m *mediasoup) enterListener(ctx context.Context) (attendee, error) {
	return m.enter(ctx, listening)
}
func (m *mediasoup) leave(context.Context) error { return nil }

func (m *mediasoup) enter(ctx context.Context, d direction) (*peer, error) {
	p := newPeer(m.identity, d, 1)
	body, err := json.Marshal(map[string]any{
		"direction": d, "fingerprint": m.identity.fingerprint, "ssrc": p.ssrc,
		"payloadType": opusPayloadType, "levelExtension": levelExtension,
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.base+"/enter", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := m.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("enter: %d %s", response.StatusCode, answer[:min(len(answer), 200)])
	}
	var transport mediasoupTransport
	if err := json.Unmarshal(answer, &transport); err != nil {
		return nil, fmt.Errorf("enter: %w", err)
	}
	if p.answer, err = transport.description(); err != nil {
		return nil, err
	}
	err = p.bind(m.reader)
	if err == nil {
		err = p.establish(ctx, m.reader)
	}
	if err != nil {
		p.close(m.reader)
		return nil, err
	}
	return p, nil
}

func (t *mediasoupTransport) description() (answerDescription, error) {
	d := answerDescription{
		ufrag: t.ICEParameters.UsernameFragment, password: t.ICEParameters.Password,
		payloadType: t.PayloadType, levelExtension: t.LevelExtension,
	}
	for _, fingerprint := range t.DTLSParameters.Fingerprints {
		if fingerprint.Algorithm == "sha-256" {
			digest, err := hex.DecodeString(strings.ReplaceAll(fingerprint.Value, ":", ""))
			if err != nil {
				return d, fmt.Errorf("fingerprint: %w", err)
			}
			d.fingerprint = digest
		}
	}
	for _, candidate := range t.ICECandidates {
		address, err := netip.ParseAddr(candidate.IP)
		if err != nil {
			return d, fmt.Errorf("candidate: %w", err)
		}
		if candidate.Protocol == "udp" && address.Is4() {
			d.address = netip.AddrPortFrom(address, candidate.Port)
		}
	}
	if d.ufrag == "" || d.password == "" || len(d.fingerprint) != 32 || !d.address.IsValid() {
		return d, errors.New("the transport lacks ICE credentials, a SHA-256 fingerprint or a UDP candidate over IPv4")
	}
	return d, nil
}
