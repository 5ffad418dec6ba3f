"""Muting oneself, unmuting oneself, and muting a speaker."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.locked_room import locked_room
from salon.rooms.domain import stage
from salon.rooms.domain.room_stage import PersonId


def mute(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.stage.mute raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(stage.mute(locked.stage, PersonId(person.id)), "mute", actor=person)


def unmute(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.stage.unmute raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(stage.unmute(locked.stage, PersonId(person.id)), "unmute", actor=person)


def mute_speaker(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.stage.mute_speaker raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = stage.mute_speaker(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "mute_speaker", actor=moderator, target=person)
