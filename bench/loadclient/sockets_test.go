package main

import (
	"testing"

	"github.com/coder/websocket"
)

func TestEventIsEverywhereWhenTheLastSocketHasIt(t *testing.T) {
	s := &audienceSockets{conns: make([]*websocket.Conn, 3), everywhere: make(chan struct{})}
	s.count(100)
	s.count(250)
	select {
	case <-s.everywhere:
		t.Fatal("two of three is not everywhere")
	default:
	}
	s.count(300)
	<-s.everywhere
	if s.firstNs.Load() != 100 || s.lastNs.Load() != 300 {
		t.Errorf("first %d, last %d", s.firstNs.Load(), s.lastNs.Load())
	}
}
