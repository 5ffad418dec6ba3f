package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// refusal is an answer of the server that says no; see docs/protocol.md section 8.
type refusal struct {
	Status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Message) }

func readRefusal(status int, answer []byte) *refusal {
	refused := &refusal{Status: status}
	if json.Unmarshal(answer, refused) != nil || refused.Code == "" {
		refused.Code, refused.Message = "unreadable", strings.TrimSpace(string(answer[:min(len(answer), 200)]))
	}
	return refused
}

// account is who asks: a person with a token, or a visitor who keeps the cookie that the server gave.
type account struct {
	base    string
	client  *http.Client
	token   string
	visitor string
	// address is where the server shall believe the request comes from: a crowd has many addresses, and limits count by them.
	// We are to it what a reverse proxy on its own machine is, which it trusts by default.
	address string
}

// visitors counts them, so that each gets an address of its own.
var visitors atomic.Uint32

// newVisitor is somebody without an account, from an address that nobody else has (198.18.0.0/15 is for benchmarks, RFC 2544).
func newVisitor(base string, client *http.Client) *account {
	number := visitors.Add(1)
	return &account{base: base, client: client, address: fmt.Sprintf("198.%d.%d.%d", 18+number>>16&1, number>>8&255, number&255)}
}

func newHTTPClient() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 256,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		},
	}
}

// ask sends a request and returns the response with its body read. Raises *refusal on any status above 299.
func (a *account) ask(ctx context.Context, method, path, contentType string, body []byte) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	if a.visitor != "" {
		request.AddCookie(&http.Cookie{Name: "visitor", Value: a.visitor})
	}
	if a.address != "" {
		request.Header.Set("X-Forwarded-For", a.address)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return nil, nil, err
	}
	for _, cookie := range response.Cookies() {
		if cookie.Name == "visitor" {
			a.visitor = cookie.Value
		}
	}
	if response.StatusCode > 299 {
		return nil, nil, readRefusal(response.StatusCode, answer)
	}
	return response, answer, nil
}

// askJSON sends a JSON body (nil for none) and reads a JSON answer into result (nil to ignore it).
func (a *account) askJSON(ctx context.Context, method, path string, body, result any) error {
	var encoded []byte
	contentType := ""
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return err
		}
		contentType = "application/json"
	}
	_, answer, err := a.ask(ctx, method, path, contentType, encoded)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// command sends one of the protocol's commands on a room.
func (a *account) command(ctx context.Context, room, name string, fields map[string]any) error {
	return a.askJSON(ctx, http.MethodPost, "/api/v1/rooms/"+room+"/"+name, fields, nil)
}

// personID is the account's own id. Raises for visitors.
func (a *account) personID(ctx context.Context) (string, error) {
	var me struct {
		Person *struct {
			ID string `json:"id"`
		} `json:"person"`
	}
	if err := a.askJSON(ctx, http.MethodGet, "/api/v1/me", nil, &me); err != nil {
		return "", err
	}
	if me.Person == nil {
		return "", errors.New("GET /api/v1/me: the token belongs to nobody")
	}
	return me.Person.ID, nil
}

// handle is the account's own.
func (a *account) handle(ctx context.Context) (string, error) {
	var me struct {
		Person *struct {
			Handle string `json:"handle"`
		} `json:"person"`
	}
	if err := a.askJSON(ctx, http.MethodGet, "/api/v1/me", nil, &me); err != nil {
		return "", err
	}
	if me.Person == nil {
		return "", errors.New("GET /api/v1/me: the token belongs to nobody")
	}
	return me.Person.Handle, nil
}

// restart asks for an ICE restart of a session (RFC 9725 section 4.3.2).
func (a *account) restart(ctx context.Context, location, fragment string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, a.base+location, strings.NewReader(fragment))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/trickle-ice-sdpfrag")
	request.Header.Set("If-Match", "*")
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode > 299 {
		return &refusal{Status: response.StatusCode, Code: "refused"}
	}
	return nil
}

// exchange posts an offer (WHIP for speaking, WHEP for listening) and returns the answer's SDP.
func (a *account) exchange(ctx context.Context, room string, d direction, offer string) (string, error) {
	answer, _, err := a.open(ctx, room, d, offer)
	return answer, err
}

// open posts an offer and returns the answer's SDP and the session's path.
func (a *account) open(ctx context.Context, room string, d direction, offer string) (answerSdp, location string, err error) {
	verb := "listen"
	if d == speaking {
		verb = "speak"
	}
	response, answer, err := a.ask(ctx, http.MethodPost, "/api/v1/rooms/"+room+"/"+verb, "application/sdp", []byte(offer))
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", verb, err)
	}
	if response.StatusCode != http.StatusCreated || response.Header.Get("Location") == "" {
		return "", "", fmt.Errorf("%s: expected 201 with a Location, got %d", verb, response.StatusCode)
	}
	return string(answer), response.Header.Get("Location"), nil
}
