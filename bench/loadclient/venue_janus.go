package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// janus is a room of Janus's VideoRoom plugin, which forwards without mixing. All its handles hang on one session on one WebSocket:
// signalling is not what is compared.
type janus struct {
	reader   *reader
	identity identity
	socket   *websocket.Conn
	session  uint64
	feed     uint64

	mu      sync.Mutex
	number  int
	waiting map[string]chan janusMessage
	up      map[uint64]chan struct{} // closed when Janus says that the handle's sound is connected
	broken  error
}

const janusRoom = 1

// janusDescription is Janus's "jsep": an SDP with its type.
type janusDescription struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
}

// janusMessage is any answer or event on the WebSocket.
type janusMessage struct {
	Kind        string `json:"janus"`
	Transaction string `json:"transaction"`
	Sender      uint64 `json:"sender"` // the handle that an event is about
	Data        struct {
		ID uint64 `json:"id"`
	} `json:"data"`
	Error *struct {
		Reason string `json:"reason"`
	} `json:"error"`
	Plugin struct {
		Data struct {
			ID    uint64 `json:"id"`
			Error string `json:"error"`
		} `json:"data"`
	} `json:"plugindata"`
	Description *janusDescription `json:"jsep"`
}

func openJanus(ctx context.Context, r *reader, id identity, address string) (*janus, error) {
	socket, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{Subprotocols: []string{"janus-protocol"}})
	if err != nil {
		return nil, fmt.Errorf("janus: %w", err)
	}
	socket.SetReadLimit(1 << 20)
	j := &janus{reader: r, identity: id, socket: socket, waiting: map[string]chan janusMessage{}, up: map[uint64]chan struct{}{}}
	go j.read(ctx)
	created, err := j.ask(ctx, map[string]any{"janus": "create"})
	if err != nil {
		return nil, err
	}
	j.session = created.Data.ID
	go j.keepSession(ctx)
	handle, err := j.attach(ctx)
	if err != nil {
		return nil, err
	}
	_, err = j.tell(ctx, handle, map[string]any{"request": "create", "room": janusRoom, "publishers": 1, "audiocodec": "opus"}, nil)
	return j, err
}

func (j *janus) enterSpeaker(ctx context.Context) (talker, error) {
	handle, err := j.attach(ctx)
	if err != nil {
		return nil, err
	}
	connected := make(chan struct{})
	j.mu.Lock()
	j.up[handle] = connected
	j.mu.Unlock()
	p := newPeer(j.identity, speaking, 1)
	join := map[string]any{"request": "joinandconfigure", "ptype": "publisher", "room": janusRoom}
	joined, err := j.tell(ctx, handle, join, &janusDescription{"offer", p.offer()})
	if err != nil {
		return nil, err
	}
	if joined.Description == nil {
		return nil, errors.New("janus: no answer to the speaker's offer")
	}
	j.feed = joined.Plugin.Data.ID
	if err := j.endCandidates(ctx, handle); err != nil {
		return nil, err
	}
	if err := p.connect(ctx, j.reader, joined.Description.SDP); err != nil {
		p.close(j.reader)
		return nil, err
	}
	// Before that nobody can subscribe to them.
	select {
	case <-connected:
		return p, nil
	case <-ctx.Done():
		p.close(j.reader)
		return nil, errors.New("janus: it never said that the speaker is connected")
	}
}

func (j *janus) enterListener(ctx context.Context) (attendee, error) {
	handle, err := j.attach(ctx)
	if err != nil {
		return nil, err
	}
	join := map[string]any{"request": "join", "ptype": "subscriber", "room": janusRoom, "streams": []map[string]any{{"feed": j.feed}}}
	offered, err := j.tell(ctx, handle, join, nil)
	if err != nil {
		return nil, err
	}
	if offered.Description == nil {
		return nil, errors.New("janus: no offer for a listener")
	}
	p := newPeer(j.identity, listening, 1)
	err = p.connectTo(ctx, j.reader, offered.Description.SDP, func(answer string) error {
		_, err := j.tell(ctx, handle, map[string]any{"request": "start"}, &janusDescription{"answer", answer})
		return err
	})
	if err != nil {
		p.close(j.reader)
		return nil, err
	}
	return p, nil
}

func (j *janus) leave(context.Context) error {
	return j.socket.Close(websocket.StatusNormalClosure, "")
}

func (j *janus) attach(ctx context.Context) (uint64, error) {
	attached, err := j.ask(ctx, map[string]any{"janus": "attach", "plugin": "janus.plugin.videoroom"})
	return attached.Data.ID, err
}

// tell sends a request to the plugin and returns its answer, past the "ack" that asynchronous ones get first.
func (j *janus) tell(ctx context.Context, handle uint64, body map[string]any, description *janusDescription) (janusMessage, error) {
	request := map[string]any{"janus": "message", "handle_id": handle, "body": body}
	if description != nil {
		request["jsep"] = description
	}
	return j.ask(ctx, request)
}

func (j *janus) endCandidates(ctx context.Context, handle uint64) error {
	trickle := map[string]any{"janus": "trickle", "handle_id": handle, "candidate": map[string]any{"completed": true}}
	return j.send(ctx, trickle, "")
}

func (j *janus) ask(ctx context.Context, request map[string]any) (janusMessage, error) {
	answered := make(chan janusMessage, 4)
	j.mu.Lock()
	if j.broken != nil {
		defer j.mu.Unlock()
		return janusMessage{}, j.broken
	}
	j.number++
	transaction := strconv.Itoa(j.number)
	j.waiting[transaction] = answered
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		delete(j.waiting, transaction)
		j.mu.Unlock()
	}()
	if err := j.send(ctx, request, transaction); err != nil {
		return janusMessage{}, err
	}
	for {
		select {
		case <-ctx.Done():
			return janusMessage{}, fmt.Errorf("janus: %v is not answered: %w", request["janus"], context.Cause(ctx))
		case message := <-answered:
			switch {
			case message.Error != nil:
				return message, fmt.Errorf("janus: %s", message.Error.Reason)
			case message.Plugin.Data.Error != "":
				return message, fmt.Errorf("janus: %s", message.Plugin.Data.Error)
			case message.Kind != "ack":
				return message, nil
			}
		}
	}
}

func (j *janus) send(ctx context.Context, request map[string]any, transaction string) error {
	request["transaction"] = transaction
	if j.session != 0 {
		request["session_id"] = j.session
	}
	encoded, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return j.socket.Write(ctx, websocket.MessageText, encoded)
}

// read sorts what comes to whoever waits for it, until the socket ends.
func (j *janus) read(ctx context.Context) {
	for {
		_, text, err := j.socket.Read(ctx)
		var message janusMessage
		if err == nil {
			err = json.Unmarshal(text, &message)
		}
		j.mu.Lock()
		if err != nil {
			j.broken = fmt.Errorf("janus: %w", err)
			j.mu.Unlock()
			return
		}
		if connected := j.up[message.Sender]; connected != nil && message.Kind == "webrtcup" {
			delete(j.up, message.Sender)
			close(connected)
		}
		if answered := j.waiting[message.Transaction]; answered != nil {
			select {
			case answered <- message:
			default: // more answers than any request has
			}
		}
		j.mu.Unlock()
	}
}

// keepSession says every 25 s that we are there: Janus ends a session after 60 s of silence.
func (j *janus) keepSession(ctx context.Context) {
	ticker := time.NewTicker(25 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if j.send(ctx, map[string]any{"janus": "keepalive"}, "") != nil {
				return
			}
		}
	}
}
