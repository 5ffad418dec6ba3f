package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// Ways to be gone, or to be there twice, in the order in which the trials go round.
var goings = []struct {
	name string
	do   func(g *goer, ctx context.Context) error
}{
	{"vanish", (*goer).vanish},
	{"freeze", (*goer).freeze},
	{"second_login", (*goer).logInAgain},
	{"leave", (*goer).leave},
}

const (
	// lookEvery is how often it is told who hears. Whoever reads that compares it with the roster.
	lookEvery = 250 * time.Millisecond
	// frozenFor is longer than any patience of the server's with a client that says nothing.
	frozenFor = 12 * time.Second
	// listedAtMost is when a trial goes on although somebody is still listed; its times then say so.
	listedAtMost = 20 * time.Second
	// seenFor is how long somebody who logged in twice is looked at, which is longer than anybody may be listed without hearing.
	seenFor = 6 * time.Second
)

// goer is somebody who comes into the audience and goes again.
type goer struct {
	ghosts  *ghosts
	account *account
	person  string
	line    int // of the file of tokens, counted from 0

	mu    sync.Mutex
	peer  *peer // nil while not here, or here by a process of its own
	child *frozenChild
}

// ghosts is a room in which people come and go while somebody watches its roster.
type ghosts struct {
	load   *roomLoad
	tokens string
	goers  []*goer
	trials atomic.Int64

	mu      sync.Mutex
	listed  []string
	changed chan struct{} // closed with the next roster
}

// going is one thing that somebody did; times are Unix milliseconds.
type going struct {
	Kind   string  `json:"kind"`
	Act    string  `json:"act"`
	Person string  `json:"person"`
	AtMs   float64 `json:"at_ms"`
}

func nowMs() float64 { return float64(time.Now().UnixMicro()) / 1000 }

// runGhosts opens a room in which the host talks all the time. The others come into its audience and go: without a word, frozen, by logging in
// a second time, or politely. It reports "act" for each, "roster" for each change of who the host is told is there, and "look", who hears.
func runGhosts(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("ghosts", flag.ExitOnError)
	base := flags.String("base", "http://localhost:8000", "the server")
	tokens := flags.String("tokens", "", "file with one bearer token a line: the host's, then those of who comes and goes; a roster shows twelve")
	trials := flags.Int("trials", 60, "how often somebody goes")
	deadline := flags.Duration("deadline", 90*time.Minute, "give up and stop after this time")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *deadline)
	defer cancel()
	accounts, err := readAccounts(*base, *tokens)
	if err != nil {
		return err
	}
	load, failed, err := openTalking(ctx, accounts[:1])
	if err != nil {
		return err
	}
	defer closeOpened(load)
	g := &ghosts{load: load, tokens: *tokens, changed: make(chan struct{})}
	for i, account := range accounts[1:] {
		person, err := account.personID(ctx)
		if err != nil {
			return err
		}
		g.goers = append(g.goers, &goer{ghosts: g, account: account, person: person, line: i + 1})
	}
	roster, err := watchRoom(ctx, load.host, load.rooms[0])
	if err != nil {
		return err
	}
	ctx, cancelCause := context.WithCancelCause(ctx)
	defer cancelCause(nil)
	go func() { cancelCause(<-failed) }()
	go func() { cancelCause(g.readRoster(ctx, roster)) }()
	go func() { cancelCause(g.look(ctx)) }()
	if err := g.run(ctx, *trials); err != nil {
		return err
	}
	report(map[string]any{"kind": "done"})
	return nil
}

// run lets everybody take the next trial until all are made.
func (g *ghosts) run(ctx context.Context, trials int) error {
	done := make(chan error, len(g.goers))
	for _, one := range g.goers {
		go func() {
			for {
				number := int(g.trials.Add(1)) - 1
				if number >= trials {
					done <- nil
					return
				}
				if err := one.trial(ctx, number); err != nil {
					done <- fmt.Errorf("trial %d (%s): %w", number, goings[number%len(goings)].name, err)
					return
				}
			}
		}()
	}
	for range g.goers {
		if err := <-done; err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
	}
	return nil
}

func (g *ghosts) act(name, person string) { report(going{"act", name, person, nowMs()}) }

// watchRoom opens a WebSocket as somebody who looks at the room.
func watchRoom(ctx context.Context, who *account, room string) (*websocket.Conn, error) {
	var ticket struct {
		Ticket string `json:"ticket"`
	}
	if err := who.askJSON(ctx, http.MethodPost, "/api/v1/realtime/ticket", map[string]any{}, &ticket); err != nil {
		return nil, err
	}
	conn, err := dialEvents(ctx, who)
	if err != nil {
		return nil, err
	}
	if err := converse(ctx, conn, map[string]any{"type": "hello", "id": 1, "ticket": ticket.Ticket}, "welcome"); err != nil {
		return nil, err
	}
	return conn, converse(ctx, conn, map[string]any{"type": "watch", "id": 2, "stream": "room/" + room}, "snapshot")
}

