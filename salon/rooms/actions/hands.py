"""Raising and lowering one's hand, and clearing the queue."""

from salon.accounts.callers import Caller
from salon.rooms.access import access_room_as_person
from salon.rooms.acquaintances import acquaintance_for_hand
from salon.rooms.actions.locked_room import Record, locked_room
from salon.rooms.domain import hands
from salon.rooms.domain.room_stage import PersonId


def raise_hand(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.hands.raise_hand raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        acquaintance = acquaintance_for_hand(locked.room, locked.stage, person.id)
        outcome = hands.raise_hand(locked.stage, PersonId(person.id), locked.now, acquaintance)
        return locked.commit(outcome, "raise_hand", actor=person)


def lower_hand(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.hands.lower_hand raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(hands.lower_hand(locked.stage, PersonId(person.id)), "lower_hand", actor=person)


def clear_hands(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.hands.clear_hands raise."""
    room, moderator = access_room_as_person(caller, room_id)
    with locked_room(room, moderator) as locked:
        outcome = hands.clear_hands(locked.stage, PersonId(moderator.id))
        return locked.commit(outcome, "clear_hands", actor=moderator, record=Record.LOG)
