package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// entrance is how somebody gets an answer to an offer: through the front door (account), or straight from the media process (guest).
type entrance interface {
	// open posts an offer and returns the answer's SDP and the session's path on the server.
	open(ctx context.Context, room string, d direction, offer string) (answerSdp, location string, err error)
}

// roomLoad is one open room, or several, with speakers and listeners of ours.
type roomLoad struct {
	reader   *reader
	identity identity
	slots    int
	rooms    []string
	stage    int      // speakers of each room
	silent   bool     // nobody ever talks
	host     *account // nil where nobody came through the front door

	newcomer func(room int) entrance
	end      func(ctx context.Context) error

	mu       sync.Mutex
	members  []*peer // the stage's own listening sessions
	audience []*peer
	speakers []*peer // room by room

	sent  atomic.Uint64 // packets sent by all speakers
	quiet atomic.Bool   // nobody sends
}

// openRoom opens a room with the first account as host and brings the others onto its stage. All of them speak when it returns.
func openRoom(ctx context.Context, r *reader, id identity, accounts []*account, slots int) (*roomLoad, error) {
	host := accounts[0]
	load := &roomLoad{reader: r, identity: id, slots: slots, stage: len(accounts), host: host}
	var opened struct {
		ID string `json:"id"`
	}
	fields := map[string]any{"title": "Rivers and their towns", "language": "en"}
	if err := host.askJSON(ctx, "POST", "/api/v1/rooms", fields, &opened); err != nil {
		return nil, err
	}
	load.rooms = []string{opened.ID}
	load.newcomer = func(int) entrance { return newVisitor(host.base, host.client) }
	load.end = func(ctx context.Context) error { return host.command(ctx, opened.ID, "end_room", map[string]any{}) }
	for i, speaker := range accounts {
		// Nobody talks yet, so there is no first sound to wait for: being connected is enough.
		member, err := load.start(ctx, speaker, opened.ID, listening, slots)
		if err != nil {
			return nil, fmt.Errorf("speaker %d enters: %w", i, err)
		}
		load.members = append(load.members, member)
		if i > 0 {
			if err := bringOnStage(ctx, host, speaker, opened.ID); err != nil {
				return nil, fmt.Errorf("speaker %d: %w", i, err)
			}
		}
		voice, err := load.start(ctx, speaker, opened.ID, speaking, 1)
		if err != nil {
			return nil, fmt.Errorf("speaker %d speaks: %w", i, err)
		}
		load.speakers = append(load.speakers, voice)
	}
	return load, nil
}

