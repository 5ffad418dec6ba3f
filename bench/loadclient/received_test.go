package main

import (
	"math"
	"testing"
)

func TestExtendFindsTheNearestNumber(t *testing.T) {
	cases := []struct {
		number    uint64
		reference int64
		want      int64
	}{
		{5, 4, 5},
		{0, 65535, 65536},
		{65535, 65536, 65535},
		{65535, 0, -1},
		{1, 3*65536 + 65530, 4*65536 + 1},
		{65530, 4*65536 + 1, 3*65536 + 65530},
	}
	for _, c := range cases {
		if got := extend(c.number, 16, c.reference); got != c.want {
			t.Errorf("extend(%d, 16, %d) = %d, want %d", c.number, c.reference, got, c.want)
		}
	}
}

func count(numbers ...uint64) sequenceCount {
	var s sequenceCount
	for _, number := range numbers {
		s.add(number, 16)
	}
	return s
}

func TestLossIsWhatIsMissingBetweenFirstAndHighest(t *testing.T) {
	cases := []struct {
		name    string
		numbers []uint64
		lost    uint64
	}{
		{"nothing received", nil, 0},
		{"no gap", []uint64{10, 11, 12}, 0},
		{"one gap of two", []uint64{10, 13}, 2},
		{"a late packet fills its gap", []uint64{10, 12, 11}, 0},
		{"late by one before the first", []uint64{11, 10, 12}, 0},
		{"over the wrap", []uint64{65534, 65535, 1}, 1},
		{"a restart is not loss", []uint64{10, 11, 40000, 40001, 40003}, 1},
	}
	for _, c := range cases {
		s := count(c.numbers...)
		if got := s.lost(); got != c.lost {
			t.Errorf("%s: lost %d, want %d", c.name, got, c.lost)
		}
	}
}

func TestLossSurvivesManyWraps(t *testing.T) {
	var s sequenceCount
	for number := range uint64(200_000) {
		if number%1000 != 7 {
			s.add(number&0xffff, 16)
		}
	}
	if s.lost() != 200 {
		t.Fatalf("lost %d, want 200", s.lost())
	}
}

func TestDelayPercentilesAreUpperBinEdges(t *testing.T) {
	d := new(delayCount)
	if d.percentileMs(0.99) != 0 {
		t.Fatal("no delays must give 0")
	}
	for range 98 {
		d.add(1_010_000) // in the bin from 1.00 to 1.02 ms
	}
	d.add(5_000_000)
	d.add(2_000_000_000) // beyond the last bin
	for share, want := range map[float64]float64{0.5: 1.02, 0.98: 1.02, 0.99: 5.02, 1: 2000} {
		if got := d.percentileMs(share); math.Abs(got-want) > 1e-9 {
			t.Errorf("percentile %v is %v ms, want %v", share, got, want)
		}
	}
	if d.maxNs != 2_000_000_000 {
		t.Errorf("the longest delay is %d ns", d.maxNs)
	}
}

func marked(speaker uint8, number uint32, sentNs int64) []mark {
	return []mark{{speaker, number, sentNs}}
}

func TestHeardCountsPacketsLossAndDelay(t *testing.T) {
	var h heardCount
	if delay := h.add(7, 100, marked(0, 1, 1000), 60, 5000); delay != 4000 {
		t.Errorf("delay %d ns, want 4000", delay)
	}
	h.add(7, 101, marked(0, 2, 2000), 60, 6000)
	h.add(7, 103, marked(0, 5, 2000), 60, 7000) // one lost after the server numbered it, one more before
	byRtp, byMark := h.lost()
	if h.packets != 3 || h.bytes != 180 || h.firstNs != 5000 || byRtp != 1 || byMark != 2 {
		t.Errorf("packets %d, bytes %d, first %d, lost %d and %d", h.packets, h.bytes, h.firstNs, byRtp, byMark)
	}
}

func TestAnotherSpeakerInTheSlotIsNotLoss(t *testing.T) {
	var h heardCount
	h.add(7, 1, marked(0, 10, 0), 60, 1)
	h.add(7, 2, marked(0, 12, 0), 60, 1) // number 11 is lost
	h.add(7, 3, marked(1, 500, 0), 60, 1)
	h.add(7, 4, marked(1, 501, 0), 60, 1)
	h.add(7, 5, marked(0, 90, 0), 60, 1)
	if byRtp, byMark := h.lost(); byRtp != 0 || byMark != 1 {
		t.Errorf("lost %d by RTP and %d by mark, want 0 and 1", byRtp, byMark)
	}
}

func TestSlotsAreCountedApart(t *testing.T) {
	var h heardCount
	h.add(7, 1, marked(0, 10, 0), 60, 1)
	h.add(8, 9000, marked(1, 77, 0), 60, 1)
	h.add(7, 2, marked(0, 11, 0), 60, 1)
	if byRtp, byMark := h.lost(); len(h.slots) != 2 || byRtp != 0 || byMark != 0 {
		t.Errorf("%d slots, lost %d and %d", len(h.slots), byRtp, byMark)
	}
}

func TestSoundWithoutAMarkIsCountedButHasNoDelay(t *testing.T) {
	var h heardCount
	if delay := h.add(7, 1, nil, 60, 99); delay != -1 || h.unmarked != 1 || h.packets != 1 {
		t.Errorf("delay %d, unmarked %d, packets %d", delay, h.unmarked, h.packets)
	}
}

func TestPackedFramesAreCountedOneByOneAndTheNewestTellsTheDelay(t *testing.T) {
	var h heardCount
	if delay := h.add(7, 1, []mark{{0, 10, 1000}, {0, 11, 2000}, {0, 12, 3000}}, 200, 3500); delay != 500 {
		t.Errorf("delay %d ns, want 500", delay)
	}
	h.add(7, 2, []mark{{0, 13, 4000}, {0, 15, 6000}}, 150, 6500) // frame 14 was lost on the way to the server
	h.add(7, 4, []mark{{0, 19, 9000}}, 100, 9500)                // and one packet of three on the way from it
	if byRtp, byMark := h.lost(); byRtp != 1 || byMark != 4 || h.packets != 3 || h.unmarked != 0 {
		t.Errorf("lost %d by RTP and %d by mark, want 1 and 4", byRtp, byMark)
	}
}

func TestWindowIsTheDifferenceOfTotals(t *testing.T) {
	clock := newClockCheck()
	before := totals{at: clock.began, sent: 300, packets: 100, bytes: 10_000, lost: 5, audiencePackets: []uint64{50, 50}}
	after := totals{at: clock.began.Add(2e9), sent: 600, packets: 400, bytes: 40_000, lost: 4, lostRtp: 1, audiencePackets: []uint64{150, 50, 100}}
	w := compare(before, after, new(delayCount), 3)
	if w.Seconds != 2 || w.Packets != 300 || w.Bytes != 30_000 || w.Lost != -1 || w.LostRtp != 1 || w.Heard != 2 || w.Listeners != 3 {
		t.Errorf("%+v", w)
	}
	if w.SpeakerRate != 50 {
		t.Errorf("300 packets of 3 speakers in 2 s are %v a second each", w.SpeakerRate)
	}
	if want := 200.0 / 3 / 2; math.Abs(w.ListenerRate-want) > 1e-9 {
		t.Errorf("rate %v, want %v", w.ListenerRate, want)
	}
}
