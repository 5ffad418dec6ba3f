package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// venue is a server where one person speaks and others listen: ours, or another one that it is compared with.
type venue interface {
	// enterSpeaker brings in the one who speaks; the listeners come after them.
	enterSpeaker(ctx context.Context) (talker, error)
	// enterListener brings in one more listener, connected and able to decrypt.
	enterListener(ctx context.Context) (attendee, error)
	// leave ends what the venue holds besides the sessions.
	leave(ctx context.Context) error
}

// attendee is one session of ours at a venue.
type attendee interface {
	// ears is what was heard; guarded by the reader's lock.
	ears() *heardCount
	// keepAlive says what a client of this protocol says every few seconds so that the server goes on sending.
	keepAlive(r *reader) error
	// protection names the cipher of the sound.
	protection() string
	close(r *reader)
}

type talker interface {
	attendee
	sendOpus(opus []byte, level uint8, sequence uint16, timestamp uint32) error
}

func (p *peer) ears() *heardCount  { return &p.heard }
func (p *peer) protection() string { return p.profile }

func (p *peer) keepAlive(r *reader) error {
	if err := p.sendCheck(r); err != nil {
		return err
	}
	return p.sendReport(r)
}

// runCompare brings one speaker and an audience to a server, says "ready", and then measures a window for each line on standard input
// ("window SETTLE LENGTH", durations): the speaker talks for SETTLE, a "mark" line, LENGTH later a "window" line, and silence again. So
// several of these, each at a server of its own, can take turns on one machine. The end of standard input is the end.
func runCompare(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	server := flags.String("server", "", "salon, livekit, janus, mediasoup or mumble")
	address := flags.String("address", "", "where it is asked: an http or ws address, for mumble host:port")
	tokens := flags.String("tokens", "", "salon: file with the host's bearer token")
	key := flags.String("key", "", "livekit: name of the key that signs tokens")
	secret := flags.String("secret", "", "livekit: the key")
	listeners := flags.Int("listeners", 300, "how many listen")
	deadline := flags.Duration("deadline", 15*time.Minute, "give up and stop after this time")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *deadline)
	defer cancel()
	frames, err := loadSpeech()
	if err != nil {
		return err
	}
	with, err := equip(frames)
	if err != nil {
		return err
	}
	r, id := with.reader, with.identity
	open := map[string]func() (venue, error){
		"salon": func() (venue, error) { return openSalon(ctx, r, id, *address, *tokens) },
		"livekit": func() (venue, error) {
			return &liveKit{r, id, newHTTPClient(), *address, *key, *secret, atomic.Uint32{}}, nil
		},
		"janus":     func() (venue, error) { return openJanus(ctx, r, id, *address) },
		"mediasoup": func() (venue, error) { return &mediasoup{r, id, newHTTPClient(), *address}, nil },
		"mumble":    func() (venue, error) { return &mumble{reader: r, address: *address}, nil },
	}[*server]
	if open == nil {
		return fmt.Errorf("no such server: %q", *server)
	}
	at, err := open()
	if err != nil {
		return err
	}
	a := &audience{reader: r}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		a.close()
		if err := at.leave(closing); err != nil {
			fmt.Fprintln(os.Stderr, "loadclient:", err)
		}
	}()
	keeping, stop := context.WithCancel(ctx)
	defer stop()
	go a.keepAlive(keeping)
	began := time.Now()
	if err := a.enter(ctx, at, *listeners); err != nil {
		return err
	}
	report(map[string]any{"kind": "ready", "listeners": len(a.listeners), "protection": a.listeners[0].protection(), "seconds": time.Since(began).Seconds()})
	measured := make(chan error, 1)
	go func() { measured <- a.obey(ctx, os.Stdin, frames) }()
	select {
	case err := <-with.failed:
		return err
	case err := <-measured:
		return err
	case <-ctx.Done():
		return fmt.Errorf("stopped before the end: %w", context.Cause(ctx))
	}
}

// audience is one speaker and their listeners, at one venue.
type audience struct {
	reader *reader

	mu        sync.Mutex
	speaker   talker
	listeners []attendee

	number uint32        // of the speaker's next frame
	said   atomic.Uint64 // frames sent
}

// entersAtOnce bounds how many come in at the same time: joining is not what is measured here.
const entersAtOnce = 4

func (a *audience) enter(ctx context.Context, at venue, listeners int) error {
	speaker, err := patiently(ctx, at.enterSpeaker)
	if err != nil {
		return fmt.Errorf("the speaker: %w", err)
	}
	a.mu.Lock()
	a.speaker = speaker
	a.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	turns := make(chan struct{}, entersAtOnce)
	for number := range listeners {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-turns }()
			listener, err := patiently(ctx, at.enterListener)
			if err != nil {
				cancel(fmt.Errorf("listener %d: %w", number, err))
				return
			}
			a.mu.Lock()
			a.listeners = append(a.listeners, listener)
			a.mu.Unlock()
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// patiently tries to come in up to three times: joining is not what is compared, and a busy machine makes one in a thousand fail.
func patiently[T any](ctx context.Context, enter func(context.Context) (T, error)) (T, error) {
	for try := 1; ; try++ {
		entering, done := context.WithTimeout(ctx, joinPatience)
		who, err := enter(entering)
		done()
		if err == nil || try == 3 || ctx.Err() != nil {
			return who, err
		}
		fmt.Fprintln(os.Stderr, "loadclient: once more:", err)
	}
}

func (a *audience) everybody() []attendee {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := append([]attendee(nil), a.listeners...)
	if a.speaker != nil {
		all = append(all, a.speaker)
	}
	return all
}

// keepAlive lets everybody say once in five seconds that they are there, spread over that time.
func (a *audience) keepAlive(ctx context.Context) {
	const period, steps = 5 * time.Second, 100
	ticker := time.NewTicker(period / steps)
	defer ticker.Stop()
	for step := 0; ; step = (step + 1) % steps {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for i, who := range a.everybody() {
			if i%steps == step {
				_ = who.keepAlive(a.reader) // a session that is gone shows as a listener who heard nothing
			}
		}
	}
}

func (a *audience) obey(ctx context.Context, commands io.Reader, frames []spokenFrame) error {
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		settle, length, err := parseWindow(lines.Text())
		if err != nil {
			return err
		}
		if err := a.window(ctx, frames, settle, length); err != nil {
			return err
		}
	}
	return lines.Err()
}

