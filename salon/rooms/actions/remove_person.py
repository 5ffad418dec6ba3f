"""Putting somebody out of a room."""

from datetime import timedelta

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.locked_room import locked_room
from salon.rooms.domain import lifecycle
from salon.rooms.domain.room_stage import PersonId
from salon.rooms.models import Removal


def remove_person(caller: Caller, room_id: str, person_id: str, *, reason: str, minutes: int | None) -> int:
    """minutes: how long they stay out; None for good. reason: shown to them; may be empty.

    Their sound stops with the policy, which carries their raised epoch.
    Returns the number of the room's stream. Raises what the doors and domain.lifecycle.remove_person raise.
    """
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = lifecycle.remove_person(locked.stage, PersonId(moderator.id), PersonId(person.id))
        until = locked.now + timedelta(minutes=minutes) if minutes is not None else None
        Removal.objects.create(room=room, person=person, by=moderator, reason=reason, at=locked.now, until=until)
        return locked.commit(
            outcome, "remove_person", actor=moderator, target=person, reason=reason or None, data={"reason": reason, "minutes": minutes}
        )
