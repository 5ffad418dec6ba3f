package main

import "errors"

var errNoOpus = errors.New("no Opus packet")

// opusFrames appends the compressed frames of one Opus packet to frames and returns them with the packet's padding (RFC 6716 section 3.2).
// All of it shares packet's memory.
func opusFrames(frames [][]byte, packet []byte) ([][]byte, []byte, error) {
	if len(packet) == 0 {
		return frames, nil, errNoOpus
	}
	rest := packet[1:]
	switch packet[0] & 0b11 {
	case 0:
		return append(frames, rest), nil, nil
	case 1:
		if len(rest)%2 != 0 {
			return frames, nil, errNoOpus
		}
		return append(frames, rest[:len(rest)/2], rest[len(rest)/2:]), nil, nil
	case 2:
		size, rest, ok := frameSize(rest)
		if !ok || size > len(rest) {
			return frames, nil, errNoOpus
		}
		return append(frames, rest[:size], rest[size:]), nil, nil
	}
	return manyFrames(frames, rest)
}

// manyFrames reads a packet of code 3 from its second byte on (RFC 6716 section 3.2.5).
func manyFrames(frames [][]byte, rest []byte) ([][]byte, []byte, error) {
	if len(rest) == 0 {
		return frames, nil, errNoOpus
	}
	isVariable, isPadded, count := rest[0]&0x80 != 0, rest[0]&0x40 != 0, int(rest[0]&0x3f)
	rest = rest[1:]
	var padding []byte
	if isPadded {
		size := 0
		for more := true; more; {
			if len(rest) == 0 {
				return frames, nil, errNoOpus
			}
			more = rest[0] == 255 // 255 stands for 254 bytes, and another number follows
			size += int(rest[0])
			if more {
				size--
			}
			rest = rest[1:]
		}
		if size > len(rest) {
			return frames, nil, errNoOpus
		}
		rest, padding = rest[:len(rest)-size], rest[len(rest)-size:]
	}
	if count == 0 {
		return frames, nil, errNoOpus
	}
	if !isVariable {
		if len(rest)%count != 0 {
			return frames, nil, errNoOpus
		}
		for size := len(rest) / count; count > 0; count-- {
			frames, rest = append(frames, rest[:size]), rest[size:]
		}
		return frames, padding, nil
	}
	var sizes [64]int
	total := 0
	for i := range count - 1 {
		var ok bool
		if sizes[i], rest, ok = frameSize(rest); !ok {
			return frames, nil, errNoOpus
		}
		total += sizes[i]
	}
	if total > len(rest) {
		return frames, nil, errNoOpus
	}
	for _, size := range sizes[:count-1] {
		frames, rest = append(frames, rest[:size]), rest[size:]
	}
	return append(frames, rest), padding, nil
}

// frameSize reads a length of one or two bytes (RFC 6716 section 3.2.1).
func frameSize(rest []byte) (int, []byte, bool) {
	switch {
	case len(rest) == 0:
		return 0, nil, false
	case rest[0] < 252:
		return int(rest[0]), rest[1:], true
	case len(rest) == 1:
		return 0, nil, false
	}
	return int(rest[0]) + 4*int(rest[1]), rest[2:], true
}
