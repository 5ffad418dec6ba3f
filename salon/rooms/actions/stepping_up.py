"""Onto an open stage, where nobody has to be asked; and what one lets the others on it know."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_room_as_person
from salon.rooms.acquaintances import acquaintance_for_stage
from salon.rooms.actions.locked_room import locked_room
from salon.rooms.domain import stage
from salon.rooms.domain.room_stage import PersonId
from salon.rooms.enums import Status


def step_up(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.stage.step_up raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        outcome = stage.step_up(locked.stage, PersonId(person.id), locked.now, acquaintance_for_stage(locked.stage, person.id))
        return locked.commit(outcome, "step_up", actor=person)


def set_status(caller: Caller, room_id: str, status: Status | None) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.stage.set_status raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(stage.set_status(locked.stage, PersonId(person.id), status), "set_status", actor=person)
