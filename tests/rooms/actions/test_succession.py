"""Who runs the room when its host is gone: the grace in the database, and what its end does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.rooms.actions.attendance import enter_room, leave_room, lose_connection
from salon.rooms.actions.edit_room import edit_room
from salon.rooms.actions.moderators import name_deputy
from salon.rooms.actions.succession import settle_succession
from salon.rooms.domain.succession import GRACE
from salon.rooms.models import Place, Room
from tests.rooms.fake_clubs import CLUB
from tests.rooms.messages.traces import events, logged, place, told
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


def grace_is_over():
    Room.objects.update(grace_ends_at=timezone.now())


def test_grace_begins_when_the_host_goes_and_the_deputy_is_there(room, host, moderator):
    name_deputy(caller(host), room.id, moderator.id)
    before = timezone.now()
    lose_connection(room, host)
    room.refresh_from_db()
    assert before + GRACE <= room.grace_ends_at <= timezone.now() + GRACE
    assert [data.keys() for kind, data in events(f"room/{room.id}") if kind == "room_changed"][-1] == {"grace_ends_at"}


def test_grace_does_not_begin_while_another_moderator_is_there(room, host):
    lose_connection(room, host)
    room.refresh_from_db()
    assert room.grace_ends_at is None


def test_grace_does_not_begin_in_a_room_that_nobody_is_left_in(room, cast):
    for person in cast:
        leave_room(caller(person), room.id)
    room.refresh_from_db()
    assert (room.grace_ends_at, room.host_away) == (None, False)


def test_nothing_passes_on_before_the_grace_is_over(room, host, moderator):
    name_deputy(caller(host), room.id, moderator.id)
    leave_room(caller(host), room.id)
    assert not settle_succession(room)
    assert place(host).role == "host"


def test_host_who_is_back_within_the_grace_stays_it(room, host, moderator):
    name_deputy(caller(host), room.id, moderator.id)
    leave_room(caller(host), room.id)
    enter_room(room, host)
    room.refresh_from_db()
    assert (room.grace_ends_at, place(host).role) == (None, "host")
    assert not settle_succession(room)


def test_deputy_becomes_host_and_gives_the_role_back(room, host, moderator):
    name_deputy(caller(host), room.id, moderator.id)
    leave_room(caller(host), room.id)
    grace_is_over()
    assert settle_succession(room)
    room.refresh_from_db()
    assert (place(moderator).role, place(host).role, room.grace_ends_at, room.host_away) == ("host", "moderator", None, False)
    assert told(moderator, room) == ("succession", None, None)
    assert logged(room) == ("succession", None, "moderator", None)
    enter_room(room, host)
    assert (place(moderator).role, place(host).role) == ("moderator", "host")
    assert told(moderator, room) == ("enter_room", "hostess", None)


def test_speaker_who_moderated_before_becomes_host_where_there_is_no_deputy(room, host, moderator, speaker):
    Place.objects.filter(person=speaker).update(ever_moderated=True)
    for person in (host, moderator):
        leave_room(caller(person), room.id)
    grace_is_over()
    settle_succession(room)
    assert place(speaker).role == "host"
    assert [data for kind, data in events(f"room/{room.id}") if kind == "role_changed"] == [{"person": speaker.id, "role": "host"}]


def test_speaker_who_moderated_another_room_of_the_club_becomes_host(room, host, moderator, speaker, clubs):
    Room.objects.update(club=CLUB)
    clubs.moderated.add((CLUB, speaker.id))
    for person in (host, moderator):
        leave_room(caller(person), room.id)
    grace_is_over()
    settle_succession(room)
    assert place(speaker).role == "host"


def test_stage_locks_where_nobody_may_succeed_until_a_moderator_returns(room, host, moderator, speaker):
    for person in (host, moderator):
        leave_room(caller(person), room.id)
    grace_is_over()
    settle_succession(room)
    room.refresh_from_db()
    assert (place(speaker).role, room.host_away, room.grace_ends_at) == ("speaker", True, None)
    assert logged(room) == ("succession", None, None, None)
    enter_room(room, moderator)
    room.refresh_from_db()
    assert (room.host_away, place(moderator).role) == (False, "moderator")
    assert events(f"room/{room.id}")[-1] == ("room_changed", {"host_away": False})


def test_grace_that_nobody_needs_any_more_is_taken_back_without_a_word(room, host, moderator):
    name_deputy(caller(host), room.id, moderator.id)
    leave_room(caller(host), room.id)
    Place.objects.filter(person=host).update(left_at=None)
    grace_is_over()
    entries = len([kind for kind, _ in events(f"moderation/{room.id}") if kind == "action_logged"])
    assert settle_succession(room)
    assert Room.objects.get().grace_ends_at is None
    assert len([kind for kind, _ in events(f"moderation/{room.id}") if kind == "action_logged"]) == entries


def test_running_grace_is_not_prolonged_by_other_changes(room, host, moderator):
    name_deputy(caller(host), room.id, moderator.id)
    leave_room(caller(host), room.id)
    ends_at = timezone.now() + timedelta(seconds=5)
    Room.objects.update(grace_ends_at=ends_at)
    edit_room(caller(moderator), room.id, {"title": "Late talk"})
    assert Room.objects.get().grace_ends_at == ends_at