// readRoster reports who is listed each time that presence is told, until the socket closes.
func (g *ghosts) readRoster(ctx context.Context, conn *websocket.Conn) error {
	go func() {
		for sleep(ctx, 15*time.Second) == nil {
			_ = conn.Write(ctx, websocket.MessageText, []byte(`{"type":"ping","id":9}`))
		}
	}()
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("the watcher's socket: %w", err)
		}
		var frame struct {
			Type      string   `json:"type"`
			Connected []string `json:"connected"`
			Faces     []struct {
				ID string `json:"id"`
			} `json:"faces"`
		}
		if err := json.Unmarshal(text, &frame); err != nil {
			return fmt.Errorf("frame: %w", err)
		}
		if frame.Type != "presence" {
			continue
		}
		listed := append([]string{}, frame.Connected...)
		for _, face := range frame.Faces {
			listed = append(listed, face.ID)
		}
		report(map[string]any{"kind": "roster", "at_ms": nowMs(), "listed": listed})
		g.mu.Lock()
		g.listed = listed
		close(g.changed)
		g.changed = make(chan struct{})
		g.mu.Unlock()
	}
}

// until waits for the roster to list somebody, or to list them no more. False if that takes too long.
func (g *ghosts) until(ctx context.Context, person string, isListed bool) (bool, error) {
	deadline := time.After(listedAtMost)
	for {
		g.mu.Lock()
		now, changed := slices.Contains(g.listed, person), g.changed
		g.mu.Unlock()
		if now == isListed {
			return true, nil
		}
		select {
		case <-changed:
		case <-deadline:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// look tells again and again when each of those who come and go heard something last.
func (g *ghosts) look(ctx context.Context) error {
	for sleep(ctx, lookEvery) == nil {
		heard := map[string]float64{}
		for _, one := range g.goers {
			heard[one.person] = float64(one.lastHeardNs()) / 1e6
		}
		report(map[string]any{"kind": "look", "heard_ms": heard})
	}
	return ctx.Err()
}

func (o *goer) lastHeardNs() int64 {
	o.mu.Lock()
	p, child := o.peer, o.child
	o.mu.Unlock()
	switch {
	case p != nil:
		o.ghosts.load.reader.mu.Lock()
		defer o.ghosts.load.reader.mu.Unlock()
		return p.heard.lastNs
	case child != nil:
		return child.heardNs.Load()
	}
	return 0
}

// trial brings them in, if they are not, and lets them go in the way whose turn it is.
func (o *goer) trial(ctx context.Context, number int) error {
	way := goings[number%len(goings)]
	if before := o.peer; before == nil || way.name == "freeze" {
		if err := o.come(ctx, way.name == "freeze"); err != nil {
			return err
		}
		if before != nil { // a process of its own took over from this session
			o.forget(before)
			before.close(o.ghosts.load.reader)
		}
	}
	// Whoever hears and is not listed is found by who compares; here it is only waited for.
	if _, err := o.ghosts.until(ctx, o.person, true); err != nil {
		return err
	}
	// At any moment between two of a client's signs of life.
	if err := sleep(ctx, time.Second+rand.N(5*time.Second)); err != nil {
		return err
	}
	return way.do(o, ctx)
}

// come enters and waits for the first sound.
func (o *goer) come(ctx context.Context, byProcess bool) error {
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	o.ghosts.act("join", o.person)
	if byProcess {
		child, err := o.startChild(ctx)
		if err != nil {
			return err
		}
		o.become(nil, child)
	} else {
		p, err := o.enter(ctx)
		if err != nil {
			return err
		}
		o.become(p, nil)
	}
	return nil
}

// enter opens a listening session that hears.
func (o *goer) enter(ctx context.Context) (*peer, error) {
	load := o.ghosts.load
	p, err := load.start(ctx, o.account, load.rooms[0], listening, 1)
	if err != nil {
		return nil, err
	}
	load.mu.Lock()
	load.audience = append(load.audience, p)
	load.mu.Unlock()
	select {
	case <-p.heardFirst:
		return p, nil
	case <-ctx.Done():
		return nil, errors.New("connected, but heard nothing")
	}
}

func (o *goer) become(p *peer, child *frozenChild) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.peer, o.child = p, child
}

// forget lets a session renew nothing any more.
func (o *goer) forget(p *peer) {
	load := o.ghosts.load
	load.mu.Lock()
	defer load.mu.Unlock()
	load.audience = slices.DeleteFunc(load.audience, func(other *peer) bool { return other == p })
}

// vanish closes the socket without a word, as a killed tab or a radio that is switched off does.
func (o *goer) vanish(ctx context.Context) error {
	o.forget(o.peer)
	o.ghosts.load.reader.remove(o.peer)
	o.ghosts.act("vanish", o.person)
	o.become(nil, nil)
	_, err := o.ghosts.until(ctx, o.person, false)
	return err
}

// freeze stops the process for longer than the server's patience, lets it go on, and ends it.
func (o *goer) freeze(ctx context.Context) error {
	child := o.child
	defer child.end()
	if err := child.process.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	o.ghosts.act("freeze", o.person)
	if err := sleep(ctx, frozenFor); err != nil {
		return err
	}
	if _, err := o.ghosts.until(ctx, o.person, false); err != nil {
		return err
	}
	if err := child.process.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	// What it says now must not bring it back.
	err := sleep(ctx, 2*time.Second)
	o.become(nil, nil)
	return err
}

// logInAgain enters a second time, from what might be another device. The session before is taken over, and its client ends.
func (o *goer) logInAgain(ctx context.Context) error {
	before := o.peer
	o.ghosts.act("second_login", o.person)
	entering, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	p, err := o.enter(entering)
	if err != nil {
		return err
	}
	o.become(p, nil)
	o.forget(before)
	before.close(o.ghosts.load.reader)
	return sleep(ctx, seenFor)
}

// leave deletes the session, as the protocol asks of who goes.
func (o *goer) leave(ctx context.Context) error {
	p := o.peer
	if err := o.account.askJSON(ctx, http.MethodDelete, p.location, nil, nil); err != nil {
		return err
	}
	o.ghosts.act("leave", o.person)
	o.forget(p)
	p.close(o.ghosts.load.reader)
	o.become(nil, nil)
	_, err := o.ghosts.until(ctx, o.person, false)
	return err
}

// frozenChild is a listener in a process of its own, which can be stopped by the kernel as a laptop's lid stops a browser.
type frozenChild struct {
	process *exec.Cmd
	heardNs atomic.Int64
}

func (o *goer) startChild(ctx context.Context) (*frozenChild, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	load := o.ghosts.load
	process := exec.Command(program, "listener", "--base", load.host.base, "--tokens", o.ghosts.tokens,
		"--line", strconv.Itoa(o.line), "--room", load.rooms[0])
	process.Stderr = os.Stderr
	// It may be stopped when we end, and could not end by itself then.
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	child := &frozenChild{process: process}
	hears := make(chan struct{})
	if err := child.start(out, hears); err != nil {
		return nil, err
	}
	select {
	case <-hears:
		return child, nil
	case <-ctx.Done():
		child.end()
		return nil, errors.New("a listener in a process of its own heard nothing")
	}
}

// start runs the process on a thread that lives as long as it does: the kernel's signal at a parent's death is about that thread (prctl(2)).
func (c *frozenChild) start(out io.Reader, hears chan<- struct{}) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := c.process.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			ns, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err == nil && c.heardNs.Swap(ns) == 0 {
				close(hears)
			}
		}
		_ = c.process.Wait()
	}()
	return <-started
}

