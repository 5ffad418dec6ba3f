"""Ending a room: by a moderator, or because nobody is in it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.rooms.access import access_room_as_person
from salon.rooms.actions.acted import Acted
from salon.rooms.actions.large_acts import ask_second_moderator
from salon.rooms.actions.locked_room import LockedRoom, Record, locked_room
from salon.rooms.domain import lifecycle
from salon.rooms.domain.large_acts import needs_second_moderator
from salon.rooms.domain.room_stage import Outcome, PersonId
from salon.rooms.enums import Direction, LargeAct
from salon.rooms.models import MediaSession, Place, Room
from salon.rooms.stages import seats_of
from salon.streams.events import NewEvent

# Each place that ends is an event in its person's stream. So many at once cost a few milliseconds; the places of a crowd
# are cleared in portions by the keeper, while the end itself is told at once to everybody who watches the room.
PORTION = 200
# Long enough for a host to be asked for the microphone, short enough that the hallway shows no dead rooms.
ENTERED_WITHIN = timedelta(seconds=60)
# Somebody alone whose network broke comes back to their room, as they would to any other.
LOST_STAGE_KEEPS_ROOM = timedelta(seconds=60)


def end_room(caller: Caller, room_id: str) -> Acted:
    """A crowded room is ended by two: this asks a second moderator then, and the answer has the request's id.

    Raises what the door, domain.lifecycle.end_room and `ask_second_moderator` raise.
    """
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        seat_everybody(locked, person.id)
        outcome = lifecycle.end_room(locked.stage, PersonId(person.id))
        if needs_second_moderator(LargeAct.END_ROOM, people_in=_people_in(locked.room), removals_last_minute=0):
            return ask_second_moderator(locked, LargeAct.END_ROOM, by=person)
        return Acted(carry_out_end(locked, outcome, by=person))


def carry_out_end(
    locked: LockedRoom, outcome: Outcome, *, by: Person, data: dict[str, object] | None = None, events: Sequence[NewEvent] = ()
) -> int:
    """data, events: what to record and tell beside it."""
    return locked.commit(outcome, "end_room", actor=by, data=data, record=Record.LOG, events=events)


def end_if_empty(room: Room) -> bool:
    """End a live room that nobody is in: the last person left, nobody came, or nobody came back. Returns whether it ended."""
    with locked_room(room) as locked:
        if not locked.room.is_live or not _is_empty(locked.room, locked.now):
            return False
        seat_everybody(locked)
        locked.commit(lifecycle.end_empty_room(locked.stage), "end_empty_room", actor=None)
        return True


def _people_in(room: Room) -> int:
    """Everybody, visitors too, as the database has it at this moment: `Room.audience` lags."""
    visitors = MediaSession.objects.filter(room=room, ended_at=None, direction=Direction.LISTEN, person=None).order_by()
    people = Place.objects.filter(room=room, left_at=None).order_by()
    # One statement: whoever enters between two would be counted in neither or both.
    return people.values_list("person").union(visitors.values_list("visitor").distinct(), all=True).count()


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
        people = seat_everybody(locked)
        locked.commit(lifecycle.vacate(locked.stage), "end_room", actor=None, record=Record.NOWHERE)
        return people


def seat_everybody(locked: LockedRoom, *further: str) -> int:
    """Read the places of a portion of listeners too: they end with the room. Returns how many of them."""
    people = Place.objects.filter(room=locked.room, left_at=None).order_by("id").values_list("person_id", flat=True)[:PORTION]
    locked.seats = seats_of(locked.room, *people, *further)
    return len(people)
