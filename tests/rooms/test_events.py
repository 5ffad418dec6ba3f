"""Snapshot n plus events n+1…m equals snapshot m, exactly: for every command and every kind of event, in every stream."""

import pytest

from salon.rooms.actions import attendance, hands, invitations, mutes, stepping_down
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.actions.truth import ClosedSession, confirm_connection, list_audience, record_closed
from salon.rooms.domain.apply import KINDS, apply
from salon.rooms.domain.room_stage import RoomStage
from salon.rooms.models import MediaSession, Place, Room
from salon.streams.kinds import Watcher
from salon.streams.models import StreamEvent
from salon.streams.snapshots import Missed, Snapshot, open_stream
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db(transaction=True)


class Watch:
    """Somebody who took one snapshot and has followed by events since."""

    def __init__(self, watcher: Watcher, stream: str):
        self.watcher, self.stream = watcher, stream
        first = open_stream(watcher, stream, None)
        assert isinstance(first, Snapshot)
        self.seq, self.state = first.seq, first.state
        self.kinds = set()

    def follow(self):
        missed = open_stream(self.watcher, self.stream, self.seq)
        assert isinstance(missed, Missed)
        for event in missed.events:
            assert event["seq"] == self.seq + 1
            assert event["stream"] == self.stream
            self.state = apply(self.stream, self.state, event["kind"], event["data"])
            self.seq = event["seq"]
            self.kinds.add(event["kind"])
        assert self.seq == missed.seq

    def check(self, step: str):
        self.follow()
        fresh = open_stream(self.watcher, self.stream, None)
        assert (self.seq, unordered(self.state)) == (fresh.seq, unordered(fresh.state)), f"{self.stream} after {step}"


def unordered(state):
    """The hallway's rooms have no order."""
    return state | {"rooms": sorted(state["rooms"], key=lambda card: card["id"])} if "rooms" in state else state


def evening(room, people):
    """One step after the other, each command at least once. people: host, moderator, speaker, listener."""
    host, _, speaker, listener = people
    host_, mod, spk, lis = map(caller, people)
    yield "raise_hand", lambda: hands.raise_hand(lis, room.id)
    yield "lower_hand", lambda: hands.lower_hand(lis, room.id)
    yield "raise_hand again", lambda: hands.raise_hand(lis, room.id)
    yield "raise_hand of a moderator", lambda: hands.raise_hand(mod, room.id)
    yield "invite_to_stage with a hand", lambda: invitations.invite_to_stage(mod, room.id, listener.id)
    yield "decline_invitation", lambda: invitations.decline_invitation(lis, room.id)
    yield "invite_to_stage without a hand", lambda: invitations.invite_to_stage(host_, room.id, listener.id)
    yield "accept_invitation", lambda: invitations.accept_invitation(lis, room.id)
    yield "mute", lambda: mutes.mute(spk, room.id)
    yield "unmute", lambda: mutes.unmute(spk, room.id)
    yield "mute_speaker", lambda: mutes.mute_speaker(mod, room.id, speaker.id)
    yield "lose_connection on the stage", lambda: attendance.lose_connection(room, speaker)
    yield "return to the stage", lambda: attendance.enter_room(room, speaker)
    yield "step_down", lambda: stepping_down.step_down(spk, room.id)
    yield "move_to_audience", lambda: stepping_down.move_to_audience(mod, room.id, listener.id)
    yield "leave_room", lambda: attendance.leave_room(spk, room.id)
    yield "enter", lambda: attendance.enter_room(room, speaker)
    yield "raise_hand before a removal", lambda: hands.raise_hand(spk, room.id)
    yield "remove_person", lambda: remove_person(mod, room.id, speaker.id, reason="Too loud", minutes=None)
    yield "leave_room of the host", lambda: attendance.leave_room(host_, room.id)
    yield "return of the host", lambda: attendance.enter_room(room, host)
    yield "audience listed", lambda: list_audience(room, 7)
    yield "cut_off", lambda: attendance.cut_off(room, listener)
    yield "raise_hand before the end", lambda: hands.raise_hand(lis, room.id)
    yield "end_room", lambda: end_room(host_, room.id)


