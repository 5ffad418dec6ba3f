package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func TestEventIsEverywhereWhenTheLastSocketHasIt(t *testing.T) {
	s := &audienceSockets{conns: make([]*websocket.Conn, 3), everywhere: make(chan struct{})}
	s.count(100)
	s.count(250)
	select {
	case <-s.everywhere:
		t.Fatal("two of three is not everywhere")
	default:
	}
	s.count(300)
	<-s.everywhere
	if s.firstNs.Load() != 100 || s.lastNs.Load() != 300 {
		t.Errorf("first %d, last %d", s.firstNs.Load(), s.lastNs.Load())
	}
}

// answering serves one WebSocket that answers frame by frame.
func answering(t *testing.T, answers ...string) *websocket.Conn {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		for _, answer := range answers {
			if _, _, err := conn.Read(r.Context()); err != nil {
				return
			}
			_ = conn.Write(r.Context(), websocket.MessageText, []byte(answer))
		}
	}))
	t.Cleanup(server.Close)
	conn, _, err := websocket.Dial(context.Background(), server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

func TestCouldNotAskIsAskedAgain(t *testing.T) {
	conn := answering(t, `{"type":"error","code":"starting"}`, `{"type":"snapshot"}`)
	if err := converse(context.Background(), conn, map[string]any{"type": "watch"}, "snapshot"); err != nil {
		t.Fatal(err)
	}
}

func TestRefusalIsNotAskedAgain(t *testing.T) {
	conn := answering(t, `{"type":"error","code":"not_found"}`)
	err := converse(context.Background(), conn, map[string]any{"type": "watch"}, "snapshot")
	if err == nil || !strings.Contains(err.Error(), "not_found") {
		t.Fatalf("got %v", err)
	}
}
