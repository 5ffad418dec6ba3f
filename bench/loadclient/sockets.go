package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// audienceSockets are WebSockets that all watch one room's stream.
type audienceSockets struct {
	host *account
	room string

	mu    sync.Mutex
	conns []*websocket.Conn

	// The event under way: how many sockets have it, and when the first and the last of them got it (Unix nanoseconds).
	arrived         atomic.Int64
	firstNs, lastNs atomic.Int64
	everywhere      chan struct{}
	closed          atomic.Int64
}

// eventKind is the event whose spreading is measured: the host mutes and unmutes.
const eventKind = "mute_changed"

// open connects one socket, says hello with a ticket and watches the room; it counts events until the socket closes.
func (s *audienceSockets) open(ctx context.Context) error {
	visitor := newVisitor(s.host.base, s.host.client)
	var ticket struct {
		Ticket string `json:"ticket"`
	}
	if err := visitor.askJSON(ctx, "POST", "/api/v1/realtime/ticket", map[string]any{}, &ticket); err != nil {
		return err
	}
	conn, err := dialEvents(ctx, s.host)
	if err != nil {
		return err
	}
	steps := []struct {
		say    map[string]any
		expect string
	}{
		{map[string]any{"type": "hello", "id": 1, "ticket": ticket.Ticket}, "welcome"},
		{map[string]any{"type": "watch", "id": 2, "stream": "room/" + s.room}, "snapshot"},
	}
	for _, step := range steps {
		if err := converse(ctx, conn, step.say, step.expect); err != nil {
			_ = conn.CloseNow()
			return err
		}
	}
	s.mu.Lock()
	s.conns = append(s.conns, conn)
	s.mu.Unlock()
	go s.read(conn)
	return nil
}

// dialEvents connects to the server's WebSocket; nothing is said yet.
func dialEvents(ctx context.Context, who *account) (*websocket.Conn, error) {
	address := "ws" + strings.TrimPrefix(who.base, "http") + "/ws"
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient: who.client, Subprotocols: []string{"salon.v1"}, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("WebSocket: %w", err)
	}
	conn.SetReadLimit(1 << 20)
	return conn, nil
}

// converse sends one frame and reads until the reply of the expected type. "Could not ask" is no answer: it asks again.
func converse(ctx context.Context, conn *websocket.Conn, say map[string]any, expect string) error {
	encoded, err := json.Marshal(say)
	if err != nil {
		return err
	}
	for {
		asked, err := ask(ctx, conn, encoded, expect)
		if asked || err != nil {
			return err
		}
		if err := wait(ctx, time.Second); err != nil {
			return err
		}
	}
}

// ask is one try of converse; false if the server could not ask its own parts.
func ask(ctx context.Context, conn *websocket.Conn, encoded []byte, expect string) (bool, error) {
	if err := conn.Write(ctx, websocket.MessageText, encoded); err != nil {
		return false, err
	}
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			return false, err
		}
		var reply struct {
			Type string `json:"type"`
			Code string `json:"code"`
		}
		if err := json.Unmarshal(frame, &reply); err != nil {
			return false, fmt.Errorf("frame: %w", err)
		}
		switch {
		case reply.Type == expect:
			return true, nil
		case reply.Type == "error" && (reply.Code == "starting" || reply.Code == "media_unavailable"):
			return false, nil
		case reply.Type == "error":
			return false, fmt.Errorf("%s: %s", expect, frame)
		}
	}
}

func (s *audienceSockets) read(conn *websocket.Conn) {
	kind := []byte(`"` + eventKind + `"`)
	for {
		_, frame, err := conn.Read(context.Background())
		if err != nil {
			s.closed.Add(1)
			return
		}
		if bytes.Contains(frame, kind) {
			s.count(time.Now().UnixNano())
		}
	}
}

