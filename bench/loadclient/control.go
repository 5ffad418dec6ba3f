package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// control is the media process's control port, asked without a web process between (docs/subsystems/processes.md): who holds the
// installation's secret key can sign the grants that web signs. What is measured so is the media process alone.
type control struct {
	base      string
	client    *http.Client
	secretKey string
}

// grantLife is shorter than the 60 s that the media process accepts at most.
const grantLife = 30 * time.Second

func newControl(base, secretKeyFile string) (*control, error) {
	key, err := os.ReadFile(secretKeyFile)
	if err != nil {
		return nil, err
	}
	return &control{base: strings.TrimRight(base, "/"), client: newHTTPClient(), secretKey: strings.TrimSpace(string(key))}, nil
}

// policySpeaker and policy are what the media process must know of a room.
type policySpeaker struct {
	Person string `json:"person"`
	Csrc   uint32 `json:"csrc"`
	Muted  bool   `json:"muted"`
}

type policy struct {
	Room     string          `json:"room"`
	Version  int             `json:"version"`
	Phase    string          `json:"phase"`
	Speakers []policySpeaker `json:"speakers"`
	Epochs   map[string]int  `json:"epochs"`
}

// invented is a room that only the media process has heard of, with so many people on its stage.
func invented(speakers int) *policy {
	p := &policy{Room: newID(), Version: 1, Phase: "live", Speakers: []policySpeaker{}, Epochs: map[string]int{}}
	for i := range speakers {
		p.Speakers = append(p.Speakers, policySpeaker{Person: newID(), Csrc: uint32(i + 1)})
	}
	return p
}

// guest is somebody whom no database knows, with a grant of our own for one room.
type guest struct {
	control *control
	policy  *policy
	person  string
}

func (g *guest) open(ctx context.Context, _ string, d direction, offer string) (answerSdp, location string, err error) {
	way := "listen"
	if d == speaking {
		way = "speak"
	}
	grant, err := signGrant(g.control.secretKey, map[string]any{
		"id": newID(), "session": newID(), "room": g.policy.Room, "person": g.person, "face": nil,
		"direction": way, "epoch": 0, "expires": time.Now().Add(grantLife).Unix(),
	})
	if err != nil {
		return "", "", err
	}
	var opened struct {
		Session string `json:"session"`
		Answer  string `json:"answer"`
	}
	err = g.control.ask(ctx, "/sessions", map[string]any{"grant": grant, "offer": offer, "policy": g.policy}, &opened)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", way, err)
	}
	return opened.Answer, "/sessions/" + opened.Session, nil
}

// end closes an invented room at the media process: a newer policy says that it is over. No grant can open a session there any more,
// and the refusal of this one is what is expected.
func (c *control) end(ctx context.Context, p *policy) error {
	over := &policy{Room: p.Room, Version: p.Version + 1, Phase: "ended", Speakers: []policySpeaker{}, Epochs: map[string]int{}}
	_, _, err := (&guest{c, over, newID()}).open(ctx, "", listening, "")
	var refused *refusal
	if errors.As(err, &refused) && refused.Code == "grant_refused" {
		return nil
	}
	return fmt.Errorf("ending %s: expected a refusal, got %v", p.Room, err)
}

// ask posts JSON and reads the answer into result. Raises *refusal on any status above 299.
func (c *control) ask(ctx context.Context, path string, body, result any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Salon-Internal", derivedSecret(c.secretKey, "internal"))
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode > 299 {
		return readRefusal(response.StatusCode, answer)
	}
	return json.Unmarshal(answer, result)
}

// signGrant writes BODY.SIGNATURE as salon/common/signing.py does: canonical JSON and its HMAC-SHA256, both base64url without padding.
func signGrant(secretKey string, grant map[string]any) (string, error) {
	canonical, err := json.Marshal(grant) // sorts the keys of a map, and leaves no spaces
	if err != nil {
		return "", err
	}
	body := base64.RawURLEncoding.EncodeToString(canonical)
	return body + "." + base64.RawURLEncoding.EncodeToString(mac(derivedSecret(secretKey, "grant"), body)), nil
}

// derivedSecret is a key for one purpose, as salon/config/environment.py derives it.
func derivedSecret(secretKey, purpose string) string {
	return hex.EncodeToString(mac(secretKey, purpose))
}

func mac(key, message string) []byte {
	digest := hmac.New(sha256.New, []byte(key))
	digest.Write([]byte(message))
	return digest.Sum(nil)
}

// newID is a public id: 128 random bits in lower-case base32.
func newID() string {
	random := make([]byte, 16)
	rand.Read(random)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random))
}
