"""Putting somebody out of a room, and letting them in again."""

from datetime import datetime, timedelta

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.rooms.access import access_person_by_id, access_room_as_person
from salon.rooms.actions.acted import Acted
from salon.rooms.actions.large_acts import ask_second_moderator
from salon.rooms.actions.locked_room import LockedRoom, Record, locked_room
from salon.rooms.domain import lifecycle
from salon.rooms.domain.large_acts import needs_second_moderator
from salon.rooms.domain.room_stage import Outcome, PersonId
from salon.rooms.enums import LargeAct
from salon.rooms.errors import NotRemoved
from salon.rooms.events import moderation_stream
from salon.rooms.models import Removal, Room, RoomAction
from salon.rooms.shapes import removal_entry
from salon.streams.events import NewEvent, emit_all

_A_MINUTE = timedelta(seconds=60)


def remove_person(caller: Caller, room_id: str, person_id: str, *, reason: str, minutes: int | None) -> Acted:
    """minutes: how long they stay out; None for good. reason: shown to them; may be empty.

    Their sound stops with the policy, which carries their raised epoch. After too many removals within a minute this asks a second
    moderator; the answer then has the request's id. Raises what the doors, domain.lifecycle.remove_person and `ask_second_moderator` raise.
    """
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = lifecycle.remove_person(locked.stage, PersonId(moderator.id), PersonId(person.id))
        if needs_second_moderator(LargeAct.REMOVE_PERSON, people_in=0, removals_last_minute=_removals_last_minute(locked)):
            fields: dict[str, object] = {"reason": reason, "minutes": minutes}
            return ask_second_moderator(locked, LargeAct.REMOVE_PERSON, by=moderator, target=person, fields=fields)
        return Acted(carry_out_removal(locked, outcome, by=moderator, person=person, reason=reason, minutes=minutes))


def carry_out_removal(
    locked: LockedRoom, outcome: Outcome, *, by: Person, person: Person, reason: str, minutes: int | None,
    data: dict[str, object] | None = None, events: list[NewEvent] | None = None,
) -> int:  # fmt: skip
    """`outcome`, with the removal that keeps them out. data, events: what to record and tell beside it."""
    lift_removal(locked.room, person, by=by, at=locked.now)
    until = locked.now + timedelta(minutes=minutes) if minutes is not None else None
    removal = Removal.objects.create(room=locked.room, person=person, by=by, reason=reason, at=locked.now, until=until)
    added = NewEvent(moderation_stream(locked.room.id), "removal_added", {**removal_entry(removal)})
    return locked.commit(
        outcome, "remove_person", actor=by, target=person, reason=reason or None, data={"minutes": minutes, **(data or {})},
        record=Record.LOG, events=[added, *(events or [])],
    )  # fmt: skip


def remove_blocked(room: Room, moderator: Person, person: Person) -> None:
    """Put out whom a moderator who is in the room has blocked: the door keeps them out as long as the block lasts, so no removal does.

    It counts like a removal: beyond what one moderator may do alone, another is asked for a removal, and until then they stay.
    Raises what domain.lifecycle.remove_person and `ask_second_moderator` raise.
    """
    with locked_room(room, moderator, person) as locked:
        outcome = lifecycle.remove_person(locked.stage, PersonId(moderator.id), PersonId(person.id))
        if needs_second_moderator(LargeAct.REMOVE_PERSON, people_in=0, removals_last_minute=_removals_last_minute(locked)):
            fields: dict[str, object] = {"reason": "", "minutes": None}
            ask_second_moderator(locked, LargeAct.REMOVE_PERSON, by=moderator, target=person, fields=fields)
            return
        locked.commit(outcome, "remove_person", actor=moderator, target=person, record=Record.LOG)


def undo_removal(caller: Caller, room_id: str, person_id: str) -> int:
    """They may enter again, as a listener.

    Returns the number of the room's stream. Raises what the doors and domain.lifecycle.undo_removal raise, and NotRemoved.
    """
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator, person) as locked:
        outcome = lifecycle.undo_removal(locked.stage, PersonId(moderator.id))
        lifted = lift_removal(locked.room, person, by=moderator, at=locked.now)
        if not lifted:
            raise NotRemoved(field="person")
        return locked.commit(outcome, "undo_removal", actor=moderator, target=person, record=Record.LOG, events=lifted)


def lift_expired_removals(room: Room) -> int:
    """Take those off the moderators' list whose time is over; the door lets them in already. Returns how many."""
    with locked_room(room) as locked:
        over = list(Removal.objects.filter(room=room, lifted_at=None, until__lte=locked.now).order_by("id"))
        Removal.objects.filter(id__in=[removal.id for removal in over]).update(lifted_at=locked.now)
        emit_all([_lifted(room, removal.person_id) for removal in over])
        return len(over)


def lift_removal(room: Room, person: Person, *, by: Person, at: datetime) -> list[NewEvent]:
    """End the removal in force, if there is one. Returns the event that tells it."""
    lifted = Removal.objects.filter(room=room, person=person, lifted_at=None).update(lifted_at=at, lifted_by=by)
    return [_lifted(room, person.id)] if lifted else []


def _lifted(room: Room, person_id: str) -> NewEvent:
    return NewEvent(moderation_stream(room.id), "removal_lifted", {"person": person_id})


def _removals_last_minute(locked: LockedRoom) -> int:
    """By the log: a removal that was undone counts, and so does who was put out by a block."""
    return RoomAction.objects.filter(room=locked.room, action="remove_person", at__gt=locked.now - _A_MINUTE).count()