func parseWindow(line string) (settle, length time.Duration, err error) {
	var settling, lasting string
	if _, err := fmt.Sscanf(line, "window %s %s", &settling, &lasting); err != nil {
		return 0, 0, fmt.Errorf("%q is not a command: %w", line, err)
	}
	if settle, err = time.ParseDuration(settling); err != nil {
		return 0, 0, err
	}
	length, err = time.ParseDuration(lasting)
	return settle, length, err
}

func (a *audience) window(ctx context.Context, frames []spokenFrame, settle, length time.Duration) error {
	talking, hush := context.WithCancel(ctx)
	silent := make(chan error, 1)
	go func() { silent <- a.talk(talking, frames) }()
	err := func() error {
		if err := wait(ctx, settle); err != nil {
			return err
		}
		before, _ := a.tally()
		report(map[string]any{"kind": "mark"})
		if err := wait(ctx, length); err != nil {
			return err
		}
		after, delays := a.tally()
		report(between(before, after, delays))
		return nil
	}()
	hush()
	return errors.Join(err, <-silent)
}

// talk sends a frame each 20 ms until ctx ends; the next time it goes on with the next number.
func (a *audience) talk(ctx context.Context, frames []spokenFrame) error {
	const interval = time.Second / frameRate
	buffer := make([]byte, 0, largestPacket)
	for next := time.Now(); ; next = next.Add(interval) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
		frame := frames[int(a.number)%len(frames)]
		m := mark{number: a.number, sentNs: time.Now().UnixNano()}
		a.reader.schedule.note(frame.opus, m)
		buffer = appendMarked(buffer[:0], frame.opus, m)
		if err := a.speaker.sendOpus(buffer, frame.level, uint16(a.number), a.number*960); err != nil {
			return fmt.Errorf("the speaker: %w", err)
		}
		a.number++
		a.said.Add(1)
	}
}

// tally are counters since the beginning.
type tally struct {
	at          time.Time
	said        uint64
	bytes       uint64
	lost        uint64
	refused     uint64
	unmarked    uint64
	packets     []uint64 // of each listener
	processSecs float64
}

// tally also hands over the delays since the last one.
func (a *audience) tally() (tally, *delayCount) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reader.mu.Lock()
	defer a.reader.mu.Unlock()
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	t := tally{at: time.Now(), said: a.said.Load(), packets: make([]uint64, 0, len(a.listeners))}
	t.processSecs = float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	for _, listener := range a.listeners {
		heard := listener.ears()
		_, lost := heard.lost()
		t.bytes += heard.bytes
		t.lost += lost
		t.refused += heard.refused
		t.unmarked += heard.unmarked
		t.packets = append(t.packets, heard.packets)
	}
	delays := a.reader.delays
	a.reader.delays = new(delayCount)
	return t, delays
}

// comparedWindow is what the audience received between two moments.
type comparedWindow struct {
	Kind          string  `json:"kind"`
	Seconds       float64 `json:"seconds"`
	Said          uint64  `json:"said"`      // frames of 20 ms that the speaker sent
	Listeners     int     `json:"listeners"` // how many are connected
	Heard         int     `json:"heard"`     // how many of them heard something
	Packets       uint64  `json:"packets"`   // received and decrypted by all together
	Fewest        uint64  `json:"fewest"`    // by the listener who received fewest
	Bytes         uint64  `json:"bytes"`     // as UDP payload
	Lost          int64   `json:"lost"`
	Undecryptable uint64  `json:"undecryptable"`
	Unmarked      uint64  `json:"unmarked"` // of which nobody can tell what is missing between them
	DelayP50Ms    float64 `json:"delay_p50_ms"`
	DelayP99Ms    float64 `json:"delay_p99_ms"`
	ClientCPU     float64 `json:"client_cpu_secs"`
}

func between(before, after tally, delays *delayCount) comparedWindow {
	w := comparedWindow{
		Kind: "window", Seconds: after.at.Sub(before.at).Seconds(), Said: after.said - before.said, Listeners: len(after.packets),
		Bytes: after.bytes - before.bytes,
		// Signed: a packet that comes late undoes a loss that was counted before.
		Lost: int64(after.lost - before.lost), Undecryptable: after.refused - before.refused, Unmarked: after.unmarked - before.unmarked,
		DelayP50Ms: delays.percentileMs(0.5), DelayP99Ms: delays.percentileMs(0.99), ClientCPU: after.processSecs - before.processSecs,
	}
	for i, total := range after.packets {
		packets := total - before.packets[i]
		if packets > 0 {
			w.Heard++
		}
		if i == 0 || packets < w.Fewest {
			w.Fewest = packets
		}
		w.Packets += packets
	}
	return w
}

func (a *audience) close() {
	for _, who := range a.everybody() {
		who.close(a.reader)
	}
}
