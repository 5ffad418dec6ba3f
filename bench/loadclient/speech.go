package main

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

//go:embed speech/speech.opus
var speechOgg []byte

//go:embed speech/speech.levels
var speechLevels string

// frameRate is how many Opus frames of 20 ms a speaker sends each second.
const frameRate = 50

// spokenFrame is one encoded 20 ms Opus frame with its loudness.
type spokenFrame struct {
	opus []byte
	// level is the RFC 6464 audio level: 0 is the loudest, 127 is silence, in -dBov.
	level uint8
}

// silentFrame is what an open but quiet microphone sends: Opus's two-byte "nothing was said" packet (code 0, empty frame).
var silentFrame = spokenFrame{opus: []byte{0x78}, level: 127}

// loadSpeech parses the embedded recording (see speech/make.sh).
func loadSpeech() ([]spokenFrame, error) {
	packets, err := oggPackets(speechOgg)
	if err != nil {
		return nil, err
	}
	if len(packets) < 3 {
		return nil, errors.New("the recording holds no sound")
	}
	packets = packets[2:] // RFC 7845: OpusHead and OpusTags come first
	levels := strings.Fields(speechLevels)
	if len(levels) != len(packets) {
		return nil, fmt.Errorf("%d levels for %d frames", len(levels), len(packets))
	}
	frames := make([]spokenFrame, len(packets))
	for i, text := range levels {
		level, err := strconv.ParseUint(text, 10, 7)
		if err != nil {
			return nil, fmt.Errorf("level %d: %w", i, err)
		}
		frames[i] = spokenFrame{opus: packets[i], level: uint8(level)}
	}
	return frames, nil
}

// oggPackets splits a single-stream Ogg file (RFC 3533) into its packets.
func oggPackets(file []byte) ([][]byte, error) {
	var packets [][]byte
	var open []byte
	for len(file) > 0 {
		if len(file) < 27 || string(file[:4]) != "OggS" {
			return nil, errors.New("not an Ogg page")
		}
		segments := int(file[26])
		if len(file) < 27+segments {
			return nil, errors.New("an Ogg page ends inside its header")
		}
		lacing, body := file[27:27+segments], file[27+segments:]
		for _, size := range lacing {
			if len(body) < int(size) {
				return nil, errors.New("an Ogg page ends inside a packet")
			}
			open = append(open, body[:size]...)
			body = body[size:]
			if size < 255 { // a segment of 255 bytes is continued by the next one
				packets = append(packets, open)
				open = nil
			}
		}
		file = body
	}
	return packets, nil
}

// A mark travels inside the Opus packet as padding, which decoders skip (RFC 6716 section 3.2.5), so that the packet stays valid sound
// and the mark survives a server that rewrites the RTP header but leaves the sound alone.
//
//	"slm" | speaker, 1 byte | number, 4 bytes | send time, 8 bytes: nanoseconds since the Unix epoch
const markSize = 16

const markMagic = "slm"

type mark struct {
	speaker uint8
	number  uint32
	sentNs  int64
}

// appendMarked appends frame as an Opus packet of code 3 (one frame, padded) that ends with m.
func appendMarked(dst []byte, frame []byte, m mark) []byte {
	dst = append(dst, frame[0]|0b11, 0b0100_0001, markSize) // TOC with code 3; padding flag, one frame; padding length
	dst = append(dst, frame[1:]...)
	dst = append(dst, markMagic...)
	dst = append(dst, m.speaker)
	dst = binary.BigEndian.AppendUint32(dst, m.number)
	return binary.BigEndian.AppendUint64(dst, uint64(m.sentNs))
}

// findMark reads the mark that padding ends with; false if there is none.
func findMark(padding []byte) (mark, bool) {
	if len(padding) < markSize {
		return mark{}, false
	}
	tail := padding[len(padding)-markSize:]
	if string(tail[:3]) != markMagic {
		return mark{}, false
	}
	return mark{
		speaker: tail[3],
		number:  binary.BigEndian.Uint32(tail[4:]),
		sentNs:  int64(binary.BigEndian.Uint64(tail[8:])),
	}, true
}
