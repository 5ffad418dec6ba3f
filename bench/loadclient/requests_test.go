package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// recordingAPI answers everything with {} and notes what was asked; hands answers for the hand's commands.
type recordingAPI struct {
	mu    sync.Mutex
	asked []string
	hands func(command string) int
}

func (a *recordingAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.Method+" "+r.URL.Path)
	a.mu.Unlock()
	status := http.StatusOK
	if _, command, found := strings.Cut(r.URL.Path, "/rooms/room/"); found {
		status = a.hands(command)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"code":"too_many_requests","message":"Slower, please."}`))
}

func startAPI(t *testing.T, hands func(string) int) (*recordingAPI, []*caller) {
	t.Helper()
	api := &recordingAPI{hands: hands}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return api, []*caller{{account: &account{base: server.URL, client: server.Client(), token: "t"}}}
}

func TestMixIsSevenReadsOfTheRoomsTwoOfOneselfAndOneChange(t *testing.T) {
	api, callers := startAPI(t, func(string) int { return 200 })
	for number := range 20 {
		if err := callers[0].mixed(context.Background(), "room", number); err != nil {
			t.Fatal(err)
		}
	}
	counts := map[string]int{}
	for _, asked := range api.asked {
		counts[asked]++
	}
	want := map[string]int{
		"GET /api/v1/hallway": 8, "GET /api/v1/rooms/room": 6, "GET /api/v1/me": 4,
		"POST /api/v1/rooms/room/raise_hand": 1, "POST /api/v1/rooms/room/lower_hand": 1,
	}
	for asked, count := range want {
		if counts[asked] != count {
			t.Errorf("%s: %d times, want %d", asked, counts[asked], count)
		}
	}
	if len(counts) != len(want) {
		t.Errorf("%v", counts)
	}
}

func TestLevelEndsAtTheFirstRefusal(t *testing.T) {
	_, callers := startAPI(t, func(string) int { return 429 })
	_, err := level(context.Background(), callers, "room", 2, 10*time.Second)
	if err == nil || !strings.Contains(err.Error(), "429 too_many_requests: Slower, please.") {
		t.Fatalf("got %v", err)
	}
}

func TestLevelCountsEveryAnswer(t *testing.T) {
	api, callers := startAPI(t, func(string) int { return 200 })
	done, err := level(context.Background(), callers, "room", 3, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if done.AtOnce != 3 || done.Requests != len(api.asked) || done.P50Ms > done.P95Ms {
		t.Errorf("%+v with %d asked", done, len(api.asked))
	}
}

func TestLevelTakesCallersByTurns(t *testing.T) {
	api, callers := startAPI(t, func(string) int { return 200 })
	callers = append(callers, &caller{account: &account{base: callers[0].base, client: callers[0].client, token: "t"}})
	if _, err := level(context.Background(), callers, "room", 1, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	raised := 0
	for _, asked := range api.asked {
		if strings.HasSuffix(asked, "/raise_hand") {
			raised++
		}
		if strings.HasSuffix(asked, "/lower_hand") {
			break
		}
	}
	if raised != 2 {
		t.Errorf("%d of 2 people raised a hand before one lowered it", raised)
	}
}

func TestCommandIsRepeatedOnlyWhileNotInRoom(t *testing.T) {
	answers := []error{&refusal{Code: "not_in_room"}, &refusal{Code: "not_in_room"}, &refusal{Code: "hand_already_raised"}}
	tried := 0
	err := whileNotInRoom(func() error { tried++; return answers[tried-1] })
	if tried != 3 || err != answers[2] {
		t.Errorf("tried %d times, got %v", tried, err)
	}
}

func TestVisitorsHaveAddressesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 70_000 {
		address := newVisitor("", nil).address
		if !strings.HasPrefix(address, "198.18.") && !strings.HasPrefix(address, "198.19.") || seen[address] {
			t.Fatalf("%s", address)
		}
		seen[address] = true
	}
}
