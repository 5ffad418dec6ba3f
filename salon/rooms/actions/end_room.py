"""Ending a room: by a moderator, or because nobody is in it."""

from datetime import datetime, timedelta

from salon.accounts.callers import Caller
from salon.rooms.access import access_room_as_person
from salon.rooms.actions.locked_room import LockedRoom, locked_room
from salon.rooms.domain import lifecycle
from salon.rooms.domain.room_stage import PersonId
from salon.rooms.models import Place, Room
from salon.rooms.stages import seats_of

# Each place that ends is an event in its person's stream. So many at once cost a few milliseconds; the places of a crowd
# are cleared in portions by the keeper, while the end itself is told at once to everybody who watches the room.
PORTION = 200
# Long enough for a host to be asked for the microphone, short enough that the hallway shows no dead rooms.
ENTERED_WITHIN = timedelta(seconds=60)
# Somebody alone whose network broke comes back to their room, as they would to any other.
LOST_STAGE_KEEPS_ROOM = timedelta(seconds=60)


def end_room(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.lifecycle.end_room raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        _seat_everybody(locked, person.id)
        return locked.commit(lifecycle.end_room(locked.stage, PersonId(person.id)), "end_room", actor=person)


def end_if_empty(room: Room) -> bool:
    """End a live room that nobody is in: the last person left, nobody came, or nobody came back. Returns whether it ended."""
    with locked_room(room) as locked:
        if not locked.room.is_live or not _is_empty(locked.room, locked.now):
            return False
        _seat_everybody(locked)
        locked.commit(lifecycle.end_empty_room(locked.stage), "end_empty_room", actor=None)
        return True


def _is_empty(room: Room, now: datetime) -> bool:
    """Not while a speaker who lost the connection, and did not leave, may come back within a minute.

    A host who opened the room is not in it before they come, but has a minute to come, whoever looks in meanwhile.
    """
    people = Place.objects.filter(room=room, left_at=None)
    if people.filter(entered_at__isnull=False).exists():
        return False
    if room.entered_at is not None and Place.objects.filter(room=room, stage_lost_at__gt=now - LOST_STAGE_KEEPS_ROOM).exists():
        return False
    somebody_may_come = room.entered_at is None or people.exists()
    return not somebody_may_come or now - room.opened_at >= ENTERED_WITHIN


def vacate_ended_room(room: Room) -> int:
    """Clear the next portion of places that an ended room still has. Returns how many."""
    with locked_room(room) as locked:
        people = _seat_everybody(locked)
        locked.commit(lifecycle.vacate(locked.stage), "end_room", actor=None, audited=False)
        return people


def _seat_everybody(locked: LockedRoom, *further: str) -> int:
    """Read the places of a portion of listeners too: they end with the room. Returns how many of them."""
    people = Place.objects.filter(room=locked.room, left_at=None).order_by("id").values_list("person_id", flat=True)[:PORTION]
    locked.seats = seats_of(locked.room, *people, *further)
    return len(people)
