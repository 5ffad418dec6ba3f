package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"time"
)

// A silencing is one way in which somebody loses the right to be heard, or to be there at all, and how they get it back.
type silencing struct {
	name string
	// leaves: out of the room, silent in both directions; otherwise they go on hearing.
	leaves bool
	act    func(ctx context.Context, t *silencingTrials) error
	undo   func(ctx context.Context, t *silencingTrials) error
}

// silencings in the order in which the trials go round.
var silencings = []silencing{
	{name: "mute_speaker", act: hostCommand("mute_speaker"), undo: func(ctx context.Context, t *silencingTrials) error {
		return t.victim.command(ctx, t.load.rooms[0], "unmute", map[string]any{})
	}},
	{name: "move_to_audience", act: hostCommand("move_to_audience"), undo: func(ctx context.Context, t *silencingTrials) error {
		return t.speakAgain(ctx)
	}},
	{name: "mute", act: func(ctx context.Context, t *silencingTrials) error {
		return t.victim.command(ctx, t.load.rooms[0], "mute", map[string]any{})
	}, undo: func(ctx context.Context, t *silencingTrials) error {
		return t.victim.command(ctx, t.load.rooms[0], "unmute", map[string]any{})
	}},
	{name: "hold_mute", act: func(ctx context.Context, t *silencingTrials) error {
		return t.load.host.command(ctx, t.load.rooms[0], "hold_mute", map[string]any{"person": t.person, "reason": "A measurement."})
	}, undo: func(ctx context.Context, t *silencingTrials) error {
		if err := hostCommand("release_mute")(ctx, t); err != nil {
			return err
		}
		return t.victim.command(ctx, t.load.rooms[0], "unmute", map[string]any{})
	}},
	{name: "step_down", act: func(ctx context.Context, t *silencingTrials) error {
		return t.victim.command(ctx, t.load.rooms[0], "step_down", map[string]any{})
	}, undo: func(ctx context.Context, t *silencingTrials) error { return t.speakAgain(ctx) }},
	{name: "remove_person", leaves: true, act: hostCommand("remove_person"), undo: func(ctx context.Context, t *silencingTrials) error {
		if err := hostCommand("undo_removal")(ctx, t); err != nil {
			return err
		}
		return t.comeBack(ctx)
	}},
	{name: "block", leaves: true, act: func(ctx context.Context, t *silencingTrials) error {
		return t.load.host.askJSON(ctx, http.MethodPut, "/api/v1/people/"+t.handle+"/block", nil, nil)
	}, undo: func(ctx context.Context, t *silencingTrials) error {
		if err := t.load.host.askJSON(ctx, http.MethodDelete, "/api/v1/people/"+t.handle+"/block", nil, nil); err != nil {
			return err
		}
		return t.comeBack(ctx)
	}},
}

func hostCommand(name string) func(context.Context, *silencingTrials) error {
	return func(ctx context.Context, t *silencingTrials) error {
		return t.load.host.command(ctx, t.load.rooms[0], name, map[string]any{"person": t.person})
	}
}

// The server asks for a second moderator from the 21st removal within a minute on, and lets one person open one sound session a second
// on the long run; each trial that removes takes up to six. Trials must be refused for what they test and for nothing else.
const removalInterval = 8500 * time.Millisecond

// silencingTrials is a room in which one person, the victim, speaks and is silenced again and again.
type silencingTrials struct {
	load     *roomLoad
	frames   []spokenFrame
	victim   *account
	person   string
	handle   string
	listens  *peer // the victim's own ears
	speaks   *peer // the victim's voice
	observer *peer // somebody else's ears
	removed  time.Time
}

// silencingReport is one trial; times are milliseconds after the server's answer, 0 for what ended before it.
type silencingReport struct {
	Kind     string  `json:"kind"`
	Act      string  `json:"act"`
	AnswerMs float64 `json:"answer_ms"`
	// HeardMs: the last packet of the victim's voice on the observer's socket.
	HeardMs float64 `json:"heard_ms"`
	// SinceAskedMs: the same, after the command was sent.
	SinceAskedMs float64 `json:"since_asked_ms"`
	// HearingMs: the last packet of sound on the victim's own socket; only where the act takes them out of the room.
	HearingMs float64 `json:"hearing_ms"`
	// Admitted: attempts to come back in, by every door, that were not refused while they had to be.
	Admitted int `json:"admitted"`
}