def test_every_command_tells_exactly_what_it_changed(room, cast, stranger, media_process):
    people, host = cast, cast[0]
    watches = [
        Watch(Watcher(stranger.id, None), "hallway"),
        Watch(Watcher(stranger.id, None), f"room/{room.id}"),
        Watch(Watcher(host.id, None), f"hands/{room.id}"),
        *(Watch(Watcher(person.id, None), "person/me") for person in people),
    ]
    hidden = set()
    for step, act in evening(room, people):
        act()
        if "of the host" in step or step == "end_room":
            # The hand queue is for moderators who are in the room; whoever comes back takes a new snapshot.
            hidden = {f"hands/{room.id}"} if step != "return of the host" else set()
            if not hidden:
                watches[2] = Watch(Watcher(host.id, None), f"hands/{room.id}")
        for watch in watches:
            if watch.stream not in hidden:
                watch.check(step)
    seen = {(name.split("/")[0], kind) for name, kind in StreamEvent.objects.values_list("stream", "kind")}
    assert seen == {(stream, kind) for stream, kinds in KINDS.items() for kind in kinds} - {
        # No command does these yet; tests/rooms/domain/test_apply.py holds what they mean.
        ("room", "role_changed"), ("room", "room_changed"), ("person", "session_ended"),
    }  # fmt: skip


def test_opening_and_emptying_a_room_is_told_to_hallway_and_host(host, stranger, django_capture_on_commit_callbacks):
    hallway, own = Watch(Watcher(stranger.id, None), "hallway"), Watch(Watcher(host.id, None), "person/me")
    room = open_room(host, title="Quiet", topic="", language="en")
    for watch in (hallway, own):
        watch.check("open_room")
    assert [card["id"] for card in hallway.state["rooms"]] == [room.id]
    Room.objects.update(entered_at=room.opened_at)
    with django_capture_on_commit_callbacks(execute=True):
        attendance.leave(room, host)
    for watch in (hallway, own):
        watch.check("leave")
    assert (hallway.state, own.state) == ({"rooms": []}, {"places": {}})


def test_session_ended_is_told_to_its_owner_and_changes_no_state(room, listener):
    own = Watch(Watcher(listener.id, None), "person/me")
    session = MediaSession.objects.create(id="s" * 26, room=room, person=listener, direction="listen", opened_at=room.opened_at)
    record_closed([ClosedSession(session.id, "taken_over")])
    own.check("record_closed")
    assert own.kinds == {"session_ended"}


def test_has_spoken_changes_no_hand_that_is_up(room, host, listener, media_process):
    hands.raise_hand(caller(listener), room.id)
    queue = Watch(Watcher(host.id, None), f"hands/{room.id}")
    session = MediaSession.objects.create(id="s" * 26, room=room, person=listener, direction="speak", opened_at=room.opened_at)
    confirm_connection(session.id)
    queue.check("a late word of a speaking session")
    assert Place.objects.get(room=room, person=listener).has_spoken is False


def test_lowered_hand_sorts_the_queue_as_often_however_many_wait_behind_it(room, person, monkeypatch):
    """Under the room's lock: a sort for each of a thousand people who are told their position would hold up everybody."""

    def sorts_of_a_queue(hands_up):
        guests = [person(f"guest{hands_up}x{n}") for n in range(hands_up)]
        for guest in guests:
            attendance.enter_room(room, guest)
            hands.raise_hand(caller(guest), room.id)
        told = StreamEvent.objects.filter(kind="place_changed").count()
        sorts.clear()
        hands.lower_hand(caller(guests[0]), room.id)
        assert StreamEvent.objects.filter(kind="place_changed").count() - told == hands_up
        counted = len(sorts)
        for guest in guests[1:]:
            hands.lower_hand(caller(guest), room.id)
        return counted

    sorts, queue = [], RoomStage.queue
    monkeypatch.setattr(RoomStage, "queue", lambda stage: sorts.append(stage) or queue(stage))
    assert sorts_of_a_queue(3) == sorts_of_a_queue(9)
