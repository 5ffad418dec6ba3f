// Loadclient is a crowd for one room: it opens a room on a Salon server, brings speakers and listeners into it by the public protocol, and
// counts what they receive. Its WebRTC stack (Pion's DTLS, SRTP and STUN) is another one than the server's. See bench/README.md.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: loadclient room|gaps|ghosts|silencing|sockets|requests|compare [options]; -h after each lists them")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var err error
	switch os.Args[1] {
	case "room":
		err = runRoom(ctx, os.Args[2:])
	case "gaps":
		err = runGaps(ctx, os.Args[2:])
	case "ghosts":
		err = runGhosts(ctx, os.Args[2:])
	case "listener": // by ghosts alone
		err = runListener(ctx, os.Args[2:])
	case "silencing":
		err = runSilencing(ctx, os.Args[2:])
	case "requests":
		err = runRequests(ctx, os.Args[2:])
	case "compare":
		err = runCompare(ctx, os.Args[2:])
	case "sockets":
		err = runSockets(ctx, os.Args[2:])
	default:
		err = fmt.Errorf("no such command: %s", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadclient:", err)
		os.Exit(1)
	}
}

// report writes one JSON line; whoever drives us reads them as they come.
func report(line any) {
	encoded, err := json.Marshal(line)
	if err != nil {
		panic(err) // our own types always encode
	}
	os.Stdout.Write(append(encoded, '\n'))
}

// readAccounts reads one token a line, the host's first.
func readAccounts(base, path string) ([]*account, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	client := newHTTPClient()
	var accounts []*account
	for _, token := range strings.Fields(string(text)) {
		accounts = append(accounts, &account{base: strings.TrimRight(base, "/"), client: client, token: token})
	}
	if len(accounts) == 0 {
		return nil, fmt.Errorf("%s holds no token", path)
	}
	return accounts, nil
}

func runRoom(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("room", flag.ExitOnError)
	base := flags.String("base", "http://localhost:8000", "the server")
	tokens := flags.String("tokens", "", "file with one bearer token a line: the host's, then one for each further speaker")
	controlPort := flags.String("control", "", "the media process's control port, such as http://127.0.0.1:8002: rooms that only it has heard of, and no front door")
	secretKeyFile := flags.String("secret-key-file", "", "the installation's secret key, to sign grants for the control port")
	rooms := flags.Int("rooms", 1, "with --control: how many rooms the audience is spread over")
	speakers := flags.Int("speakers", 3, "with --control: speakers of each room")
	profile := flags.String("cpuprofile", "", "write a profile of this process, for go tool pprof")
	stages := flags.String("stages", "100,1000", "audience sizes to grow to, one after the other")
	oneByOne := flags.Int("one-by-one", 100, "how many of the first listeners join one after the other")
	rate := flags.Float64("join-rate", 50, "joins a second of the others")
	slots := flags.Int("slots", 1, "audio sections of each listener's offer, one to three")
	turn := flags.Duration("turn", 0, "how long one speaker talks before the next does; 0: the first one talks all the time")
	windows := flags.Int("windows", 5, "measuring windows at each size")
	silent := flags.Bool("silent", false, "nobody talks, and whoever is connected has joined")
	stepwise := flags.Bool("stepwise", false, "before each window, fall silent and wait for a line on standard input")
	window := flags.Duration("window", 4*time.Second, "length of one window")
	settle := flags.Duration("settle", 3*time.Second, "wait between the last join and the first window")
	deadline := flags.Duration("deadline", 4*time.Minute, "give up and stop after this time")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	sizes, err := parseSizes(*stages)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *deadline)
	defer cancel()
	if *profile != "" {
		stop, err := startProfile(*profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	frames, err := loadSpeech()
	if err != nil {
		return err
	}
	with, err := equip(frames)
	if err != nil {
		return err
	}
	load, err := open(ctx, with, doors{*base, *tokens, *controlPort, *secretKeyFile}, *rooms, *speakers, *slots)
	if err != nil {
		return err
	}
	defer closeOpened(load)
	report(map[string]any{"kind": "opened", "rooms": len(load.rooms), "speakers": len(load.speakers), "profile": load.speakers[0].profile})
	load.silent = *silent
	load.quiet.Store(*silent)
	talking, quiet := context.WithCancel(ctx)
	defer quiet()
	load.begin(talking, frames, *turn, with.failed)
	measured := make(chan error, 1)
	go func() {
		measured <- load.measure(ctx, plan{sizes, *oneByOne, *rate, *settle, *windows, *window, *stepwise})
	}()
	return firstOf(with.failed, measured)
}

// doors are the ways in: the front door with people's tokens, or the media process's control port with the installation's key.
type doors struct{ base, tokens, control, secretKeyFile string }

func open(ctx context.Context, with equipment, in doors, rooms, speakers, slots int) (*roomLoad, error) {
	if in.control == "" {
		accounts, err := readAccounts(in.base, in.tokens)
		if err != nil {
			return nil, err
		}
		return openRoom(ctx, with.reader, with.identity, accounts, slots)
	}
	c, err := newControl(in.control, in.secretKeyFile)
	if err != nil {
		return nil, err
	}
	return inventRooms(ctx, with.reader, with.identity, c, rooms, speakers, slots)
}

func startProfile(path string) (func(), error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); file.Close() }, nil
}

