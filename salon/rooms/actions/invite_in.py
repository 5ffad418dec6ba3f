"""Letting one person into a room, whatever its visibility and its lock."""

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.rooms.access import access_person_by_id, access_room_as_person, is_let_in
from salon.rooms.actions.locked_room import LockedRoom, Record, locked_room
from salon.rooms.actions.remove_person import lift_removal
from salon.rooms.calls import called, may_call
from salon.rooms.domain.roles import require_moderator
from salon.rooms.domain.room_stage import Outcome, PersonId
from salon.rooms.errors import CannotActOnOneself
from salon.rooms.models import Guest, Place
from salon.rooms.moderation import log_action
from salon.rooms.rate_limits import INVITED_IN
from salon.social.relations import wants_no_pings
from salon.streams.events import NewEvent


def invite_in(caller: Caller, room_id: str, person_id: str) -> int:
    """Also somebody who was removed: their removal is over. Whom somebody blocked who runs the room stays out, and the inviter is not told.

    Returns the number of the room's stream. Raises what the doors raise, RoomEnded, NotInRoom, NotAModerator, CannotActOnOneself,
    TooManyRequests.
    """
    room, moderator = access_room_as_person(caller, room_id)
    person = access_person_by_id(person_id)
    with locked_room(room, moderator) as locked:
        locked.stage.require_live()
        require_moderator(locked.stage, PersonId(moderator.id))
        if person == moderator:
            raise CannotActOnOneself(field="person")
        _, is_new = Guest.objects.get_or_create(room=locked.room, person=person, defaults={"by": moderator, "at": locked.now})
        events = lift_removal(locked.room, person, by=moderator, at=locked.now)
        if is_new or events:
            # Whoever it is: a refusal for those alone who would be told would tell who wants no calls.
            INVITED_IN.take(moderator.id)
            events.append(log_action(locked.room, "invite_in", actor=moderator, target=person, at=locked.now))
            events += _told(locked, moderator, person)
        return locked.commit(Outcome(locked.stage), "invite_in", actor=moderator, record=Record.NOWHERE, events=events)


def _told(locked: LockedRoom, moderator: Person, person: Person) -> list[NewEvent]:
    """Strangers do not make each other's phones ring. The invitation stands all the same, for who finds the room by its link."""
    is_here = Place.objects.filter(room=locked.room, person=person, left_at=None).exists()
    if is_here or not may_call(moderator, person) or wants_no_pings(person.id, moderator.id) or not is_let_in(locked.room, person):
        return []
    return [called("invited_in", locked.room, moderator, person)]
