"""Closing writing to somebody, and opening it again."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.locked_room import Record, locked_room
from salon.rooms.domain import silence
from salon.rooms.domain.room_stage import PersonId


def silence_person(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.silence.silence_person raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = silence.silence_person(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "silence_person", actor=moderator, target=person, record=Record.LOG)


def unsilence_person(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.silence.unsilence_person raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = silence.unsilence_person(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "unsilence_person", actor=moderator, target=person, record=Record.LOG)