func runSilencing(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("silencing", flag.ExitOnError)
	base := flags.String("base", "http://localhost:8000", "the server")
	tokens := flags.String("tokens", "", "file with one bearer token a line: the host's, the victim's, the observer's")
	trials := flags.Int("trials", 70, "how often somebody is silenced")
	audience := flags.Int("audience", 0, "further listeners in the room")
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
	if len(accounts) != 3 {
		return fmt.Errorf("%s holds %d tokens; three are needed", *tokens, len(accounts))
	}
	frames, err := loadSpeech()
	if err != nil {
		return err
	}
	with, err := equip(nil)
	if err != nil {
		return err
	}
	load, err := openRoom(ctx, with.reader, with.identity, accounts[:2], 2)
	if err != nil {
		return err
	}
	defer closeOpened(load)
	talking, quiet := context.WithCancel(ctx)
	defer quiet()
	t := &silencingTrials{load: load, frames: frames, victim: accounts[1], listens: load.members[1], speaks: load.speakers[1]}
	// The host talks all the time, so that the victim has something to hear until it ends; the victim talks as well.
	go func() { _ = load.speak(talking, load.speakers[0], 0, time.Now(), frames, 0) }()
	t.talk(talking)
	go load.keepAlive(talking)
	if t.person, err = t.victim.personID(ctx); err != nil {
		return err
	}
	if t.handle, err = t.victim.handle(ctx); err != nil {
		return err
	}
	if t.observer, err = load.start(ctx, accounts[2], load.rooms[0], listening, 2); err != nil {
		return err
	}
	with.reader.mu.Lock()
	t.observer.heard.voices = map[uint8]int64{}
	with.reader.mu.Unlock()
	load.members = append(load.members, t.observer)
	if *audience > 0 {
		joined := load.joinUpTo(ctx, *audience, false, 50)
		if joined.Refused > 0 || len(joined.Failures) > 0 {
			return fmt.Errorf("%d listeners did not get in: %v", *audience-joined.Listeners, joined.Failures)
		}
	}
	done := make(chan error, 1)
	go func() { done <- t.run(talking, *trials) }()
	return firstOf(with.failed, done)
}

func (t *silencingTrials) run(ctx context.Context, trials int) error {
	for i := range trials {
		s := silencings[i%len(silencings)]
		if s.leaves {
			// Pace, never luck: see removalInterval.
			if err := sleep(ctx, time.Until(t.removed.Add(removalInterval))); err != nil {
				return err
			}
			t.removed = time.Now()
		}
		if err := t.untilHeard(ctx); err != nil {
			return fmt.Errorf("before %s, trial %d: %w", s.name, i, err)
		}
		asked := time.Now()
		if err := s.act(ctx, t); err != nil {
			return fmt.Errorf("trial %d: %w", i, err)
		}
		answered := time.Now()
		line := silencingReport{Kind: "silenced", Act: s.name, AnswerMs: milliseconds(answered.Sub(asked))}
		if s.leaves {
			line.Admitted = t.tryEveryDoor(ctx)
		}
		if err := t.untilQuiet(ctx, s.leaves); err != nil {
			return fmt.Errorf("after %s, trial %d: %w", s.name, i, err)
		}
		voice, sound := t.lastHeard()
		line.HeardMs = milliseconds(max(voice.Sub(answered), 0))
		line.SinceAskedMs = milliseconds(voice.Sub(asked))
		if s.leaves {
			line.HearingMs = milliseconds(max(sound.Sub(answered), 0))
		}
		report(line)
		if err := s.undo(ctx, t); err != nil {
			return fmt.Errorf("undoing %s, trial %d: %w", s.name, i, err)
		}
	}
	report(map[string]any{"kind": "done"})
	return nil
}

// quietFor is how long nothing must come before it counts as having ended: the victim sends a packet every 20 ms.
const quietFor = 300 * time.Millisecond

// neverQuiet is when a trial counts as failed outright; its times then say so.
const neverQuiet = 5 * time.Second