// inventRooms opens rooms at the media process alone, each with so many speakers, who do not listen.
func inventRooms(ctx context.Context, r *reader, id identity, c *control, rooms, stage, slots int) (*roomLoad, error) {
	load := &roomLoad{reader: r, identity: id, slots: slots, stage: stage}
	policies := make([]*policy, rooms)
	for i := range policies {
		policies[i] = invented(stage)
		load.rooms = append(load.rooms, policies[i].Room)
		for _, seat := range policies[i].Speakers {
			voice, err := load.start(ctx, &guest{c, policies[i], seat.Person}, policies[i].Room, speaking, 1)
			if err != nil {
				return nil, fmt.Errorf("a speaker of room %d: %w", i, err)
			}
			load.speakers = append(load.speakers, voice)
		}
	}
	load.newcomer = func(room int) entrance { return &guest{c, policies[room], newID()} }
	load.end = func(ctx context.Context) error {
		for _, p := range policies {
			if err := c.end(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}
	return load, nil
}

func bringOnStage(ctx context.Context, host, speaker *account, room string) error {
	person, err := speaker.personID(ctx)
	if err != nil {
		return err
	}
	invite := func() error { return host.command(ctx, room, "invite_to_stage", map[string]any{"person": person}) }
	if err := whileNotInRoom(invite); err != nil {
		return err
	}
	return speaker.command(ctx, room, "accept_invitation", map[string]any{})
}

// whileNotInRoom repeats a command for up to five seconds while the answer is that somebody is not in the room: entering
// counts once the sound is connected, and the server learns that a moment after the client does.
func whileNotInRoom(command func() error) error {
	for attempt := 0; ; attempt++ {
		err := command()
		var refused *refusal
		if attempt == 50 || !errors.As(err, &refused) || refused.Code != "not_in_room" {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// start exchanges SDP and connects one session.
func (l *roomLoad) start(ctx context.Context, who entrance, room string, d direction, slots int) (*peer, error) {
	p := newPeer(l.identity, d, slots)
	answer, location, err := who.open(ctx, room, d, p.offer())
	if err != nil {
		return nil, err
	}
	p.location = location
	if err := p.connect(ctx, l.reader, answer); err != nil {
		p.close(l.reader)
		return nil, err
	}
	return p, nil
}

// joinPatience is how long a listener tries before it counts as failed.
const joinPatience = 15 * time.Second

// join brings one visitor into a room's audience and returns the time from due, when they wanted to come, to the first decrypted packet
// (in silence: to being connected).
func (l *roomLoad) join(ctx context.Context, room int, due time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	p, err := l.start(ctx, l.newcomer(room), l.rooms[room], listening, l.slots)
	if err != nil {
		return 0, err
	}
	arrived := time.Now().UnixNano()
	if !l.silent {
		select {
		case <-p.heardFirst:
		case <-ctx.Done():
			p.close(l.reader)
			return 0, errors.New("connected, but heard nothing")
		}
		l.reader.mu.Lock()
		arrived = p.heard.firstNs
		l.reader.mu.Unlock()
	}
	l.mu.Lock()
	l.audience = append(l.audience, p)
	l.mu.Unlock()
	return time.Duration(arrived - due.UnixNano()), nil
}

// joinsAtOnce bounds how many join at the same time. A server that cannot keep the pace then gets them later, and their waiting counts.
const joinsAtOnce = 512

// joinReport is how a group of joins went.
type joinReport struct {
	Kind      string         `json:"kind"`
	Listeners int            `json:"listeners"`
	OneByOne  bool           `json:"one_by_one"`
	Seconds   float64        `json:"seconds"` // from the first join to the end of the last
	AudioMs   []float64      `json:"audio_ms"`
	Refused   int            `json:"refused"`
	Failures  map[string]int `json:"failures"`
}

// joinUpTo brings the audience to count listeners: one after the other (each waits for the last one's first sound), or at a rate per second.
func (l *roomLoad) joinUpTo(ctx context.Context, count int, oneByOne bool, rate float64) joinReport {
	report := joinReport{Kind: "joined", OneByOne: oneByOne, AudioMs: []float64{}, Failures: map[string]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	note := func(took time.Duration, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			report.AudioMs = append(report.AudioMs, float64(took.Microseconds())/1000)
			return
		}
		var refused *refusal
		if errors.As(err, &refused) {
			report.Refused++
		}
		report.Failures[err.Error()]++
	}
	interval := time.Duration(float64(time.Second) / rate)
	turns := make(chan struct{}, joinsAtOnce)
	began := time.Now()
	for i := range count - len(l.audience) {
		room := i % len(l.rooms)
		if oneByOne {
			// Each join ends with a packet: without a random pause the next one would begin in step with the speaker's packets.
			time.Sleep(rand.N(time.Second / frameRate))
			note(l.join(ctx, room, time.Now()))
			continue
		}
		due := began.Add(time.Duration(i) * interval)
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
		turns <- struct{}{}
		group.Add(1)
		go func() {
			defer func() { <-turns; group.Done() }()
			note(l.join(ctx, room, due))
		}()
	}
	group.Wait()
	report.Seconds = time.Since(began).Seconds()
	report.Listeners = len(l.audience)
	return report
}

// talk sends a frame of every speaker each 20 ms until ctx ends. One of each room speaks at a time, each for a turn (0: the first one for
// good), while the others' microphones are open and quiet.
func (l *roomLoad) talk(ctx context.Context, frames []spokenFrame, turn time.Duration) error {
	failed := make(chan error, len(l.speakers))
	began := time.Now()
	for index, speaker := range l.speakers {
		go func() { failed <- l.speak(ctx, speaker, index, began, frames, turn) }()
	}
	var first error
	for range l.speakers {
		if err := <-failed; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (l *roomLoad) speak(ctx context.Context, speaker *peer, index int, began time.Time, frames []spokenFrame, turn time.Duration) error {
	const interval = time.Second / frameRate
	// Real speakers are not in step.
	next := began.Add(interval * time.Duration(index) / time.Duration(len(l.speakers)))
	buffer := make([]byte, 0, largestPacket)
	number := uint32(0)
	for tick := uint32(0); ; tick++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
		next = next.Add(interval)
		if l.quiet.Load() {
			continue
		}
		active := 0
		if turn > 0 {
			active = int(time.Since(began)/turn) % l.stage
		}
		frame := silentFrame
		if index%l.stage == active {
			frame = frames[int(number)%len(frames)]
		}
		m := mark{speaker: uint8(index), number: number, sentNs: time.Now().UnixNano()}
		l.reader.schedule.note(frame.opus, m)
		buffer = appendMarked(buffer[:0], frame.opus, m)
		if err := speaker.sendOpus(buffer, frame.level, uint16(number), tick*960); err != nil {
			return fmt.Errorf("speaker %d: %w", index, err)
		}
		l.sent.Add(1)
		number++
	}
}

// keepAlive renews consent and reports reception for every session, each once in five seconds (RFC 7675 section 5.1, RFC 3550 section 6.2).
func (l *roomLoad) keepAlive(ctx context.Context) {
	const period, steps = 5 * time.Second, 100
	ticker := time.NewTicker(period / steps)
	defer ticker.Stop()
	for step := 0; ; step = (step + 1) % steps {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for i, p := range l.sessions() {
			if i%steps == step {
				_ = p.sendCheck(l.reader)
				_ = p.sendReport(l.reader)
			}
		}
	}
}

// replace closes a session of the stage and puts another in its place.
func (l *roomLoad) replace(old, with *peer) {
	l.mu.Lock()
	for _, sessions := range [][]*peer{l.members, l.speakers} {
		for i, p := range sessions {
			if p == old {
				sessions[i] = with
			}
		}
	}
	l.mu.Unlock()
	old.close(l.reader)
}

func (l *roomLoad) sessions() []*peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*peer, 0, len(l.members)+len(l.speakers)+len(l.audience))
	all = append(all, l.members...)
	all = append(all, l.speakers...)
	return append(all, l.audience...)
}

// totals are counters since the start over every listening session.
type totals struct {
	at              time.Time
	sent            uint64
	packets, bytes  uint64
	lostRtp, lost   uint64
	refused         uint64
	unmarked        uint64
	audiencePackets []uint64
	processSecs     float64
}

func (l *roomLoad) count() (totals, *delayCount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	t := totals{sent: l.sent.Load(), audiencePackets: make([]uint64, 0, len(l.audience))}
	t.processSecs = float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	l.reader.mu.Lock()
	defer l.reader.mu.Unlock()
	t.at = time.Now()
	add := func(p *peer) {
		byRtp, byMark := p.heard.lost()
		t.packets += p.heard.packets
		t.bytes += p.heard.bytes
		t.lostRtp += byRtp
		t.lost += byMark
		t.refused += p.heard.refused
		t.unmarked += p.heard.unmarked
	}
	for _, p := range l.members {
		add(p)
	}
	for _, p := range l.audience {
		add(p)
		t.audiencePackets = append(t.audiencePackets, p.heard.packets)
	}
	delays := l.reader.delays
	l.reader.delays = new(delayCount)
	return t, delays
}

// windowReport is what the listeners received between two moments.
type windowReport struct {
	Kind          string  `json:"kind"`
	Listeners     int     `json:"listeners"`
	Heard         int     `json:"heard"` // listeners of the audience that heard something in this window
	Seconds       float64 `json:"seconds"`
	Packets       uint64  `json:"packets"`       // received and decrypted, by the stage's own listening sessions too
	Bytes         uint64  `json:"bytes"`         // as UDP payload
	ListenerRate  float64 `json:"listener_rate"` // packets a second that a listener of the audience received
	SpeakerRate   float64 `json:"speaker_rate"`  // packets a second that a speaker sent: 50, unless this process was kept waiting
	LostRtp       int64   `json:"lost_rtp"`
	Lost          int64   `json:"lost"`
	Undecryptable uint64  `json:"undecryptable"`
	Unmarked      uint64  `json:"unmarked"`
	DelayP50Ms    float64 `json:"delay_p50_ms"`
	DelayP99Ms    float64 `json:"delay_p99_ms"`
	DelayMaxMs    float64 `json:"delay_max_ms"`
	ClientCPU     float64 `json:"client_cpu_secs"`
}

func compare(before, after totals, delays *delayCount, speakers int) windowReport {
	seconds := after.at.Sub(before.at).Seconds()
	report := windowReport{
		Kind: "window", Listeners: len(after.audiencePackets), Seconds: seconds,
		Packets: after.packets - before.packets, Bytes: after.bytes - before.bytes,
		// Signed: a packet that comes late undoes a loss that an earlier window counted.
		SpeakerRate: float64(after.sent-before.sent) / float64(speakers) / seconds,
		LostRtp:     int64(after.lostRtp - before.lostRtp), Lost: int64(after.lost - before.lost),
		Undecryptable: after.refused - before.refused, Unmarked: after.unmarked - before.unmarked,
		DelayP50Ms: delays.percentileMs(0.5), DelayP99Ms: delays.percentileMs(0.99), DelayMaxMs: float64(delays.maxNs) / 1e6,
		ClientCPU: after.processSecs - before.processSecs,
	}
	var heardPackets uint64
	for i, packets := range after.audiencePackets {
		if i < len(before.audiencePackets) {
			packets -= before.audiencePackets[i]
		}
		if packets > 0 {
			report.Heard++
		}
		heardPackets += packets
	}
	if report.Listeners > 0 {
		report.ListenerRate = float64(heardPackets) / float64(report.Listeners) / seconds
	}
	return report
}

// close ends the rooms for everybody and frees our side.
func (l *roomLoad) close(ctx context.Context) error {
	err := l.end(ctx)
	for _, p := range l.sessions() {
		p.close(l.reader)
	}
	return err
}
