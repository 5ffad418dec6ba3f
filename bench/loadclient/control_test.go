package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const testKey = "0123456789abcdef0123456789abcdef"

func TestGrantIsSignedAsTheServerSignsIt(t *testing.T) {
	grant := map[string]any{
		"id": "a", "session": "b", "room": "c", "person": "d", "face": nil, "direction": "listen", "epoch": 0, "expires": 1_800_000_000,
	}
	// By salon/common/signing.py, with the same key.
	const want = "eyJkaXJlY3Rpb24iOiJsaXN0ZW4iLCJlcG9jaCI6MCwiZXhwaXJlcyI6MTgwMDAwMDAwMCwiZmFjZSI6bnVsbCwiaWQiOiJhIiwicGVyc29uIjoiZCIs" +
		"InJvb20iOiJjIiwic2Vzc2lvbiI6ImIifQ.xRizKHYsiW7dHVl69RAIsj7woOKqrnz8r5M2Y4zydh8"
	if got, err := signGrant(testKey, grant); err != nil || got != want {
		t.Errorf("%v, %s", err, got)
	}
	if got := derivedSecret(testKey, "internal"); got != "35d44e7808ffbf00911604e32f539d0784635fc73711aa1d17c68e54779541f1" {
		t.Errorf("the internal secret is %s", got)
	}
}

func TestIdsLookLikeTheServers(t *testing.T) {
	id := newID()
	if len(id) != 26 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" || id == newID() {
		t.Errorf("%q", id)
	}
}

// controlPort answers as the media process does, and remembers what it was asked.
func controlPort(t *testing.T, status int, answer string) (*control, *[]map[string]any) {
	var asked []map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/sessions" || r.Header.Get("X-Salon-Internal") != derivedSecret(testKey, "internal") {
			t.Errorf("%s with secret %q", r.URL.Path, r.Header.Get("X-Salon-Internal"))
		}
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		asked = append(asked, body)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	return &control{base: server.URL, client: server.Client(), secretKey: testKey}, &asked
}

func TestGuestComesWithGrantAndPolicy(t *testing.T) {
	c, asked := controlPort(t, 201, `{"session": "s", "answer": "v=0", "etag": "e"}`)
	room := invented(2)
	speaker := &guest{c, room, room.Speakers[1].Person}
	answer, location, err := speaker.open(context.Background(), room.Room, speaking, "an offer")
	if err != nil || answer != "v=0" || location != "/sessions/s" {
		t.Fatalf("%q, %q, %v", answer, location, err)
	}
	body := (*asked)[0]
	encoded, _, _ := strings.Cut(body["grant"].(string), ".")
	plain, _ := base64.RawURLEncoding.DecodeString(encoded)
	var grant map[string]any
	if err := json.Unmarshal(plain, &grant); err != nil {
		t.Fatal(err)
	}
	told := body["policy"].(map[string]any)
	if grant["room"] != room.Room || grant["person"] != room.Speakers[1].Person || grant["direction"] != "speak" || body["offer"] != "an offer" {
		t.Errorf("grant %v, offer %v", grant, body["offer"])
	}
	if told["room"] != room.Room || told["phase"] != "live" || len(told["speakers"].([]any)) != 2 {
		t.Errorf("policy %v", told)
	}
}

func TestRefusalOfTheControlPortIsOne(t *testing.T) {
	c, _ := controlPort(t, 429, `{"code": "too_many_requests", "message": "Too many."}`)
	_, _, err := (&guest{c, invented(1), newID()}).open(context.Background(), "", listening, "")
	if err == nil || err.Error() != "listen: 429 too_many_requests: Too many." {
		t.Errorf("%v", err)
	}
}

func TestRoomIsOverOnceItsGrantsAreRefused(t *testing.T) {
	room := invented(1)
	c, asked := controlPort(t, 403, `{"code": "grant_refused", "message": "No."}`)
	if err := c.end(context.Background(), room); err != nil {
		t.Fatal(err)
	}
	if told := (*asked)[0]["policy"].(map[string]any); told["phase"] != "ended" || told["version"] != 2.0 {
		t.Errorf("policy %v", told)
	}
	c, _ = controlPort(t, 201, `{"answer": "v=0"}`)
	if err := c.end(context.Background(), room); err == nil {
		t.Error("a room that still lets somebody in has not ended")
	}
}
