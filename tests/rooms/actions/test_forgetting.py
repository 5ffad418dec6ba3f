"""What is dropped a day after a room has ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.forgetting import KEPT_AFTER_THE_END
from salon.rooms.models import Guest, LinePlace, Ping, Room, SecondModeratorRequest
from salon.rooms.tasks import forget_ended_rooms
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def left_over():
    return [kind.objects.count() for kind in (Ping, LinePlace, SecondModeratorRequest, Guest)]


def test_what_only_a_live_room_needs_is_dropped_a_day_after_its_end(room, host, stranger):
    now = timezone.now()
    Ping.objects.create(room=room, by=host, person=stranger, at=now)
    LinePlace.objects.create(room=room, person=stranger, joined_at=now, asked_at=now)
    SecondModeratorRequest.objects.create(room=room, action="end_room", by=host, at=now, expires_at=now)
    Guest.objects.create(room=room, person=stranger, by=host, at=now)
    forget_ended_rooms(timestamp=0)
    assert left_over() == [1, 1, 1, 1]
    end_room(caller(host), room.id)
    Room.objects.update(ended_at=timezone.now() - KEPT_AFTER_THE_END + 60 * SECOND)
    forget_ended_rooms(timestamp=0)
    assert left_over() == [1, 1, 1, 1]
    Room.objects.update(ended_at=timezone.now() - KEPT_AFTER_THE_END - SECOND)
    forget_ended_rooms(timestamp=0)
    # Guests may still look at the room that they were invited into.
    assert left_over() == [0, 0, 0, 1]
