"""Two people at once, on two real connections: the room's row lock makes them one after the other."""

import pytest

from salon.rooms.actions import attendance, hands, invitations, mutes, stepping_down
from salon.rooms.actions.acted import Acted
from salon.rooms.actions.end_room import end_if_empty, end_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.commands import Terms, run_named
from salon.rooms.models import Place, Room, RoomAction
from salon.streams.events import newest_seq
from salon.streams.models import Stream, StreamEvent
from tests.rooms.at_once import at_once
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db(transaction=True)


def numbers_are_gapless():
    for stream in Stream.objects.all():
        assert list(stream.events.order_by("seq").values_list("seq", flat=True)) == list(range(1, stream.seq + 1))


def test_two_moderators_invite_the_same_listener(room, host, moderator, listener):
    results = at_once(*(lambda by=by: invitations.invite_to_stage(caller(by), room.id, listener.id) for by in (host, moderator)))
    assert sorted(map(type, results), key=str) == [int, str]
    assert "already_invited" in results
    assert RoomAction.objects.filter(action="invite_to_stage").count() == 1
    numbers_are_gapless()


def test_two_moderators_move_the_same_speaker(room, host, moderator, speaker):
    results = at_once(*(lambda by=by: stepping_down.move_to_audience(caller(by), room.id, speaker.id) for by in (host, moderator)))
    assert "not_on_stage" in results
    assert StreamEvent.objects.filter(kind="stage_left").count() == 1


def test_double_accept_takes_one_place(room, host, listener):
    invitations.invite_to_stage(caller(host), room.id, listener.id)
    results = at_once(*[lambda: invitations.accept_invitation(caller(listener), room.id)] * 2)
    assert "already_on_stage" in results
    assert StreamEvent.objects.filter(kind="stage_joined", data__person__id=listener.id).count() == 1


def test_accept_against_a_move_of_the_host_who_ends_the_room(room, host, listener):
    invitations.invite_to_stage(caller(host), room.id, listener.id)
    results = at_once(lambda: end_room(caller(host), room.id), lambda: invitations.accept_invitation(caller(listener), room.id))
    assert isinstance(results[0], Acted)
    assert results[1] == "room_ended" or isinstance(results[1], int)
    assert not Place.objects.filter(left_at=None).exists()
    numbers_are_gapless()


def test_hands_raised_at_once_stand_in_the_order_of_their_numbers(room, person):
    people = [person(f"guest{n}") for n in range(4)]
    for guest in people:
        attendance.enter_room(room, guest)
    assert all(isinstance(result, int) for result in at_once(*(lambda g=g: hands.raise_hand(caller(g), room.id) for g in people)))
    told = (
        StreamEvent.objects.filter(stream=f"hands/{room.id}", kind="hand_raised").order_by("seq").values_list("data__person__id", flat=True)
    )
    queue = Place.objects.filter(hand_raised_at__isnull=False).order_by("hand_raised_at").values_list("person", flat=True)
    assert list(told) == list(queue)


def test_retries_at_once_with_one_key_do_one_thing(room, listener):
    results = at_once(*[lambda: run_named(caller(listener), room.id, "raise_hand", {}, Terms("key"))] * 3)
    assert results == [results[0]] * 3
    assert StreamEvent.objects.filter(stream=f"hands/{room.id}").count() == 1


def test_two_moderators_who_decide_by_the_same_number_are_not_both_obeyed(room, host, moderator):
    for _ in range(5):
        seq = newest_seq(f"room/{room.id}")
        titles = {host: f"After {seq}", moderator: f"Since {seq}"}
        terms = Terms(seq=seq)
        results = at_once(
            *(
                lambda by=by, title=title, terms=terms: run_named(caller(by), room.id, "edit_room", {"title": title}, terms)
                for by, title in titles.items()
            )
        )
        assert sorted(results, key=str) == ["precondition_failed", {"seq": seq + 1}]
        assert Room.objects.get(id=room.id).title == list(titles.values())[results.index({"seq": seq + 1})]


def test_entering_at_once_makes_one_place(room, stranger):
    at_once(*[lambda: attendance.enter_room(room, stranger)] * 3)
    assert Place.objects.filter(person=stranger, left_at=None).count() == 1
    numbers_are_gapless()


def test_one_person_in_two_rooms_at_once_waits_for_nobody_in_a_circle(person, room, cast):
    """Commands in two rooms write to the same people's streams: locked in the order of names, they cannot deadlock."""
    host, moderator, speaker, listener = cast
    other = open_room(moderator, title="Other", topic="", language="en")
    for somebody in (host, speaker, listener):
        attendance.enter_room(other, somebody)
    for n in range(5):
        results = at_once(
            lambda: hands.raise_hand(caller(listener), room.id), lambda: hands.raise_hand(caller(listener), other.id),
            lambda: mutes.mute_speaker(caller(host), room.id, speaker.id), lambda: hands.raise_hand(caller(speaker), other.id),
        )  # fmt: skip
        assert all(isinstance(result, int) for result in results), n
        for back in (
            lambda: hands.lower_hand(caller(listener), room.id), lambda: hands.lower_hand(caller(listener), other.id),
            lambda: mutes.unmute(caller(speaker), room.id), lambda: hands.lower_hand(caller(speaker), other.id),
        ):  # fmt: skip
            back()
    numbers_are_gapless()


def test_entering_against_the_end_of_an_empty_room(host, listener):
    room = open_room(host, title="x", topic="", language="en")
    attendance.leave(room, host)
    Room.objects.update(entered_at=room.opened_at)
    results = at_once(lambda: end_if_empty(room), lambda: attendance.enter_room(room, listener))
    phase = Room.objects.get().phase
    assert (phase, results[0]) in {("live", False), ("ended", True)}
    assert Place.objects.filter(person=listener, left_at=None).exists() == (phase == "live")
