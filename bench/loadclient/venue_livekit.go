package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// liveKit is a room on a LiveKit server, entered over its WHIP endpoint. That takes one request a person and leaves no WebSocket behind,
// so that a window holds the forwarding alone, as it does for the other servers. A listener names the speaker's track in a header
// and finds it in the answer (pkg/service/whipservice.go of livekit-server).
type liveKit struct {
	reader   *reader
	identity identity
	client   *http.Client
	base     string
	key      string
	secret   string
	entered  atomic.Uint32
}

const (
	liveKitRoom    = "rivers"
	liveKitSpeaker = "speaker"
	// liveKitTrack is what the server calls an audio track that came by WHIP.
	liveKitTrack = "synthesized-microphone"
)

func (l *liveKit) enterSpeaker(ctx context.Context) (talker, error) {
	grants := map[string]any{"canPublish": true, "canSubscribe": false}
	return l.enter(ctx, speaking, liveKitSpeaker, grants, nil)
}

func (l *liveKit) enterListener(ctx context.Context) (attendee, error) {
	// Hidden participants are not announced to all the others: a quadratic cost at joining that this comparison does not need.
	grants := map[string]any{"canPublish": false, "canSubscribe": true, "hidden": true}
	tracks := map[string]any{"subscribedParticipantTrackNames": map[string][]string{liveKitSpeaker: {liveKitTrack}}}
	return l.enter(ctx, listening, fmt.Sprintf("listener-%d", l.entered.Add(1)), grants, tracks)
}

func (l *liveKit) enter(ctx context.Context, d direction, who string, grants, tracks map[string]any) (*peer, error) {
	p := newPeer(l.identity, d, 1)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.base+"/whip/v1", bytes.NewReader([]byte(p.offer())))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/sdp")
	request.Header.Set("Authorization", "Bearer "+accessToken(l.key, l.secret, who, liveKitRoom, grants, time.Now()))
	if tracks != nil {
		encoded, err := json.Marshal(tracks)
		if err != nil {
			return nil, err
		}
		request.Header.Set("X-LiveKit-ClientInfo", string(encoded))
	}
	response, err := l.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("WHIP: %d %s", response.StatusCode, answer[:min(len(answer), 200)])
	}
	if err := p.connect(ctx, l.reader, string(answer)); err != nil {
		p.close(l.reader)
		return nil, err
	}
	return p, nil
}

func (l *liveKit) leave(context.Context) error { return nil }

// accessToken is a JSON Web Token (RFC 7519, HS256) with LiveKit's grants.
func accessToken(key, secret, who, room string, grants map[string]any, now time.Time) string {
	video := map[string]any{"roomJoin": true, "room": room}
	for name, value := range grants {
		video[name] = value
	}
	part := func(value any) string {
		encoded, err := json.Marshal(value)
		if err != nil {
			panic(err) // maps of strings and booleans always encode
		}
		return base64.RawURLEncoding.EncodeToString(encoded)
	}
	claims := map[string]any{"iss": key, "sub": who, "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(), "video": video}
	signed := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(claims)
	signature := hmac.New(sha256.New, []byte(secret))
	signature.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature.Sum(nil))
}
