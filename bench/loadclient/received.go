package main

// sequenceCount follows one numbered stream and counts what is missing from it, as RFC 3550 appendix A.3 does for RTP.
type sequenceCount struct {
	started  bool
	first    int64
	highest  int64
	received uint64
}

// largestGap is how far a number may jump and still be loss; a longer jump is a stream that paused, or another one.
const largestGap = 3000

// extend returns the number nearest to reference whose low bits are those of number.
func extend(number uint64, bits uint, reference int64) int64 {
	size := int64(1) << bits
	candidate := reference - reference&(size-1) + int64(number)
	switch {
	case candidate-reference > size/2:
		return candidate - size
	case reference-candidate > size/2:
		return candidate + size
	}
	return candidate
}

// add counts the arrival of a number of so many bits; late and reordered packets fill the gap that they left.
// Duplicates must have been dropped before (SRTP's replay check does).
func (s *sequenceCount) add(number uint64, bits uint) {
	if !s.started {
		*s = sequenceCount{started: true, first: int64(number), highest: int64(number), received: 1}
		return
	}
	extended := extend(number, bits, s.highest)
	if jump := extended - s.highest; jump > largestGap || jump < -largestGap {
		// Count anew from here, as if what is known so far had ended where this begins.
		s.first = extended - (s.highest - s.first + 1)
		s.highest = extended
	}
	s.highest = max(s.highest, extended)
	s.first = min(s.first, extended)
	s.received++
}

// lost is how many numbers between the first and the highest never came.
func (s *sequenceCount) lost() uint64 {
	if !s.started {
		return 0
	}
	expected := uint64(s.highest - s.first + 1)
	if s.received > expected {
		return 0
	}
	return expected - s.received
}

// delayBinNs and delayBins: one-way delays are counted in bins of 20 µs up to 400 ms; the last bin takes the rest.
const (
	delayBinNs = 20_000
	delayBins  = 20_000
)

// delayCount is a histogram of one-way delays.
type delayCount struct {
	bins  [delayBins]uint32
	count uint64
	maxNs int64
}

func (d *delayCount) add(ns int64) {
	bin := min(max(ns/delayBinNs, 0), delayBins-1)
	d.bins[bin]++
	d.count++
	d.maxNs = max(d.maxNs, ns)
}

// percentileMs is the upper edge of the bin that holds the given share (0 to 1) of all delays, or the longest delay where that is
// the last bin; 0 when there are none.
func (d *delayCount) percentileMs(share float64) float64 {
	if d.count == 0 {
		return 0
	}
	rank := max(uint64(share*float64(d.count)+0.5), 1)
	var seen uint64
	for bin, count := range d.bins {
		seen += uint64(count)
		if seen >= rank && bin < delayBins-1 {
			return min(float64((bin+1)*delayBinNs), float64(d.maxNs)) / 1e6
		}
	}
	return float64(d.maxNs) / 1e6
}

// slotCount is what one listener heard in one slot (one SSRC).
type slotCount struct {
	ssrc uint32
	rtp  sequenceCount
	// speaker and marks follow the marks of whoever is heard now; missing keeps what earlier turns lost.
	speaker uint8
	marks   sequenceCount
	missing uint64
}

// heardCount is what one listener heard; only the reading thread touches it, under the reader's lock.
type heardCount struct {
	packets  uint64
	bytes    uint64
	unmarked uint64
	refused  uint64 // packets that did not decrypt
	slots    []slotCount
	firstNs  int64 // when the first decrypted packet came, Unix nanoseconds; 0 before
	lastNs   int64 // when the last one came
	gapNs    int64 // the longest time between two packets since it was last set to 0
	// voices is when each speaker's last packet came, by the number in its mark.
	voices map[uint8]int64
}

func (h *heardCount) slot(ssrc uint32) *slotCount {
	for i := range h.slots {
		if h.slots[i].ssrc == ssrc {
			return &h.slots[i]
		}
	}
	h.slots = append(h.slots, slotCount{ssrc: ssrc})
	return &h.slots[len(h.slots)-1]
}

// add counts a decrypted packet (marks: of its frames, in order; size: as it came, encrypted) that arrived at arrivedNs and returns the
// one-way delay of its newest frame, or -1 if there is no mark. The frames before that one waited to be packed with it.
func (h *heardCount) add(ssrc uint32, sequence uint16, marks []mark, size int, arrivedNs int64) int64 {
	h.packets++
	h.bytes += uint64(size)
	if h.firstNs == 0 {
		h.firstNs = arrivedNs
	}
	if h.lastNs != 0 {
		h.gapNs = max(h.gapNs, arrivedNs-h.lastNs)
	}
	h.lastNs = arrivedNs
	slot := h.slot(ssrc)
	slot.rtp.add(uint64(sequence), 16)
	if len(marks) == 0 {
		h.unmarked++
		return -1
	}
	for _, m := range marks {
		if slot.marks.started && slot.speaker != m.speaker {
			slot.missing += slot.marks.lost()
			slot.marks = sequenceCount{}
		}
		slot.speaker = m.speaker
		slot.marks.add(uint64(m.number), 32)
	}
	newest := marks[len(marks)-1]
	if h.voices != nil {
		h.voices[newest.speaker] = arrivedNs
	}
	return max(arrivedNs-newest.sentNs, 0)
}

// lost returns how many packets never came, by the server's RTP numbers and by the speakers' own marks. The second also sees what
// the server dropped on its way in and then numbered over.
func (h *heardCount) lost() (byRtp, byMark uint64) {
	for i := range h.slots {
		byRtp += h.slots[i].rtp.lost()
		byMark += h.slots[i].missing + h.slots[i].marks.lost()
	}
	return byRtp, byMark
}
