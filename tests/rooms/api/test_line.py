"""A room that is full: who gets a seat, who waits, and in which order seats that become free are given."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from salon.common.times import rfc3339
from salon.rooms.actions import line
from salon.rooms.actions.attendance import leave_room
from salon.rooms.actions.edit_room import edit_room
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.actions.truth import ClosedSession, record_closed
from salon.rooms.errors import InvalidSdp, MediaUnavailable
from salon.rooms.models import Guest, LinePlace, MediaSession, Place, Room
from salon.streams.models import StreamEvent
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(room, cast, media_process):
    """The room holds two; a speaker and a listener of the four who are in it have sound."""
    Room.objects.filter(id=room.id).update(capacity=2)
    for somebody in cast[2:]:
        assert Api(somebody).sound(room.id, "listen").status_code == 201
    return room


@pytest.fixture
def leave(django_capture_on_commit_callbacks):
    """Somebody leaves the room, and what follows from it happens."""

    def act(person, room):
        with django_capture_on_commit_callbacks(execute=True):
            leave_room(caller(person), room.id)

    return act


@pytest.fixture
def newcomers(person):
    return [person(f"newcomer{n}") for n in range(3)]


def listen(api, room):
    return api.sound(room.id, "listen")


def status(api, room):
    answer = listen(api, room)
    return answer.status_code, answer.json()["code"] if answer["Content-Type"] == "application/json" else None


def position(api, room):
    return api.get(f"rooms/{room.id}/line").json()["position"]


def admitted(room):
    return list(
        LinePlace.objects.filter(room=room, admitted_until__gt=timezone.now()).order_by("id").values_list("person__handle", flat=True)
    )


def pass_time(**time):
    """As if everybody in line had joined, asked and been admitted so much earlier."""
    for place in LinePlace.objects.all():
        for name in ("joined_at", "asked_at", "admitted_until"):
            if (at := getattr(place, name)) is not None:
                setattr(place, name, at - timedelta(**time))
        place.save()


def told(person):
    return [event.data for event in StreamEvent.objects.filter(stream=f"person/{person.id}", kind="line_changed").order_by("seq")]


def test_full_room_refuses_with_a_place_in_line(full, newcomers, media_process):
    before = len(media_process.opened)
    answers = [listen(Api(person), full) for person in newcomers]
    assert [answer.status_code for answer in answers] == [429] * 3
    assert [answer.json()["line"]["position"] for answer in answers] == [1, 2, 3]
    assert answers[2].json() == {
        "code": "room_full", "message": "This room is full. You have a place in line.", "field": None,
        "line": {"position": 3, "length": 3, "admitted_until": None, "retry_after": 10},
    }  # fmt: skip
    assert answers[2]["Retry-After"] == "10"
    assert len(media_process.opened) == before
    assert not Place.objects.filter(room=full, person__in=newcomers).exists()


def test_asking_to_listen_again_keeps_the_place(full, newcomers):
    first, second, _ = map(Api, newcomers)
    for api in (first, second, first):
        listen(api, full)
    assert (position(first, full), position(second, full)) == (1, 2)


def test_visitors_take_seats_and_wait_like_everybody(full, newcomers, listener, leave):
    visitor, person = Api(), Api(newcomers[0])
    assert status(visitor, full) == (429, "room_full")
    listen(person, full)
    assert (position(visitor, full), position(person, full)) == (1, 2)
    leave(listener, full)
    assert visitor.get(f"rooms/{full.id}/line").json()["admitted_until"] is not None
    assert status(visitor, full) == (201, None)
    assert status(person, full) == (429, "room_full")


def test_who_is_not_in_line_has_no_position(full, newcomers):
    listen(Api(newcomers[0]), full)
    answer = Api(newcomers[1]).get(f"rooms/{full.id}/line")
    assert (answer.status_code, answer.json()) == (200, {"position": None, "length": 1, "admitted_until": None, "retry_after": 10})


def raise_capacity(room, listener):
    edit_room(caller(room.host), room.id, {"capacity": 3})


def remove(room, listener):
    remove_person(caller(room.host), room.id, listener.id, reason="", minutes=None)
    record_closed([ClosedSession(MediaSession.objects.get(person=listener).id, "removed")])


def lose_sound(room, listener):
    record_closed([ClosedSession(MediaSession.objects.get(person=listener).id, "timed_out")])


def delete_session(room, listener):
    session = MediaSession.objects.get(person=listener).id
    assert Api(listener).client.delete(f"/api/v1/media/{session}").status_code == 200


def go(room, listener):
    leave_room(caller(listener), room.id)


@pytest.mark.parametrize("act", [go, delete_session, lose_sound, remove, raise_capacity])
def test_seat_that_becomes_free_goes_to_the_first_in_line(full, newcomers, listener, act, django_capture_on_commit_callbacks):
    first, second = Api(newcomers[0]), Api(newcomers[1])
    for api in (first, second):
        listen(api, full)
    with django_capture_on_commit_callbacks(execute=True):
        act(full, listener)
    assert admitted(full) == ["newcomer0"]
    until = LinePlace.objects.get(person=newcomers[0]).admitted_until
    expected = {"position": None, "length": 1, "admitted_until": rfc3339(until), "retry_after": 10}
    assert told(newcomers[0]) == [{"room": full.id, "line": expected}]
    assert told(newcomers[1]) == []
    assert position(second, full) == 1
    assert status(second, full) == (429, "room_full")
    assert status(first, full) == (201, None)
    assert not LinePlace.objects.filter(person=newcomers[0]).exists()


def test_newcomer_does_not_pass_the_line(full, newcomers, listener):
    waiting, newcomer = Api(newcomers[0]), Api(newcomers[1])
    listen(waiting, full)
    # Nothing but the row: as when the process dies that would have looked at the line.
    MediaSession.objects.filter(person=listener).update(ended_at=timezone.now(), end_reason="timed_out")
    assert status(newcomer, full) == (429, "room_full")
    assert admitted(full) == ["newcomer0"]


def test_admission_that_is_not_used_goes_to_the_next(full, newcomers, listener, leave):
    first, second = Api(newcomers[0]), Api(newcomers[1])
    listen(first, full)
    listen(second, full)
    leave(listener, full)
    pass_time(seconds=31)
    line.admit_from_all_lines()
    assert admitted(full) == ["newcomer1"]
    assert first.get(f"rooms/{full.id}/line").json() == {"position": None, "length": 0, "admitted_until": None, "retry_after": 10}
    assert status(first, full) == (429, "room_full")
    assert position(first, full) == 1


def test_who_asks_no_more_loses_the_place(full, newcomers, listener, leave):
    first, second = Api(newcomers[0]), Api(newcomers[1])
    listen(first, full)
    listen(second, full)
    pass_time(seconds=59)
    assert position(second, full) == 2
    pass_time(seconds=1)
    assert position(second, full) == 1
    line.admit_from_all_lines()
    assert list(LinePlace.objects.values_list("person__handle", flat=True)) == ["newcomer1"]
    leave(listener, full)
    assert admitted(full) == ["newcomer1"]


def test_who_asked_no_more_and_comes_back_stands_at_the_end(full, newcomers):
    first, second = Api(newcomers[0]), Api(newcomers[1])
    listen(first, full)
    pass_time(seconds=61)
    listen(second, full)
    listen(first, full)
    assert (position(second, full), position(first, full)) == (1, 2)


def test_visitors_without_cookies_leave_nobody_behind_for_whom_a_seat_is_kept(full, newcomers, listener, leave):
    for _ in range(3):
        listen(Api(), full)
    listen(Api(newcomers[0]), full)
    leave(listener, full)
    assert admitted(full) == ["newcomer0"]


def test_admission_given_up_goes_to_the_next(full, newcomers, listener, leave):
    first, second = Api(newcomers[0]), Api(newcomers[1])
    listen(first, full)
    listen(second, full)
    leave(listener, full)
    assert admitted(full) == ["newcomer0"]
    assert first.client.delete(f"/api/v1/rooms/{full.id}/line").status_code == 204
    assert admitted(full) == ["newcomer1"]


def test_place_given_up(full, newcomers):
    api = Api(newcomers[0])
    listen(api, full)
    for _ in range(2):
        assert api.client.delete(f"/api/v1/rooms/{full.id}/line").status_code == 204
    assert not LinePlace.objects.exists()


@pytest.mark.parametrize("who", ["host", "moderator", "speaker", "listener"])
def test_who_belongs_in_a_full_room_is_never_kept_waiting(full, request, who):
    """The host and a moderator without sound yet; a speaker and a listener from another device."""
    assert status(Api(request.getfixturevalue(who)), full) == (201, None)


def test_who_lost_the_connection_a_moment_ago_comes_back_to_a_full_room(full, listener, newcomers, host):
    record_closed([ClosedSession(MediaSession.objects.get(person=listener, ended_at=None).id, "timed_out")])
    assert status(Api(newcomers[0]), full) == (201, None)
    assert status(Api(listener), full) == (201, None)


@pytest.mark.parametrize(
    ("status_before", "minutes", "answer"),
    [("", 1, (201, None)), ("", 3, (429, "room_full")), ("on_a_call", 9, (201, None)), ("on_a_call", 11, (429, "room_full"))],
)
def test_who_lost_the_stage_comes_back_to_a_full_room_as_long_as_the_stage_is_kept(
    *, full, speaker, newcomers, status_before, minutes, answer
):
    MediaSession.objects.filter(person=speaker).update(ended_at=timezone.now(), end_reason="timed_out")
    lost_at = timezone.now() - timedelta(minutes=minutes)
    Place.objects.filter(person=speaker).update(
        left_at=lost_at, stage_lost_at=lost_at, on_stage_since=None, role="listener", status=status_before
    )
    assert status(Api(newcomers[0]), full) == (201, None)
    assert status(Api(speaker), full) == answer


def test_who_left_a_full_room_waits_like_everybody(full, listener, newcomers, leave):
    leave(listener, full)
    assert status(Api(newcomers[0]), full) == (201, None)
    assert status(Api(listener), full) == (429, "room_full")


def test_guest_waits_like_everybody(full, host, newcomers):
    Guest.objects.create(room=full, person=newcomers[0], by=host, at=timezone.now())
    assert status(Api(newcomers[0]), full) == (429, "room_full")


def test_capacity_lowered_drops_nobody_and_admits_nobody(full, cast, newcomers, leave):
    host, listener = cast[0], cast[-1]
    edit_room(caller(host), full.id, {"capacity": 4})
    for somebody in (*cast[:2], *newcomers[:1]):
        listen(Api(somebody), full)
    edit_room(caller(host), full.id, {"capacity": 2})
    assert MediaSession.objects.filter(ended_at=None).count() == 4
    assert status(Api(listener), full) == (201, None)
    leave(listener, full)
    assert admitted(full) == []


@pytest.mark.parametrize("failure", [MediaUnavailable(), InvalidSdp("no")])
def test_attempt_that_fails_keeps_no_seat_but_costs_nobody_their_turn(full, newcomers, media_process, failure, leave):
    Room.objects.filter(id=full.id).update(capacity=3)
    media_process.failure = failure
    assert status(Api(newcomers[0]), full)[1] == failure.code
    assert not LinePlace.objects.exists()
    media_process.failure = None
    assert status(Api(newcomers[1]), full) == (201, None)
    listen(Api(newcomers[0]), full)
    leave(newcomers[1], full)
    media_process.failure = failure
    assert status(Api(newcomers[0]), full)[1] == failure.code
    assert admitted(full) == ["newcomer0"]


def test_seat_of_a_session_refused_after_its_offer_was_answered_goes_on(full, newcomers, listener, media_process, leave):
    listen(Api(newcomers[0]), full)
    leave(listener, full)
    listen(Api(newcomers[1]), full)
    media_process.before_answer = lambda: remove_person(caller(full.host), full.id, newcomers[0].id, reason="", minutes=None)
    assert status(Api(newcomers[0]), full) == (404, "not_found")
    assert admitted(full) == ["newcomer1"]


def test_locked_room_takes_no_newcomers_and_puts_them_in_no_line(room, cast, newcomers, media_process, leave):
    host, listener = cast[0], cast[-1]
    guest = newcomers[1]
    Guest.objects.create(room=room, person=guest, by=host, at=timezone.now())
    visitor, late = Api(), Api()
    listen(visitor, room)
    leave(listener, room)
    Room.objects.filter(id=room.id).update(locked=True)
    for newcomer in (Api(newcomers[0]), late):
        assert status(newcomer, room) == (403, "room_locked")
        assert newcomer.get(f"rooms/{room.id}").status_code == 200
    assert not LinePlace.objects.exists()
    for known in (Api(listener), Api(guest), visitor, Api(host)):
        assert status(known, room) == (201, None)


def test_line_of_an_ended_room(full, host, newcomers):
    api = Api(newcomers[0])
    listen(api, full)
    end_room(caller(host), full.id)
    for answer in (api.get(f"rooms/{full.id}/line"), api.client.delete(f"/api/v1/rooms/{full.id}/line")):
        assert (answer.status_code, answer.json()["code"]) == (410, "room_ended")
    line.admit_from_all_lines()
    assert not LinePlace.objects.exists()


def test_who_stands_far_back_is_asked_to_ask_less_often(full, newcomers):
    now = timezone.now()
    LinePlace.objects.bulk_create(LinePlace(room=full, visitor=f"{n:026}", joined_at=now, asked_at=now) for n in range(99))
    answers = [listen(Api(person), full) for person in newcomers[:2]]
    assert [(answer.json()["line"]["position"], answer["Retry-After"]) for answer in answers] == [(100, "10"), (101, "25")]


def test_asking_is_what_keeps_a_place(full, newcomers):
    api = Api(newcomers[0])
    listen(api, full)
    pass_time(seconds=50)
    assert position(api, full) == 1
    pass_time(seconds=50)
    assert position(api, full) == 1
    asked: datetime = LinePlace.objects.get().asked_at
    assert asked > timezone.now() - timedelta(seconds=10)
