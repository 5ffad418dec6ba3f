"""Who moderates: appointing, revoking, naming the deputy."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.locked_room import Record, locked_room
from salon.rooms.domain import moderators
from salon.rooms.domain.room_stage import PersonId


def appoint_moderator(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.moderators.appoint_moderator raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = moderators.appoint_moderator(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "appoint_moderator", actor=moderator, target=person, record=Record.LOG)


def revoke_moderator(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.moderators.revoke_moderator raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = moderators.revoke_moderator(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "revoke_moderator", actor=moderator, target=person, record=Record.LOG)


def name_deputy(caller: Caller, room_id: str, person_id: str | None) -> int:
    """person_id: None for nobody any more.

    Returns the number of the room's stream. Raises what the doors and domain.moderators.name_deputy raise.
    """
    room, host = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id) if person_id is not None else None
    with locked_room(room, host, person) as locked:
        outcome = moderators.name_deputy(locked.stage, PersonId(host.id), PersonId(person.id) if person else None)
        return locked.commit(outcome, "name_deputy", actor=host, target=person, record=Record.LOG)
