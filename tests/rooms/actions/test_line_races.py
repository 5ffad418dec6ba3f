"""Many at once for few seats, on real connections: the room's row lock counts them one after the other."""

import random
from functools import partial

import pytest
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.common.ids import new_id
from salon.rooms import media
from salon.rooms.actions import line, sound
from salon.rooms.actions.attendance import leave
from salon.rooms.actions.truth import ClosedSession, record_closed
from salon.rooms.capacity import capacity_of
from salon.rooms.errors import InvalidSdp
from salon.rooms.models import LinePlace, MediaSession, Room
from salon.streams.models import StreamEvent
from tests.rooms.at_once import at_once
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db(transaction=True)
OFFER, NONSENSE = "v=0\r\n", "nonsense"
SEED, ROUNDS = 20261123, 12
rush = partial(at_once, on_open_connections=False)


@pytest.fixture
def crowd(person):
    """Half of them visitors."""
    return [caller(person(f"guest{n}")) for n in range(10)] + [Caller(None, new_id(), "en") for _ in range(10)]


def waiting(room):
    return list(LinePlace.objects.filter(room=room, admitted_until=None).order_by("id"))


def test_twenty_at_once_for_five_seats_are_five_grants(room, crowd, media_process):
    Room.objects.filter(id=room.id).update(capacity=5)
    results = rush(*(lambda who=who: sound.listen(who, room.id, OFFER).session for who in crowd))
    assert results.count("room_full") == 15
    granted = {session for session in results if session != "room_full"}
    assert len(granted) == len(media_process.opened) == 5
    assert set(MediaSession.objects.filter(ended_at=None).values_list("id", flat=True)) == granted
    assert len(waiting(room)) == LinePlace.objects.count() == 15


def test_seats_that_become_free_at_once_are_given_once_each(room, crowd, media_process):
    Room.objects.filter(id=room.id).update(capacity=5)
    seated, rest = crowd[:5], crowd[5:]
    rush(*(lambda who=who: sound.listen(who, room.id, OFFER) for who in seated))
    rush(*(lambda who=who: sound.listen(who, room.id, OFFER) for who in rest))
    for who in rest:
        line.ask_line(who, room.id)
    first = [place.id for place in waiting(room)[:3]]
    people = sum(place.person_id is not None for place in waiting(room)[:3])
    rush(*(lambda who=who: leave(room, who.person) for who in seated[:3]), *[lambda: line.admit_from_line(room)] * 2)
    assert list(LinePlace.objects.filter(admitted_until__gt=timezone.now()).order_by("id").values_list("id", flat=True)) == first
    assert StreamEvent.objects.filter(kind="line_changed").count() == people


def test_one_person_on_two_devices_takes_one_seat(room, crowd, media_process):
    Room.objects.filter(id=room.id).update(capacity=2)
    results = rush(*[lambda: sound.listen(crowd[0], room.id, OFFER)] * 3)
    assert "room_full" not in results
    assert sound.listen(crowd[1], room.id, OFFER).session
    assert rush(lambda: sound.listen(crowd[2], room.id, OFFER)) == ["room_full"]


def come(who, room):
    return sound.listen(who, room.id, OFFER)


def come_with_nonsense(who, room):
    return sound.listen(who, room.id, NONSENSE)


def go(who, room):
    for session in sessions_of(who, room):
        sound.close_session(who, session.id)


def lose_sound(who, room):
    record_closed([ClosedSession(session.id, "timed_out") for session in sessions_of(who, room)])


def ask(who, room):
    return line.ask_line(who, room.id)


ACTS = [come, come, come, come_with_nonsense, go, lose_sound, ask]


def sessions_of(who, room):
    return MediaSession.objects.filter(room=room, visitor=who.visitor, ended_at=None)


def taken(room):
    return capacity_of(room) - line._free_seats(room, timezone.now())


def test_rounds_of_coming_and_going_never_fill_a_room_beyond_its_capacity_nor_keep_anybody_out_of_it(room, media_process, monkeypatch):
    """The capacity is raised and lowered meanwhile. Visitors, because nobody lets them in beyond it."""

    def open_session(grant, offer, policy, source=""):
        if offer == NONSENSE:
            raise InvalidSdp
        return media_process.open_session(grant, offer, policy, source)

    monkeypatch.setattr(media, "open_session", open_session)
    dice = random.Random(SEED)
    visitors = [Caller(None, new_id(), "en") for _ in range(16)]
    Room.objects.filter(id=room.id).update(capacity=6)
    most = 0
    for _ in range(ROUNDS):
        room.refresh_from_db()
        before, capacity = taken(room), room.capacity
        other = dice.choice([capacity, capacity, 3, 6, 9])
        acts = [partial(dice.choice(ACTS), dice.choice(visitors), room) for _ in range(14)]
        rush(lambda other=other: Room.objects.filter(id=room.id).update(capacity=other), *acts)
        room.refresh_from_db()
        assert taken(room) <= max(capacity, other, before)
        assert room.seats_at_most is None or (room.seats_at_most >= taken(room) and not waiting(room))
        for place in waiting(room) * 2:  # all have asked a second time before the last look
            ask(Caller(None, place.visitor, "en"), room)
        assert not waiting(room) or taken(room) >= other
        most = max(most, taken(room))
    assert most >= 9, "the room was never full: nothing has been shown"
