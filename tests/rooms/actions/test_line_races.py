"""Many at once for few seats, on real connections: the room's row lock counts them one after the other."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.common.errors import SalonError
from salon.common.ids import new_id
from salon.rooms.actions import line, sound
from salon.rooms.actions.attendance import leave
from salon.rooms.models import LinePlace, MediaSession, Room
from salon.streams.models import StreamEvent
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db(transaction=True)
OFFER = "v=0\r\n"


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Each on a thread of its own, begun together, with as many connections as a process has. Answers, or codes of refusals, in order."""
    results: list[object] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def run(n, act):
        barrier.wait()
        try:
            results[n] = act()
        except SalonError as refusal:
            results[n] = refusal.code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def crowd(person):
    """Half of them visitors."""
    return [caller(person(f"guest{n}")) for n in range(10)] + [Caller(None, new_id(), "en") for _ in range(10)]


def waiting(room):
    return list(LinePlace.objects.filter(room=room, admitted_until=None).order_by("id"))


def test_twenty_at_once_for_five_seats_are_five_grants(room, crowd, media_process):
    Room.objects.filter(id=room.id).update(capacity=5)
    results = at_once(*(lambda who=who: sound.listen(who, room.id, OFFER).session for who in crowd))
    assert results.count("room_full") == 15
    granted = {session for session in results if session != "room_full"}
    assert len(granted) == len(media_process.opened) == 5
    assert set(MediaSession.objects.filter(ended_at=None).values_list("id", flat=True)) == granted
    assert len(waiting(room)) == LinePlace.objects.count() == 15


def test_seats_that_become_free_at_once_are_given_once_each(room, crowd, media_process):
    Room.objects.filter(id=room.id).update(capacity=5)
    seated, rest = crowd[:5], crowd[5:]
    at_once(*(lambda who=who: sound.listen(who, room.id, OFFER) for who in seated))
    at_once(*(lambda who=who: sound.listen(who, room.id, OFFER) for who in rest))
    for who in rest:
        line.ask_line(who, room.id)
    first = [place.id for place in waiting(room)[:3]]
    people = sum(place.person_id is not None for place in waiting(room)[:3])
    at_once(*(lambda who=who: leave(room, who.person) for who in seated[:3]), *[lambda: line.admit_from_line(room)] * 2)
    assert list(LinePlace.objects.filter(admitted_until__gt=timezone.now()).order_by("id").values_list("id", flat=True)) == first
    assert StreamEvent.objects.filter(kind="line_changed").count() == people


def test_one_person_on_two_devices_takes_one_seat(room, crowd, media_process):
    Room.objects.filter(id=room.id).update(capacity=2)
    results = at_once(*[lambda: sound.listen(crowd[0], room.id, OFFER)] * 3)
    assert "room_full" not in results
    assert sound.listen(crowd[1], room.id, OFFER).session
    assert at_once(lambda: sound.listen(crowd[2], room.id, OFFER)) == ["room_full"]
