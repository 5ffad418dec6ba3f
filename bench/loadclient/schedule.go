package main

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// keySize is how many first bytes of a compressed frame tell it from all others of the recording.
const keySize = 8

// schedule remembers of each frame of the recording when it was last sent, by its first bytes. So a listener can tell frames that a server
// has packed together, without their padding: the recording is much longer than any packet is under way.
type schedule struct {
	lastSent map[uint64]*atomic.Pointer[mark]
}

// newSchedule raises an error if two frames begin alike.
func newSchedule(frames []spokenFrame) (*schedule, error) {
	s := &schedule{make(map[uint64]*atomic.Pointer[mark], len(frames))}
	for i, frame := range frames {
		key, ok := frameKey(frame.opus[1:])
		if !ok {
			continue // too short to be told: a pause
		}
		if s.lastSent[key] != nil {
			return nil, fmt.Errorf("frame %d begins as an earlier one", i)
		}
		s.lastSent[key] = new(atomic.Pointer[mark])
	}
	return s, nil
}

func frameKey(compressed []byte) (uint64, bool) {
	if len(compressed) < keySize {
		return 0, false
	}
	return binary.LittleEndian.Uint64(compressed), true
}

// note says that a frame (with its TOC byte) leaves now; of no account where nobody asks.
func (s *schedule) note(opus []byte, m mark) {
	if s == nil {
		return
	}
	if key, ok := frameKey(opus[1:]); ok {
		if entry := s.lastSent[key]; entry != nil {
			entry.Store(&m)
		}
	}
}

// find tells when a compressed frame was last sent; nil for one that never was.
func (s *schedule) find(compressed []byte) *mark {
	if s == nil {
		return nil
	}
	key, ok := frameKey(compressed)
	if !ok {
		return nil
	}
	if entry := s.lastSent[key]; entry != nil {
		return entry.Load()
	}
	return nil
}

// marksOf reads the marks of an Opus packet: the one in its padding, or, where a server has packed several frames into one, of each frame
// by what it holds. The result is overwritten by the next call; the reader's lock is held.
func (r *reader) marksOf(opus []byte) []mark {
	r.marks = r.marks[:0]
	frames, padding, err := opusFrames(r.frames[:0], opus)
	r.frames = frames
	if err != nil {
		return nil
	}
	if m, ok := findMark(padding); ok && len(frames) == 1 {
		return append(r.marks, m)
	}
	for _, frame := range frames {
		if m := r.schedule.find(frame); m != nil {
			r.marks = append(r.marks, *m)
		}
	}
	return r.marks
}
