"""Calling somebody into the room one is in. It is no entry right, and whether it was shown is not said."""

from datetime import timedelta
from math import ceil

from django.db import transaction
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.common.errors import TooManyRequests
from salon.common.locks import lock_name
from salon.rooms.access import IN, access_person_by_id, access_room_as_person, may_enter_anew
from salon.rooms.calls import called, may_call
from salon.rooms.errors import CannotActOnOneself, CannotPing, NotInRoom, RoomEnded
from salon.rooms.events import room_stream
from salon.rooms.models import Ping, Place, Room
from salon.social.relations import wants_no_pings
from salon.streams.events import emit_all, newest_seq

PINGS_AN_HOUR = 20
_HOUR = timedelta(hours=1)


def ping(caller: Caller, room_id: str, person_id: str) -> int:
    """Whoever has muted the sender's pings, is in the room, or was called into it by them before is not told, and the sender not that.

    Returns the number of the room's stream. Raises what the doors raise, RoomEnded, NotInRoom, CannotActOnOneself, CannotPing,
    TooManyRequests.
    """
    room, sender = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    if not room.is_live:
        raise RoomEnded
    if not _is_in(room, sender):
        raise NotInRoom
    if person == sender:
        raise CannotActOnOneself(field="person")
    if not may_call(sender, person) or not may_enter_anew(room, person):
        raise CannotPing(field="person")
    with transaction.atomic():
        # The sender's calls are counted one after the other, in whichever rooms they are. By a name: their row is locked before rooms by a
        # deactivation, and the command may hold this room.
        lock_name(f"calls {sender.id}")
        is_new = not Ping.objects.filter(room=room, by=sender, person=person).exists()
        if is_new:
            _count(sender)
            Ping.objects.create(room=room, by=sender, person=person, at=timezone.now())
        if is_new and not wants_no_pings(person.id, sender.id) and not _is_in(room, person):
            emit_all([called("pinged", room, sender, person)])
        return newest_seq(room_stream(room.id))


def _is_in(room: Room, person: Person) -> bool:
    return Place.objects.filter(IN, room=room, person=person).exists()


def _count(sender: Person) -> None:
    """In the database, over all rooms and processes: to be called too often is what people leave for. Raises TooManyRequests."""
    now = timezone.now()
    lately = Ping.objects.filter(by=sender, at__gt=now - _HOUR).order_by("-at").values_list("at", flat=True)[:PINGS_AN_HOUR]
    if len(lately) == PINGS_AN_HOUR:
        raise TooManyRequests(retry_after_secs=ceil((lately[PINGS_AN_HOUR - 1] + _HOUR - now).total_seconds()))
