package main

import (
	"bytes"
	"testing"
)

func TestFramesOfEveryCode(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 300)
	cases := []struct {
		name    string
		packet  []byte
		frames  []string
		padding string
	}{
		{"one frame", []byte{0x78, 'a', 'b'}, []string{"ab"}, ""},
		{"two of one size", []byte{0x79, 'a', 'b', 'c', 'd'}, []string{"ab", "cd"}, ""},
		{"two of two sizes", []byte{0x7a, 1, 'a', 'b', 'c'}, []string{"a", "bc"}, ""},
		{"three of one size", []byte{0x7b, 3, 'a', 'b', 'c'}, []string{"a", "b", "c"}, ""},
		{"three of three sizes", []byte{0x7b, 0x83, 1, 2, 'a', 'b', 'c', 'd', 'e', 'f'}, []string{"a", "bc", "def"}, ""},
		{"one, padded", []byte{0x7b, 0x41, 2, 'a', 'b', 'p', 'q'}, []string{"ab"}, "pq"},
		{"a size of two bytes", append(append([]byte{0x7a, 252, 12}, long...), 'z'), []string{string(long), "z"}, ""},
		{"padding of more than 254", append([]byte{0x7b, 0x41, 255, 46, 'a'}, long...), []string{"a"}, string(long)},
	}
	for _, c := range cases {
		frames, padding, err := opusFrames(nil, c.packet)
		if err != nil || len(frames) != len(c.frames) || string(padding) != c.padding {
			t.Errorf("%s: %q, padding %q, %v", c.name, frames, padding, err)
			continue
		}
		for i, frame := range frames {
			if string(frame) != c.frames[i] {
				t.Errorf("%s: frame %d is %q, want %q", c.name, i, frame, c.frames[i])
			}
		}
	}
}

func TestWhatIsNoOpusPacketIsRefused(t *testing.T) {
	for _, packet := range [][]byte{
		{}, {0x79, 1}, {0x7a}, {0x7a, 9, 1}, {0x7a, 252}, {0x7b}, {0x7b, 0}, {0x7b, 0x41}, {0x7b, 0x41, 9, 1}, {0x7b, 2, 1}, {0x7b, 0x82, 9, 1}, {0x7b, 0x83, 1},
	} {
		if frames, _, err := opusFrames(nil, packet); err == nil {
			t.Errorf("%v is read as %v", packet, frames)
		}
	}
}

func FuzzOpusFrames(f *testing.F) {
	f.Add([]byte{0x7b, 0x83, 1, 2, 'a', 'b', 'c', 'd', 'e', 'f'})
	f.Fuzz(func(t *testing.T, packet []byte) {
		frames, padding, err := opusFrames(nil, packet)
		total := len(padding)
		for _, frame := range frames {
			total += len(frame)
		}
		if err == nil && total >= max(len(packet), 1) {
			t.Fatalf("%d bytes hold %d", len(packet), total)
		}
	})
}