// plan is what to measure and at which sizes of the audience.
type plan struct {
	sizes    []int
	oneByOne int
	rate     float64
	settle   time.Duration
	windows  int
	window   time.Duration
	stepwise bool
}

// measure grows the audience from size to size and reports every window. A "mark" line stands where the first window of a size begins;
// each "window" line ends one window and begins the next. Stepwise, a "quiet" line says that nobody talks until a line comes in; then a
// "mark" begins each window.
func (l *roomLoad) measure(ctx context.Context, p plan) error {
	clock := newClockCheck()
	answers := bufio.NewReader(os.Stdin)
	for _, size := range p.sizes {
		if first := min(size, p.oneByOne); len(l.audience) < first {
			report(l.joinUpTo(ctx, first, true, p.rate))
		}
		// Whoever could not come in is counted, and others come in their place: what is measured below is an audience of this size.
		for try := 0; len(l.audience) < size && try < 3; try++ {
			report(l.joinUpTo(ctx, size, false, p.rate))
		}
		if err := wait(ctx, p.settle); err != nil {
			return err
		}
		before, _ := l.count()
		report(map[string]any{"kind": "mark", "listeners": len(before.audiencePackets)})
		for range p.windows {
			if p.stepwise {
				if err := l.stepAside(ctx, answers); err != nil {
					return err
				}
				before, _ = l.count()
				report(map[string]any{"kind": "mark", "listeners": len(before.audiencePackets)})
			}
			if err := wait(ctx, p.window); err != nil {
				return err
			}
			after, delays := l.count()
			report(compare(before, after, delays, len(l.speakers)))
			before = after
		}
	}
	if clock.stepped() {
		return errors.New("the system clock was set while measuring; delays would be wrong")
	}
	report(map[string]any{"kind": "done", "sent": l.sent.Load()})
	return nil
}

// resumeTime is how long talk goes on again before it is measured: by then the server has chosen its speaker.
const resumeTime = time.Second

// stepAside leaves the machine to something else, until a line comes in.
func (l *roomLoad) stepAside(ctx context.Context, answers *bufio.Reader) error {
	l.quiet.Store(true)
	report(map[string]any{"kind": "quiet"})
	if _, err := answers.ReadString('\n'); err != nil {
		return fmt.Errorf("waiting for a line on standard input: %w", err)
	}
	l.quiet.Store(false)
	return wait(ctx, resumeTime)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("stopped before the end: %w", context.Cause(ctx))
	case <-time.After(d):
		return nil
	}
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	for _, field := range strings.Split(text, ",") {
		size, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || size < 1 || len(sizes) > 0 && size <= sizes[len(sizes)-1] {
			return nil, fmt.Errorf("sizes must be growing numbers separated by commas, not %q", text)
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

// clockCheck notices whether wall time was set: the kernel stamps arrivals in wall time, so delays are differences of wall times.
type clockCheck struct{ began time.Time }

func newClockCheck() clockCheck { return clockCheck{time.Now()} }

func (c clockCheck) stepped() bool {
	now := time.Now()
	wall := now.Round(0).Sub(c.began.Round(0)) // Round(0) strips the monotonic reading
	drift := wall - now.Sub(c.began)
	return drift < -5*time.Millisecond || drift > 5*time.Millisecond
}