func (c *frozenChild) end() { _ = c.process.Process.Kill() }

// runListener is a listener in a process of its own. It prints when it heard something last, in Unix nanoseconds, until it is ended.
func runListener(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("listener", flag.ExitOnError)
	base := flags.String("base", "http://localhost:8000", "the server")
	tokens := flags.String("tokens", "", "file with one bearer token a line")
	line := flags.Int("line", 0, "which of them, counted from 0")
	room := flags.String("room", "", "the room to listen to")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	accounts, err := readAccounts(*base, *tokens)
	if err != nil {
		return err
	}
	if *line >= len(accounts) {
		return fmt.Errorf("%s has no line %d", *tokens, *line)
	}
	with, err := equip(nil)
	if err != nil {
		return err
	}
	load := &roomLoad{reader: with.reader, identity: with.identity}
	p, err := load.start(ctx, accounts[*line], *room, listening, 1)
	if err != nil {
		return err
	}
	load.audience = []*peer{p}
	go load.keepAlive(ctx)
	<-p.heardFirst
	for {
		with.reader.mu.Lock()
		lastNs := p.heard.lastNs
		with.reader.mu.Unlock()
		fmt.Println(lastNs)
		if err := sleep(ctx, lookEvery/2); err != nil {
			return nil
		}
	}
}
