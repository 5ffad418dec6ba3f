package main

import (
	"context"
	"flag"
	"time"
)

// gapReport is one window: for how long each listener of the audience heard nothing, at the longest.
type gapReport struct {
	Kind      string    `json:"kind"`
	Listeners int       `json:"listeners"`
	GapMs     []float64 `json:"gap_ms"`
	// HearAtEnd: listeners that a packet has reached in the window's last second.
	HearAtEnd     int    `json:"hear_at_end"`
	LostRtp       int64  `json:"lost_rtp"`
	Undecryptable uint64 `json:"undecryptable"`
}

// stillHears is how recent a listener's last packet is while somebody talks, at 50 packets a second.
const stillHears = time.Second

// runGaps opens a room in which one person talks all the time, brings an audience into it, and measures windows in which whoever drives
// us does something to the server. It reports "begin" when a window begins and "gaps" when it ends; listeners do nothing but listen.
func runGaps(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("gaps", flag.ExitOnError)
	base := flags.String("base", "http://localhost:8000", "the server")
	tokens := flags.String("tokens", "", "file with one bearer token a line: the host's, then one for each further person on the stage")
	listeners := flags.Int("listeners", 1000, "the audience")
	rate := flags.Float64("join-rate", 50, "joins a second")
	windows := flags.Int("windows", 20, "how many windows")
	window := flags.Duration("window", 12*time.Second, "length of one window")
	deadline := flags.Duration("deadline", 20*time.Minute, "give up and stop after this time")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *deadline)
	defer cancel()
	accounts, err := readAccounts(*base, *tokens)
	if err != nil {
		return err
	}
	load, failed, err := openTalking(ctx, accounts)
	if err != nil {
		return err
	}
	defer closeOpened(load)
	for try := 0; len(load.audience) < *listeners && try < 3; try++ {
		report(load.joinUpTo(ctx, *listeners, false, *rate))
	}
	report(map[string]any{"kind": "opened", "room": load.rooms[0], "listeners": len(load.audience)})
	measured := make(chan error, 1)
	go func() { measured <- load.measureGaps(ctx, *windows, *window) }()
	return firstOf(failed, measured)
}

func (l *roomLoad) measureGaps(ctx context.Context, windows int, window time.Duration) error {
	for range windows {
		before, _ := l.count()
		l.reader.mu.Lock()
		for _, p := range l.audience {
			p.heard.gapNs = 0
		}
		l.reader.mu.Unlock()
		report(map[string]any{"kind": "begin"})
		if err := wait(ctx, window); err != nil {
			return err
		}
		after, _ := l.count()
		ended := gapReport{Kind: "gaps", LostRtp: int64(after.lostRtp - before.lostRtp), Undecryptable: after.refused - before.refused}
		now := time.Now().UnixNano()
		l.reader.mu.Lock()
		for _, p := range l.audience {
			silent := now - p.heard.lastNs
			ended.Listeners++
			// Whoever hears nothing any more has a gap that goes on.
			ended.GapMs = append(ended.GapMs, float64(max(p.heard.gapNs, silent))/1e6)
			if silent < int64(stillHears) {
				ended.HearAtEnd++
			}
		}
		l.reader.mu.Unlock()
		report(ended)
	}
	report(map[string]any{"kind": "done", "sent": l.sent.Load()})
	return nil
}
