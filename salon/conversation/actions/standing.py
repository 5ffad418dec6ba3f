"""Who asks, as the rules need to know them; and the two ways to change a conversation.

What people do for themselves locks their own place: what one of them does happens one after the other, and a silence, a removal or the end
of the room comes before it or after it. It waits for nobody else, and no stage command waits for it but one about that very person.
What moderators do locks the room, as everywhere (rooms/actions/locked_room.py).

Locks are taken in one order by all: room, place, question or message or poll, tally, streams.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.conversation.domain.participant import Participant, Terms
from salon.conversation.enums import Part
from salon.rooms.access import access_room_as_person
from salon.rooms.actions.locked_room import LockedRoom, locked_room
from salon.rooms.enums import Role
from salon.rooms.models import Place, Room


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person asks to change, and as whom."""

    room: Room
    person: Person
    terms: Terms
    participant: Participant
    now: datetime


def standing_of(caller: Caller, room_id: str) -> Standing:
    """Without a lock, for what is not stored. Raises what the door raises."""
    room, person = access_room_as_person(caller, room_id)
    return _standing(room, person, Place.objects.filter(room=room, person=person).first())


@contextmanager
def for_oneself(caller: Caller, room_id: str) -> Iterator[Standing]:
    """A transaction in which the caller's own place is locked. Raises what the door raises."""
    room, person = access_room_as_person(caller, room_id)
    with transaction.atomic():
        yield _standing(room, person, locked_place(room, person.id))


@contextmanager
def as_moderator(caller: Caller, room_id: str, *people: Person | None) -> Iterator[tuple[Standing, LockedRoom]]:
    """A transaction in which the room is locked; whether the caller moderates it is the rule's to ask. Raises what the door raises.

    people: whose places a rule of the stage will look at, beside the caller's.
    """
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person, *people) as locked:
        yield _standing(locked.room, person, Place.objects.filter(room=room, person=person).first(), locked.now), locked


def locked_place(room: Room, person_id: str) -> Place | None:
    """The place of somebody who was ever in the room, locked until the transaction ends."""
    return Place.objects.select_for_update(of=("self",), no_key=True).filter(room=room, person=person_id).first()


def _standing(room: Room, person: Person, place: Place | None, now: datetime | None = None) -> Standing:
    terms = Terms(room.is_live, frozenset(part for part in Part if getattr(room, part.value)), room.slow_mode_secs)
    if place is None:
        participant = Participant(person.id, is_in=False, moderates=False, silenced=False)
    else:
        participant = Participant(person.id, place.left_at is None, Role(place.role).moderates, place.silenced)
    return Standing(room, person, terms, participant, now or timezone.now())
