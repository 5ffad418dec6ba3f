"""What the keeper settles because its time has come; the rules are in tests/rooms."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.rooms.actions.attendance import leave_room
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.moderators import name_deputy
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.models import Place, Removal, Room, SecondModeratorRequest
from salon.worker.due import due
from salon.worker.keeper import SETTLE_SECS, Keeper
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


def in_two_minutes():
    return timezone.now() + timedelta(minutes=2)


@pytest.fixture
def keeper():
    """Just started: what was due before it came is due still."""
    return Keeper(1000.0)


def test_first_round_passes_on_what_a_dead_worker_left(keeper, room, host, moderator):
    name_deputy(caller(host), room.id, moderator.id)
    leave_room(caller(host), room.id)
    Room.objects.update(grace_ends_at=timezone.now())
    keeper.round(1000.0)
    assert Place.objects.get(person=moderator).role == "host"


def test_request_that_nobody_answered_expires(keeper, room, host):
    request = SecondModeratorRequest.objects.create(room=room, action="end_room", by=host, at=timezone.now(), expires_at=in_two_minutes())
    keeper.round(1000.0)
    assert SecondModeratorRequest.objects.get().outcome == ""
    SecondModeratorRequest.objects.filter(id=request.id).update(expires_at=timezone.now())
    keeper.round(1000.0 + SETTLE_SECS / 2)
    assert SecondModeratorRequest.objects.get().outcome == ""
    keeper.round(1000.0 + SETTLE_SECS)
    assert SecondModeratorRequest.objects.get().outcome == "expired"


def test_removal_whose_time_is_over_leaves_the_list(keeper, room, host, speaker, listener):
    remove_person(caller(host), room.id, speaker.id, reason="", minutes=1)
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    Removal.objects.filter(person=speaker).update(at=timezone.now() - timedelta(minutes=1), until=timezone.now())
    keeper.round(1000.0)
    assert Removal.objects.get(person=speaker).lifted_at is not None
    assert Removal.objects.get(person=listener).lifted_at is None


def test_nothing_is_due_in_a_room_that_has_ended(room, host, speaker):
    remove_person(caller(host), room.id, speaker.id, reason="", minutes=1)
    Removal.objects.update(at=timezone.now() - timedelta(minutes=1), until=timezone.now())
    assert [found.id for _, found in due()] == [room.id]
    end_room(caller(host), room.id)
    assert due() == []


def test_looking_for_what_is_due_takes_three_queries(room, django_assert_num_queries):
    with django_assert_num_queries(3):
        assert due() == []
