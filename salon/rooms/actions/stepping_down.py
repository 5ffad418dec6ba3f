"""From the stage to the audience: by oneself, or by a moderator."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.locked_room import Record, locked_room
from salon.rooms.domain import stage
from salon.rooms.domain.room_stage import PersonId


def step_down(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.stage.step_down raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(stage.step_down(locked.stage, PersonId(person.id)), "step_down", actor=person)


def move_to_audience(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.stage.move_to_audience raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = stage.move_to_audience(locked.stage, PersonId(moderator.id), PersonId(person.id))
        return locked.commit(outcome, "move_to_audience", actor=moderator, target=person, record=Record.LOG)
