"""Offering the stage to a listener, and their answer."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.locked_room import locked_room
from salon.rooms.domain import hands, stage
from salon.rooms.domain.room_stage import PersonId


def invite_to_stage(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.hands.invite_to_stage raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = hands.invite_to_stage(locked.stage, PersonId(moderator.id), PersonId(person.id), locked.now)
        return locked.commit(outcome, "invite_to_stage", actor=moderator, target=person)


def accept_invitation(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.stage.accept_invitation raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        outcome = stage.accept_invitation(locked.stage, PersonId(person.id), locked.now)
        return locked.commit(outcome, "accept_invitation", actor=person)


def decline_invitation(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.hands.decline_invitation raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(hands.decline_invitation(locked.stage, PersonId(person.id)), "decline_invitation", actor=person)
