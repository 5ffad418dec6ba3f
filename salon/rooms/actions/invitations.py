"""Offering the stage to listeners, and their answer."""

from collections.abc import Sequence

from salon.accounts.callers import Caller
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.acquaintances import acquaintance_for_stage, blocked_by_stage
from salon.rooms.actions.locked_room import LockedRoom, Record, locked_room
from salon.rooms.domain import hands, stage
from salon.rooms.domain.room_stage import HandInvited, Outcome, PersonId
from salon.rooms.stages import seats_of


def invite_to_stage(caller: Caller, room_id: str, person_id: str) -> int:
    """Returns the number of the room's stream. Raises what the doors and domain.hands.invite_to_stage raise."""
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        return locked.commit(invited(locked, moderator.id, person.id), "invite_to_stage", actor=moderator, target=person, record=Record.LOG)


def invited(locked: LockedRoom, moderator: str, person: str) -> Outcome:
    """The rule with what it must know. Raises what domain.hands.invite_to_stage raises."""
    blocked_by = blocked_by_stage(locked.stage, [person]).get(PersonId(person), frozenset())
    return hands.invite_to_stage(locked.stage, PersonId(moderator), PersonId(person), locked.now, blocked_by)


def invite_next(caller: Caller, room_id: str, count: int) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.hands.invite_next raise."""
    room, moderator = access_room_as_person(caller, room_id)
    with locked_room(room, moderator) as locked:
        waiting = [place.person for place in locked.stage.hands()]
        outcome = hands.invite_next(
            locked.stage, PersonId(moderator.id), locked.now, count=count, blocked_by=blocked_by_stage(locked.stage, waiting)
        )
        return locked.commit(outcome, "invite_next", actor=moderator, data=_people_of(outcome), record=Record.LOG)


def invite_several(caller: Caller, room_id: str, people: Sequence[str]) -> int:
    """people: ids; who is not there is passed over like who has left.

    Returns the number of the room's stream. Raises what the door and domain.hands.invite_several raise.
    """
    room, moderator = access_room_as_person(caller, room_id)
    with locked_room(room) as locked:
        locked.seats = seats_of(locked.room, moderator.id, *people)
        blocked_by = blocked_by_stage(locked.stage, people)
        wanted = [PersonId(person) for person in people]
        outcome = hands.invite_several(locked.stage, PersonId(moderator.id), wanted, locked.now, blocked_by)
        return locked.commit(outcome, "invite_several", actor=moderator, data=_people_of(outcome), record=Record.LOG)


def accept_invitation(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.stage.accept_invitation raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        acquaintance = acquaintance_for_stage(locked.stage, person.id)
        outcome = stage.accept_invitation(locked.stage, PersonId(person.id), locked.now, acquaintance)
        return locked.commit(outcome, "accept_invitation", actor=person)


def decline_invitation(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.hands.decline_invitation raise."""
    room, person = access_room_as_person(caller, room_id)
    with locked_room(room, person) as locked:
        return locked.commit(hands.decline_invitation(locked.stage, PersonId(person.id)), "decline_invitation", actor=person)


def _people_of(outcome: Outcome) -> dict[str, object]:
    """Whom a log entry names who is not its one target."""
    return {"people": [happening.person for happening in outcome.happened if isinstance(happening, HandInvited)]}
