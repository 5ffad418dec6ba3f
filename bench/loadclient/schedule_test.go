package main

import "testing"

func TestScheduleTellsFramesByWhatTheyHold(t *testing.T) {
	frames, err := loadSpeech()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSchedule(frames)
	if err != nil {
		t.Fatal(err)
	}
	if s.find(frames[4].opus[1:]) != nil {
		t.Error("nothing was sent yet")
	}
	s.note(frames[4].opus, mark{speaker: 2, number: 77, sentNs: 5})
	s.note(frames[9].opus, mark{speaker: 1, number: 78, sentNs: 6})
	s.note(silentFrame.opus, mark{})
	if m := s.find(frames[4].opus[1:]); m == nil || *m != (mark{2, 77, 5}) {
		t.Errorf("found %v", m)
	}
	if s.find([]byte("something else")) != nil || s.find(nil) != nil {
		t.Error("what was never sent is not found")
	}
}

func TestScheduleRefusesARecordingWhoseFramesBeginAlike(t *testing.T) {
	frame := spokenFrame{opus: []byte("one frame of it")}
	if _, err := newSchedule([]spokenFrame{frame, frame}); err == nil {
		t.Error("two frames that nobody can tell apart are accepted")
	}
}

func TestMarksOfAPacketComeFromItsPaddingOrItsFrames(t *testing.T) {
	frames, err := loadSpeech()
	if err != nil {
		t.Fatal(err)
	}
	r := new(reader)
	if r.schedule, err = newSchedule(frames); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		r.schedule.note(frames[i].opus, mark{speaker: 1, number: uint32(40 + i), sentNs: int64(i)})
	}
	single := appendMarked(nil, frames[0].opus, mark{speaker: 3, number: 7, sentNs: 9})
	if marks := r.marksOf(single); len(marks) != 1 || marks[0] != (mark{3, 7, 9}) {
		t.Errorf("one frame: %v", marks)
	}
	packed := []byte{frames[0].opus[0] | 3, 0x83, byte(len(frames[0].opus) - 1), byte(len(frames[1].opus) - 1)}
	for i := range 3 {
		packed = append(packed, frames[i].opus[1:]...)
	}
	if marks := r.marksOf(packed); len(marks) != 3 || marks[0].number != 40 || marks[1].number != 41 || marks[2].number != 42 {
		t.Errorf("three frames: %v", marks)
	}
	if marks := r.marksOf(frames[8].opus); len(marks) != 0 {
		t.Errorf("a frame that was never sent: %v", marks)
	}
	if marks := r.marksOf(nil); len(marks) != 0 {
		t.Errorf("no packet: %v", marks)
	}
}

func TestWhereNobodyAsksNothingIsNoted(t *testing.T) {
	frames, err := loadSpeech()
	if err != nil {
		t.Fatal(err)
	}
	var s *schedule
	s.note(frames[0].opus, mark{})
	if s.find(frames[0].opus[1:]) != nil {
		t.Error("nothing was noted")
	}
}
