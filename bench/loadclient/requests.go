package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"time"
)

// caller is a person in the audience who also uses the API.
type caller struct {
	*account
	mu       sync.Mutex
	handIsUp bool
}

// changeHand raises the hand or takes it down again: the mix's one write.
func (c *caller) changeHand(ctx context.Context, room string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := "raise_hand"
	if c.handIsUp {
		name = "lower_hand"
	}
	if err := c.command(ctx, room, name, map[string]any{}); err != nil {
		return err
	}
	c.handIsUp = !c.handIsUp
	return nil
}

// mixed is what people's clients ask for while they are in a room: of ten requests, four look at the hallway, three at the room, two at
// oneself, and one changes something.
func (c *caller) mixed(ctx context.Context, room string, number int) error {
	get := func(path string) error { return c.askJSON(ctx, "GET", path, nil, nil) }
	switch number % 10 {
	case 0, 3, 6, 8:
		return get("/api/v1/hallway")
	case 1, 4, 7:
		return get("/api/v1/rooms/" + room)
	case 2, 5:
		return get("/api/v1/me")
	default:
		return c.changeHand(ctx, room)
	}
}

// levelReport is how the server did with so many requests under way at a time.
type levelReport struct {
	Kind     string  `json:"kind"`
	AtOnce   int     `json:"at_once"`
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	P50Ms    float64 `json:"p50_ms"`
	P95Ms    float64 `json:"p95_ms"`
}

// level keeps atOnce requests under way for a while. Any refusal ends it: a figure with errors in it is none.
func level(ctx context.Context, callers []*caller, room string, atOnce int, length time.Duration) (levelReport, error) {
	until := time.Now().Add(length)
	took := make([][]time.Duration, atOnce)
	failed := make([]error, atOnce)
	var group sync.WaitGroup
	began := time.Now()
	for worker := range atOnce {
		group.Add(1)
		go func() {
			defer group.Done()
			for number := worker; time.Now().Before(until); number++ {
				// Ten requests each, by turns: one person alone may not send as many commands as a fast server answers.
				who := callers[(worker+number/10)%len(callers)]
				sent := time.Now()
				if failed[worker] = who.mixed(ctx, room, number); failed[worker] != nil {
					return
				}
				took[worker] = append(took[worker], time.Since(sent))
			}
		}()
	}
	group.Wait()
	seconds := time.Since(began).Seconds()
	for _, err := range failed {
		if err != nil {
			return levelReport{}, err
		}
	}
	all := slices.Concat(took...)
	if len(all) == 0 {
		return levelReport{}, fmt.Errorf("no request was answered in %v", length)
	}
	slices.Sort(all)
	share := func(part float64) float64 {
		return float64(all[min(int(part*float64(len(all))), len(all)-1)].Microseconds()) / 1000
	}
	return levelReport{"level", atOnce, len(all), seconds, share(0.5), share(0.95)}, nil
}

func runRequests(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("requests", flag.ExitOnError)
	base := flags.String("base", "http://localhost:8000", "the server")
	tokens := flags.String("tokens", "", "file with one bearer token a line: the host's, then one for each caller")
	levels := flags.String("levels", "1,2,4,8,16,32", "requests under way at a time, one level after the other")
	length := flags.Duration("length", 2*time.Second, "length of one run")
	runs := flags.Int("runs", 3, "runs at each level")
	bound := flags.Duration("bound", 150*time.Millisecond, "stop after the first level with a run whose 95th percentile is above this")
	deadline := flags.Duration("deadline", time.Minute, "give up and stop after this time")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	sizes, err := parseSizes(*levels)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *deadline)
	defer cancel()
	accounts, err := readAccounts(*base, *tokens)
	if err != nil {
		return err
	}
	if len(accounts) < 2 {
		return fmt.Errorf("a host's token and at least one caller's are needed")
	}
	load, closeRoom, err := quietRoom(ctx, accounts[0])
	if err != nil {
		return err
	}
	defer closeRoom()
	var callers []*caller
	for _, who := range accounts[1:] {
		session, err := load.start(ctx, who, load.rooms[0], listening, 1)
		if err != nil {
			return err
		}
		load.members = append(load.members, session)
		callers = append(callers, &caller{account: who})
	}
	if err := untilEntered(ctx, callers, load.rooms[0]); err != nil {
		return err
	}
	for _, atOnce := range sizes {
		within := true
		for range *runs {
			report(map[string]any{"kind": "mark", "at_once": atOnce})
			done, err := level(ctx, callers, load.rooms[0], atOnce, *length)
			if err != nil {
				return err
			}
			report(done)
			within = within && done.P95Ms <= float64(bound.Milliseconds())
		}
		if !within {
			break
		}
	}
	report(map[string]any{"kind": "done"})
	return nil
}

// untilEntered waits until each caller's place in the room is known: the server learns of a connected session a moment after the client.
func untilEntered(ctx context.Context, callers []*caller, room string) error {
	for _, c := range callers {
		if err := whileNotInRoom(func() error { return c.changeHand(ctx, room) }); err != nil {
			return err
		}
	}
	return nil
}

// quietRoom is a room whose host is there but whose sound nobody measures. The function ends it.
func quietRoom(ctx context.Context, host *account) (*roomLoad, func(), error) {
	with, err := equip(nil)
	if err != nil {
		return nil, nil, err
	}
	load, err := openRoom(ctx, with.reader, with.identity, []*account{host}, 1)
	if err != nil {
		return nil, nil, err
	}
	go load.keepAlive(ctx)
	return load, func() { closeOpened(load) }, nil
}
