"""Who may watch what of a room."""

import pytest

from salon.accounts.errors import SignInRequired
from salon.common.errors import NotFound
from salon.rooms.actions.attendance import leave_room
from salon.rooms.actions.moderators import appoint_moderator, revoke_moderator
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.enums import Visibility
from salon.rooms.models import Room
from salon.streams.kinds import Watcher, kind_named
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db
VISITOR = Watcher(None, "v" * 26)


def may(watcher, name, key=""):
    kind_named(name).admit(watcher, key)
    return True


def of(person):
    return Watcher(person.id, None)


def test_hallway_is_for_everyone(stranger):
    assert may(VISITOR, "hallway")
    assert may(of(stranger), "hallway")
    with pytest.raises(NotFound):
        may(VISITOR, "hallway", "something")


def test_visitors_watch_nothing_where_the_operator_lets_none_listen(room, without_visitors):
    for name, key in (("hallway", ""), ("room", room.id)):
        with pytest.raises(SignInRequired):
            may(VISITOR, name, key)


def test_room_is_for_whoever_may_enter(room, stranger, listener, host):
    assert may(VISITOR, "room", room.id)
    Room.objects.update(visibility=Visibility.CLOSED)
    for outsider in (VISITOR, of(stranger)):
        with pytest.raises(NotFound):
            may(outsider, "room", room.id)
    assert may(of(listener), "room", room.id)
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    with pytest.raises(NotFound):
        may(of(listener), "room", room.id)


@pytest.mark.parametrize("stream", ["hands", "moderation"])
def test_what_moderators_see_is_for_moderators_who_are_in_the_room(room, cast, stranger, stream):
    host, moderator, speaker, listener = cast
    assert may(of(host), stream, room.id)
    assert may(of(moderator), stream, room.id)
    for other in (of(speaker), of(listener), of(stranger), VISITOR):
        with pytest.raises(NotFound):
            may(other, stream, room.id)
    leave_room(caller(moderator), room.id)
    with pytest.raises(NotFound):
        may(of(moderator), stream, room.id)


@pytest.mark.parametrize("stream", ["hands", "moderation"])
def test_moderators_see_it_from_their_appointment_until_they_are_revoked(room, host, listener, stream):
    appoint_moderator(caller(host), room.id, listener.id)
    assert may(of(listener), stream, room.id)
    revoke_moderator(caller(host), room.id, listener.id)
    with pytest.raises(NotFound):
        may(of(listener), stream, room.id)


def test_deactivated_person_watches_nothing(room, listener):
    listener.is_active = False
    listener.save()
    for name, key in (("hallway", ""), ("room", room.id), ("person", listener.id)):
        with pytest.raises(NotFound):
            may(of(listener), name, key)
