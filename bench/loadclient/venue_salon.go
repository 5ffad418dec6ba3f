package main

import (
	"context"
	"errors"
)

// salonVenue is a room on a Salon server: its host speaks, visitors listen.
type salonVenue struct{ load *roomLoad }

func openSalon(ctx context.Context, r *reader, id identity, base, tokens string) (*salonVenue, error) {
	accounts, err := readAccounts(base, tokens)
	if err != nil {
		return nil, err
	}
	load, err := openRoom(ctx, r, id, accounts[:1], 1)
	if err != nil {
		return nil, err
	}
	return &salonVenue{load}, nil
}

func (s *salonVenue) enterSpeaker(context.Context) (talker, error) {
	return &salonHost{s.load.speakers[0], s.load.members[0]}, nil
}

// salonHost speaks on one session and is in the room by another, which listens.
type salonHost struct {
	*peer
	member *peer
}

func (h *salonHost) keepAlive(r *reader) error {
	return errors.Join(h.peer.keepAlive(r), h.member.keepAlive(r))
}

func (h *salonHost) close(r *reader) {
	h.peer.close(r)
	h.member.close(r)
}

func (s *salonVenue) enterListener(ctx context.Context) (attendee, error) {
	return s.load.start(ctx, s.load.newcomer(0), s.load.rooms[0], listening, 1)
}

func (s *salonVenue) leave(ctx context.Context) error {
	return s.load.end(ctx)
}