func (t *silencingTrials) untilQuiet(ctx context.Context, leaves bool) error {
	began := time.Now()
	for {
		voice, sound := t.lastHeard()
		last := voice
		if leaves && sound.After(last) {
			last = sound
		}
		if last.Before(began) {
			last = began
		}
		if time.Since(last) >= quietFor || time.Since(began) >= neverQuiet {
			return nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

func (t *silencingTrials) untilHeard(ctx context.Context) error {
	since := time.Now()
	for {
		if voice, sound := t.lastHeard(); voice.After(since) && sound.After(since) {
			return nil
		}
		if time.Since(since) > 10*time.Second {
			return errors.New("the victim is not heard, or hears nothing, within 10 s of being let")
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

// lastHeard is when the victim's voice last came to the observer, and when sound last came to the victim: the kernel's arrival times.
func (t *silencingTrials) lastHeard() (voice, sound time.Time) {
	t.load.reader.mu.Lock()
	defer t.load.reader.mu.Unlock()
	return time.Unix(0, t.observer.heard.voices[1]), time.Unix(0, t.listens.heard.lastNs)
}

// tryEveryDoor counts how many attempts of somebody who may not be in the room were not refused.
func (t *silencingTrials) tryEveryDoor(ctx context.Context) (admitted int) {
	for _, d := range []direction{listening, speaking} {
		p := newPeer(t.load.identity, d, 1)
		if _, err := t.victim.exchange(ctx, t.load.rooms[0], d, p.offer()); err == nil {
			admitted++
		}
	}
	// ICE restarts of the sessions that were open, with their old credentials known.
	for _, p := range []*peer{t.listens, t.speaks} {
		fragment := fmt.Sprintf("a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", hexToken(4), hexToken(16))
		if err := t.victim.restart(ctx, p.location, fragment); err == nil {
			admitted++
		}
		// The old sockets go on asking and sending, as a client that does not give up would.
		_ = p.sendCheck(t.load.reader)
	}
	for _, name := range []string{"raise_hand", "unmute", "accept_invitation"} {
		if t.victim.command(ctx, t.load.rooms[0], name, map[string]any{}) == nil {
			admitted++
		}
	}
	return admitted
}

// comeBack enters anew, and goes on to the stage.
func (t *silencingTrials) comeBack(ctx context.Context) error {
	p, err := t.load.start(ctx, t.victim, t.load.rooms[0], listening, 2)
	if err != nil {
		return fmt.Errorf("entering again: %w", err)
	}
	t.load.replace(t.listens, p)
	t.listens = p
	return t.speakAgain(ctx)
}

func (t *silencingTrials) speakAgain(ctx context.Context) error {
	if err := bringOnStage(ctx, t.load.host, t.victim, t.load.rooms[0]); err != nil {
		return fmt.Errorf("back to the stage: %w", err)
	}
	p, err := t.load.start(ctx, t.victim, t.load.rooms[0], speaking, 1)
	if err != nil {
		return fmt.Errorf("speaking again: %w", err)
	}
	t.load.replace(t.speaks, p)
	t.speaks = p
	t.talk(ctx)
	err = t.victim.command(ctx, t.load.rooms[0], "unmute", map[string]any{})
	var refused *refusal
	if errors.As(err, &refused) && refused.Code == "not_muted" {
		return nil
	}
	return err
}

// talk lets the victim's present voice send until its socket is closed: whatever the server says, a hostile client goes on.
func (t *silencingTrials) talk(ctx context.Context) {
	voice := t.speaks
	go func() {
		const interval = time.Second / frameRate
		buffer := make([]byte, 0, largestPacket)
		next := time.Now()
		for number := uint32(0); ; number++ {
			if sleep(ctx, time.Until(next)) != nil {
				return
			}
			frame := t.frames[int(number)%len(t.frames)]
			buffer = appendMarked(buffer[:0], frame.opus, mark{speaker: 1, number: number, sentNs: time.Now().UnixNano()})
			// As loud as can be, so that the choice of speakers never leaves it out.
			if voice.sendOpus(buffer, 0, uint16(number), number*960) != nil {
				return
			}
			next = next.Add(interval)
		}
	}()
}

func sleep(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
