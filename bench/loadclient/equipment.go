package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// equipment is what all peers of this process share.
type equipment struct {
	identity identity
	reader   *reader
	// failed tells why the reader has ended; whoever sends may say there what has kept them from it.
	failed chan error
}

// equip also begins to receive. frames are what our speakers will say, by which listeners tell what is missing and how late the rest is;
// nil where nobody asks.
func equip(frames []spokenFrame) (equipment, error) {
	id, err := newIdentity()
	if err != nil {
		return equipment{}, err
	}
	r, err := newReader()
	if err != nil {
		return equipment{}, err
	}
	if frames != nil {
		if r.schedule, err = newSchedule(frames); err != nil {
			return equipment{}, err
		}
	}
	failed := make(chan error, 2)
	go func() { failed <- r.run() }() // ends with the process
	return equipment{id, r, failed}, nil
}

// openTalking opens a room in which the first account talks until ctx ends. What fails later comes on the channel.
func openTalking(ctx context.Context, accounts []*account) (*roomLoad, <-chan error, error) {
	frames, err := loadSpeech()
	if err != nil {
		return nil, nil, err
	}
	with, err := equip(frames)
	if err != nil {
		return nil, nil, err
	}
	load, err := openRoom(ctx, with.reader, with.identity, accounts, 1)
	if err != nil {
		return nil, nil, err
	}
	load.begin(ctx, frames, 0, with.failed)
	return load, with.failed, nil
}

// begin lets the speakers talk and everybody stay connected, until ctx ends.
func (l *roomLoad) begin(ctx context.Context, frames []spokenFrame, turn time.Duration, failed chan<- error) {
	go func() {
		if err := l.talk(ctx, frames, turn); err != nil {
			failed <- err
		}
	}()
	go l.keepAlive(ctx)
}

// closeOpened ends the room even when the time is up or somebody interrupts.
func closeOpened(load *roomLoad) {
	closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := load.close(closing); err != nil {
		fmt.Fprintln(os.Stderr, "loadclient: ending the room:", err)
	}
}

// firstOf waits for the end of a measurement, or for what ends it.
func firstOf(failed, measured <-chan error) error {
	select {
	case err := <-failed:
		return err
	case err := <-measured:
		return err
	}
}