func (s *audienceSockets) count(now int64) {
	switch n := s.arrived.Add(1); n {
	case int64(len(s.conns)):
		s.lastNs.Store(now)
		if n == 1 {
			s.firstNs.Store(now)
		}
		close(s.everywhere)
	case 1:
		s.firstNs.Store(now)
	}
}

// fanout is how one event spread; times are milliseconds after the host's command was sent.
type fanout struct {
	Kind     string  `json:"kind"`
	Sockets  int     `json:"sockets"`
	FirstMs  float64 `json:"first_ms"`
	LastMs   float64 `json:"last_ms"`
	AnswerMs float64 `json:"answer_ms"`
}

// spread lets the host send one command and waits until its event is everywhere.
func (s *audienceSockets) spread(ctx context.Context, command string) (fanout, error) {
	s.arrived.Store(0)
	s.everywhere = make(chan struct{})
	began := time.Now()
	if err := s.host.command(ctx, s.room, command, map[string]any{}); err != nil {
		return fanout{}, err
	}
	answered := time.Now()
	select {
	case <-s.everywhere:
	case <-time.After(10 * time.Second):
		return fanout{}, fmt.Errorf("the event reached %d of %d sockets in 10 s; %d were closed", s.arrived.Load(), len(s.conns), s.closed.Load())
	case <-ctx.Done():
		return fanout{}, ctx.Err()
	}
	after := func(ns int64) float64 { return float64(ns-began.UnixNano()) / 1e6 }
	return fanout{"fanout", len(s.conns), after(s.firstNs.Load()), after(s.lastNs.Load()), after(answered.UnixNano())}, nil
}

// openAll opens count sockets, so many at a time, and stops at the first failure.
func (s *audienceSockets) openAll(ctx context.Context, count, atOnce int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turns := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for range count {
		if ctx.Err() != nil {
			break
		}
		turns <- struct{}{}
		group.Add(1)
		go func() {
			defer func() { <-turns; group.Done() }()
			if err := s.open(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		}()
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// keepAlive pings on every socket, as the protocol asks of clients.
func (s *audienceSockets) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(15 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		conns := append([]*websocket.Conn(nil), s.conns...)
		s.mu.Unlock()
		for _, conn := range conns {
			_ = conn.Write(ctx, websocket.MessageText, []byte(`{"type":"ping","id":9}`))
		}
	}
}

func runSockets(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("sockets", flag.ExitOnError)
	base := flags.String("base", "http://localhost:8000", "the server")
	tokens := flags.String("tokens", "", "file with the host's bearer token in the first line")
	count := flags.Int("count", 1000, "sockets to open")
	atOnce := flags.Int("at-once", 16, "how many are being opened at a time")
	events := flags.Int("events", 10, "events to spread")
	deadline := flags.Duration("deadline", 2*time.Minute, "give up and stop after this time")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *deadline)
	defer cancel()
	accounts, err := readAccounts(*base, *tokens)
	if err != nil {
		return err
	}
	load, closeRoom, err := quietRoom(ctx, accounts[0])
	if err != nil {
		return err
	}
	defer closeRoom()
	sockets := &audienceSockets{host: accounts[0], room: load.rooms[0]}
	go sockets.keepAlive(ctx)
	began := time.Now()
	if err := sockets.openAll(ctx, *count, *atOnce); err != nil {
		return fmt.Errorf("%d of %d sockets were opened: %w", len(sockets.conns), *count, err)
	}
	report(map[string]any{"kind": "sockets", "sockets": len(sockets.conns), "seconds": time.Since(began).Seconds()})
	command, other := "mute", "unmute"
	for range *events {
		spread, err := sockets.spread(ctx, command)
		var refused *refusal
		if errors.As(err, &refused) && (refused.Code == "already_muted" || refused.Code == "not_muted") {
			command, other = other, command // whichever way a host begins
			spread, err = sockets.spread(ctx, command)
		}
		if err != nil {
			return err
		}
		report(spread)
		command, other = other, command
	}
	report(map[string]any{"kind": "done"})
	return nil
}
