"""Snapshot n plus events n+1…m equals snapshot m, exactly: for every command and every kind of event, in every stream."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.accounts.models import Person
from salon.rooms.actions import (
    attendance,
    hands,
    invitations,
    locked_room,
    moderators,
    mutes,
    requests,
    silence,
    stepping_down,
    stepping_up,
)
from salon.rooms.actions.edit_room import edit_room
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.actions.remove_person import lift_expired_removals, remove_person, undo_removal
from salon.rooms.actions.succession import settle_succession
from salon.rooms.actions.truth import ClosedSession, confirm_connections, list_audience, record_closed
from salon.rooms.domain.apply import KINDS, apply
from salon.rooms.domain.large_acts import REMOVALS_PER_MINUTE
from salon.rooms.domain.room_stage import RoomStage
from salon.rooms.domain.succession import GRACE
from salon.rooms.enums import Status
from salon.rooms.models import MediaSession, Place, Room, RoomAction, SecondModeratorRequest
from salon.rooms.queries import moderates
from salon.streams.kinds import Watcher
from salon.streams.models import StreamEvent
from salon.streams.snapshots import Missed, Snapshot, open_stream
from salon.worker.talk_times import count_talk
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


class Clock:
    """Stands for the clock that commands read. It is ahead of the real one by `ahead`."""

    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return timezone.now() + self.ahead


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(locked_room, "timezone", clock)
    return clock


def evening(room, people, clock):
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
    yield from tools(room, people)
    yield from succession(room, people, clock)
    yield "raise_hand before a removal", lambda: hands.raise_hand(spk, room.id)
    yield "remove_person", lambda: remove_person(mod, room.id, speaker.id, reason="Too loud", minutes=None)
    yield "remove_person again", lambda: remove_person(host_, room.id, speaker.id, reason="Much too loud", minutes=5)
    yield "undo_removal", lambda: undo_removal(mod, room.id, speaker.id)
    yield from large_acts(room, people, clock)
    yield "leave_room of the host", lambda: attendance.leave_room(host_, room.id)
    yield "return of the host", lambda: attendance.enter_room(room, host)
    yield "audience listed", lambda: list_audience(room, 7)
    yield "cut_off", lambda: attendance.cut_off(room, listener)
    yield "raise_hand before the end", lambda: hands.raise_hand(lis, room.id)
    yield "end_room", lambda: end_room(host_, room.id)


def tools(room, people):
    host, _, speaker, listener = people
    host_, mod, spk, lis = map(caller, people)
    yield "hold_mute in the audience", lambda: mutes.hold_mute(mod, room.id, speaker.id, reason="Echo")
    yield "edit_room", lambda: edit_room(mod, room.id, {"hand_policy": "open_stage", "title": "Late talk", "turn_secs": 60})
    yield "step_up with a held mute", lambda: stepping_up.step_up(spk, room.id)
    yield "release_mute", lambda: mutes.release_mute(host_, room.id, speaker.id)
    yield "unmute after a release", lambda: mutes.unmute(spk, room.id)
    yield "set_status", lambda: stepping_up.set_status(spk, room.id, Status.ON_A_CALL)
    yield "lose_connection on a call", lambda: attendance.lose_connection(room, speaker)
    yield "return from a call", lambda: attendance.enter_room(room, speaker)
    yield "set_status to nothing", lambda: stepping_up.set_status(spk, room.id, None)
    yield "mute_all", lambda: mutes.mute_all(host_, room.id)
    yield "hold_mute on the stage", lambda: mutes.hold_mute(mod, room.id, speaker.id, reason="Echo")
    yield "hold_mute of somebody held", lambda: mutes.hold_mute(host_, room.id, speaker.id, reason="Echo again")
    yield "move_to_audience of somebody held", lambda: stepping_down.move_to_audience(mod, room.id, speaker.id)
    yield "edit_room to hands", lambda: edit_room(mod, room.id, {"hand_policy": "everyone", "fair_floor": True, "stage_locked": False})
    yield "raise_hand of who has spoken", lambda: hands.raise_hand(spk, room.id)
    yield "raise_hand of who has not", lambda: hands.raise_hand(lis, room.id)
    yield "invite_next", lambda: invitations.invite_next(mod, room.id, 1)
    yield "edit_room to the order of hands", lambda: edit_room(mod, room.id, {"fair_floor": False})
    yield "clear_hands", lambda: hands.clear_hands(host_, room.id)
    yield "invite_several", lambda: invitations.invite_several(host_, room.id, [listener.id, speaker.id, host.id])
    yield "accept_invitation of somebody held", lambda: invitations.accept_invitation(spk, room.id)
    yield "decline_invitation again", lambda: invitations.decline_invitation(lis, room.id)
    yield "silence_person", lambda: silence.silence_person(mod, room.id, listener.id)
    yield "appoint_moderator in the audience", lambda: moderators.appoint_moderator(mod, room.id, listener.id)
    yield "appoint_moderator on the stage", lambda: moderators.appoint_moderator(mod, room.id, speaker.id)
    yield "revoke_moderator", lambda: moderators.revoke_moderator(host_, room.id, speaker.id)
    yield "revoke_moderator of oneself", lambda: moderators.revoke_moderator(lis, room.id, listener.id)
    yield "silence_person again", lambda: silence.silence_person(mod, room.id, listener.id)
    yield "unsilence_person", lambda: silence.unsilence_person(mod, room.id, listener.id)
    yield "edit_room out of the hallway's sight", lambda: edit_room(mod, room.id, {"locked": True, "slow_mode_secs": 10, "capacity": 20})


def succession(room, people, clock):
    host, moderator, _, listener = people
    host_, mod, _, _ = map(caller, people)
    yield "name_deputy", lambda: moderators.name_deputy(host_, room.id, listener.id)
    yield "leave_room of the host with a deputy", lambda: attendance.leave_room(host_, room.id)
    clock.ahead += GRACE
    yield "succession of the host by the deputy", lambda: settle_succession(room)
    yield "return of the host", lambda: attendance.enter_room(room, host)
    yield "revoke_moderator of the deputy", lambda: moderators.revoke_moderator(host_, room.id, listener.id)
    yield "move_to_audience of nobody who ever moderated", lambda: stepping_down.move_to_audience(mod, room.id, people[2].id)
    yield "leave_room of the moderator", lambda: attendance.leave_room(mod, room.id)
    yield "leave_room of the host, the last moderator", lambda: attendance.leave_room(host_, room.id)
    clock.ahead += GRACE
    yield "succession of the host by nobody", lambda: settle_succession(room)
    yield "enter of a moderator while the host is away", lambda: attendance.enter_room(room, moderator)
    yield "return of the host", lambda: attendance.enter_room(room, host)


def large_acts(room, people, clock):
    host, _, speaker, listener = people
    host_, mod, _, _ = map(caller, people)
    open_request = SecondModeratorRequest.objects.filter(settled_at=None)
    yield "enter of somebody let in again", lambda: attendance.enter_room(room, speaker)
    for n in range(REMOVALS_PER_MINUTE):
        stranger = Person.objects.create_user(f"removed{n}")
        RoomAction.objects.create(room=room, action="remove_person", actor=host, target=stranger, at=clock.now())
    yield "request_opened", lambda: remove_person(mod, room.id, listener.id, reason="Raid", minutes=None)
    yield "refuse_request", lambda: requests.refuse_request(host_, room.id, open_request.get().id)
    yield "request_opened again", lambda: remove_person(mod, room.id, speaker.id, reason="Raid", minutes=1)
    yield "confirm_request", lambda: requests.confirm_request(host_, room.id, open_request.get().id)
    yield "request_opened to nobody", lambda: remove_person(mod, room.id, listener.id, reason="Raid", minutes=None)
    clock.ahead += timedelta(minutes=2)
    yield "expire_requests", lambda: requests.expire_requests(room)
    yield "lift_expired_removals", lambda: lift_expired_removals(room)


# Other apps' commands, and other parts of this one, tell these; each has its own test.
ELSEWHERE = {("person", "session_ended"), ("person", "pinged"), ("person", "invited_in"), ("person", "line_changed")}


def test_every_command_tells_exactly_what_it_changed(room, cast, stranger, media_process, clock):
    people, host = cast, cast[0]
    # Of the stage's moderators the host watches; out of the room they may not, and take a new snapshot when they come back.
    private = (f"hands/{room.id}", f"moderation/{room.id}")
    watches = [
        Watch(Watcher(stranger.id, None), "hallway"),
        Watch(Watcher(stranger.id, None), f"room/{room.id}"),
        *(Watch(Watcher(person.id, None), "person/me") for person in people),
    ]
    for step, act in evening(room, people, clock):
        here = moderates(host.id, room.id)
        watched = watches + ([Watch(Watcher(host.id, None), stream) for stream in private] if here else [])
        act()
        for watch in watched:
            if watch.stream not in private or moderates(host.id, room.id):
                watch.check(step)
    told = {(name.split("/")[0], kind) for name, kind in StreamEvent.objects.values_list("stream", "kind")}
    assert told == {(stream, kind) for stream, kinds in KINDS.items() for kind in kinds if stream != "conversation"} - ELSEWHERE


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
    confirm_connections([session.id])
    count_talk("node start", {(room.id, listener.id): 60_000})
    queue.check("a late word of a speaking session and of what was said in it")
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
