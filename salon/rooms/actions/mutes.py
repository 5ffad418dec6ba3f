"""Mutes: one's own, a moderator's plain ones, and the held one."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.locked_room import Record, locked_room
from salon.rooms.domain import mutes
from salon.rooms.domain.room_stage import MuteChanged, PersonId


def mute(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.mutes.mute raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(mutes.mute(locked.stage, PersonId(person.id)), "mute", actor=person)


def unmute(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.mutes.unmute raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(mutes.unmute(locked.stage, PersonId(person.id)), "unmute", actor=person)


def mute_speaker(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.mutes.mute_speaker raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = mutes.mute_speaker(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "mute_speaker", actor=moderator, target=person, record=Record.LOG)


def mute_all(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.mutes.mute_all raise."""
    room, moderator = access_room_as_person(caller, room_id)
    with locked_room(room, moderator) as locked:
        outcome = mutes.mute_all(locked.stage, PersonId(moderator.id))
        people = [happening.person for happening in outcome.happened if isinstance(happening, MuteChanged)]
        return locked.commit(outcome, "mute_all", actor=moderator, data={"people": people}, record=Record.LOG)


def hold_mute(caller: Caller, room_id: str, person_id: str, *, reason: str) -> int:
    """reason: shown to the person while it lasts.

    Returns the number of the room's stream. Raises what the doors and domain.mutes.hold_mute raise.
    """
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = mutes.hold_mute(locked.stage, PersonId(moderator.id), PersonId(person.id), reason, locked.now)
        return locked.commit(outcome, "hold_mute", actor=moderator, target=person, reason=reason, record=Record.LOG)


def release_mute(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.mutes.release_mute raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = mutes.release_mute(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "release_mute", actor=moderator, target=person, record=Record.LOG)
