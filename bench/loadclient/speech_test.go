package main

import (
	"bytes"
	"testing"
)

func TestRecordingHoldsSingleFramesAndRealLevels(t *testing.T) {
	frames, err := loadSpeech()
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) < 10*frameRate {
		t.Fatalf("only %d frames", len(frames))
	}
	for i, frame := range frames {
		// Code 0, one frame, and a configuration of 20 ms (RFC 6716 table 2): 1, 5, 9 of SILK, 13, 15 of hybrid, 19, 23, 27, 31 of CELT.
		code, config := frame.opus[0]&0b11, frame.opus[0]>>3
		if is20ms := config < 12 && config%4 == 1 || config == 13 || config == 15 || config >= 16 && config%4 == 3; code != 0 || !is20ms {
			t.Fatalf("frame %d: TOC %08b; want one frame of 20 ms", i, frame.opus[0])
		}
		if len(frame.opus) < 20 || len(frame.opus) > 250 {
			t.Fatalf("frame %d: %d bytes is not speech at 32 kb/s", i, len(frame.opus))
		}
		if frame.level > 60 {
			t.Fatalf("frame %d is silent (level %d): somebody else would become the active speaker", i, frame.level)
		}
	}
}

func TestMarkedPacketIsOpusCodeThreeWithPadding(t *testing.T) {
	want := mark{speaker: 2, number: 0xdeadbeef, sentNs: 1_700_000_000_123_456_789}
	packet := appendMarked(nil, []byte{0x78, 9, 8, 7}, want)
	// RFC 6716 section 3.2.5: TOC with code 3, "v p M" byte, padding length, one frame, padding.
	if !bytes.Equal(packet[:6], []byte{0x7b, 0x41, markSize, 9, 8, 7}) || len(packet) != 6+markSize {
		t.Fatalf("% x", packet)
	}
	if got, ok := findMark(packet); !ok || got != want {
		t.Fatalf("read %+v, %v", got, ok)
	}
	if _, ok := findMark(packet[:len(packet)-1]); ok {
		t.Fatal("a cut packet has no mark")
	}
	if _, ok := findMark(nil); ok {
		t.Fatal("an empty packet has no mark")
	}
}

func TestOggRefusesWhatItCannotRead(t *testing.T) {
	for name, file := range map[string][]byte{
		"another format": []byte("RIFF----WAVEfmt ----------------"),
		"cut header":     speechOgg[:20],
		"cut packet":     speechOgg[:len(speechOgg)-1],
	} {
		if _, err := oggPackets(file); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
