"""Who passes the door of a room, by what they are to the people in it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.rooms.access import (
    access_live_room_by_id,
    access_room_by_id,
    folded_among,
    live_rooms_for,
    may_enter_anew,
    without_blocked,
)
from salon.rooms.actions.attendance import leave_room
from salon.rooms.actions.places import ensure_place
from salon.rooms.enums import Role, Visibility
from salon.rooms.errors import RoomNotFound
from salon.rooms.models import Guest, Place, Removal, Room
from salon.social.models import Block, Follow
from tests.rooms.people import VISITOR, caller

pytestmark = pytest.mark.django_db


def passes(somebody, room):
    try:
        return access_room_by_id(somebody, room.id) == room
    except RoomNotFound:
        return False


def make(room, **changes):
    Room.objects.filter(id=room.id).update(**changes)
    room.refresh_from_db()


def follow(follower, followed):
    Follow.objects.create(follower=follower, followed=followed)


def block(blocker, blocked):
    Block.objects.create(blocker=blocker, blocked=blocked)


def test_open_room_is_for_everyone(room, stranger, cast):
    assert passes(VISITOR, room)
    assert all(passes(caller(person), room) for person in (*cast, stranger))


@pytest.mark.parametrize(("follower", "enters"), [("host", True), ("moderator", True), ("speaker", False), ("listener", False)])
def test_social_room_is_for_whom_a_moderator_follows(room, stranger, request, follower, enters):
    make(room, visibility=Visibility.SOCIAL)
    assert not passes(caller(stranger), room)
    follow(request.getfixturevalue(follower), stranger)
    assert passes(caller(stranger), room) is enters
    assert not passes(VISITOR, room)


def test_social_room_stays_so_while_the_moderator_is_out_for_a_minute(room, moderator, stranger):
    make(room, visibility=Visibility.SOCIAL)
    follow(moderator, stranger)
    leave_room(caller(moderator), room.id)
    assert passes(caller(stranger), room)


def test_to_follow_a_moderator_opens_no_social_room(room, host, stranger):
    make(room, visibility=Visibility.SOCIAL)
    follow(stranger, host)
    assert not passes(caller(stranger), room)


def test_a_moderator_elsewhere_opens_nothing_here(room, person, stranger):
    make(room, visibility=Visibility.SOCIAL)
    other = person("elsewhere")
    Place.objects.create(
        room=Room.objects.create(host=other, title="x", language="fr"), person=other, role=Role.HOST, csrc=1, ever_moderated=True
    )
    follow(other, stranger)
    assert not passes(caller(stranger), room)


@pytest.mark.parametrize("visibility", [Visibility.SOCIAL, Visibility.CLOSED])
def test_who_has_been_in_a_room_may_come_back(room, listener, visibility):
    make(room, visibility=visibility)
    leave_room(caller(listener), room.id)
    assert passes(caller(listener), room)


def test_closed_room_is_not_for_whom_a_moderator_merely_follows(room, host, stranger):
    make(room, visibility=Visibility.CLOSED)
    follow(host, stranger)
    assert not passes(caller(stranger), room)


@pytest.mark.parametrize("visibility", [Visibility.SOCIAL, Visibility.CLOSED])
def test_guest_enters_whatever_the_visibility(room, host, stranger, visibility):
    make(room, visibility=visibility)
    Guest.objects.create(room=room, person=stranger, by=host, at=timezone.now())
    assert passes(caller(stranger), room)


def test_place_that_never_was_entered_opens_nothing_later(room, stranger):
    ensure_place(room, stranger)
    make(room, visibility=Visibility.CLOSED)
    assert not passes(caller(stranger), room)


def test_host_who_has_not_come_yet_passes(host):
    room = Room.objects.create(host=host, title="x", language="fr", visibility=Visibility.CLOSED)
    Place.objects.create(room=room, person=host, role=Role.HOST, csrc=1, ever_moderated=True)
    assert passes(caller(host), room)


@pytest.mark.parametrize("runs", ["host", "moderator", "speaker"])
def test_blocked_person_does_not_find_the_room_of_who_runs_or_speaks_in_it(room, stranger, request, runs):
    block(request.getfixturevalue(runs), stranger)
    assert not passes(caller(stranger), room)
    assert live_rooms_for(caller(stranger)) == []


def test_opener_who_handed_over_still_keeps_out_whom_they_blocked(room, host, moderator, stranger):
    Place.objects.filter(room=room, person=host).update(role=Role.LISTENER, on_stage_since=None, left_at=timezone.now())
    Place.objects.filter(room=room, person=moderator).update(role=Role.HOST)
    block(host, stranger)
    assert not passes(caller(stranger), room)


@pytest.mark.parametrize("blocker_is", ["in the audience", "the blocked one"])
def test_blocks_that_separate_nobody_at_the_door(room, host, listener, stranger, blocker_is):
    if blocker_is == "in the audience":
        block(listener, stranger)
    else:
        block(stranger, host)
    assert passes(caller(stranger), room)


def test_guest_whom_a_moderator_blocked_does_not_find_the_room(room, host, moderator, stranger):
    Guest.objects.create(room=room, person=stranger, by=host, at=timezone.now())
    block(moderator, stranger)
    assert not passes(caller(stranger), room)


def test_blocked_person_keeps_the_room_they_are_in_until_they_leave(room, speaker, listener):
    block(speaker, listener)
    assert passes(caller(listener), room)
    leave_room(caller(listener), room.id)
    assert not passes(caller(listener), room)


@pytest.mark.parametrize("moderating", ["host", "moderator"])
def test_block_by_a_speaker_puts_out_nobody_who_moderates(room, speaker, request, moderating):
    person = request.getfixturevalue(moderating)
    block(speaker, person)
    leave_room(caller(person), room.id)
    assert passes(caller(person), room)


def test_removal_keeps_out_until_it_is_over_or_lifted(room, host, listener):
    now = timezone.now()
    removal = Removal.objects.create(room=room, person=listener, by=host, at=now - timedelta(minutes=9))
    assert not passes(caller(listener), room)
    Removal.objects.filter(id=removal.id).update(lifted_at=now, lifted_by=host)
    assert passes(caller(listener), room)
    Removal.objects.create(room=room, person=listener, by=host, at=now - timedelta(minutes=9), until=now - timedelta(minutes=1))
    assert passes(caller(listener), room)


def test_removed_guest_stays_out(room, host, stranger):
    Guest.objects.create(room=room, person=stranger, by=host, at=timezone.now())
    Removal.objects.create(room=room, person=stranger, by=host, at=timezone.now())
    assert not passes(caller(stranger), room)


def test_locked_room_may_be_seen(room, stranger):
    make(room, locked=True)
    assert access_live_room_by_id(caller(stranger), room.id) == room


def test_may_enter_anew_minds_the_lock(room, host, listener, stranger, person):
    guest = person("guest")
    Guest.objects.create(room=room, person=guest, by=host, at=timezone.now())
    leave_room(caller(listener), room.id)
    assert [may_enter_anew(room, somebody) for somebody in (stranger, listener, guest)] == [True, True, True]
    make(room, locked=True)
    assert [may_enter_anew(room, somebody) for somebody in (stranger, listener, guest)] == [False, True, True]


@pytest.mark.parametrize("runs", ["host", "moderator", "speaker", "listener", "nobody"])
def test_folded_where_somebody_i_blocked_runs_or_speaks(room, stranger, request, runs):
    if runs != "nobody":
        block(stranger, request.getfixturevalue(runs))
    assert folded_among([room], caller(stranger)) == ({room.id} if runs in ("host", "moderator", "speaker") else set())
    assert folded_among([room], VISITOR) == set()


def test_without_blocked_leaves_out_also_the_room_one_is_in(room, speaker, listener, stranger):
    block(speaker, listener)
    assert list(without_blocked(Room.objects.all(), listener.id)) == []
    assert list(without_blocked(Room.objects.all(), stranger.id)) == [room]


@pytest.mark.parametrize("visibility", list(Visibility))
def test_the_door_takes_one_query(room, stranger, host, visibility, django_assert_num_queries):
    make(room, visibility=visibility)
    follow(host, stranger)
    block(stranger, host)
    with django_assert_num_queries(1):
        passes(caller(stranger), room)
