"""Entering and leaving: by a person's own wish, or because the media process says that their sound came or went."""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.rooms import media
from salon.rooms.access import access_room_as_person, is_let_in
from salon.rooms.actions.end_room import end_if_empty
from salon.rooms.actions.line import admit_from_line
from salon.rooms.actions.locked_room import Record, locked_room
from salon.rooms.actions.places import ensure_place
from salon.rooms.domain import lifecycle
from salon.rooms.domain.room_stage import PersonId
from salon.rooms.errors import MediaUnavailable, RoomNotFound, SessionNotFound
from salon.rooms.models import MediaSession, Place, Room

logger = logging.getLogger(__name__)

OWNER_LEFT = "left"
"""Why a session ended whose owner left: nobody needs to be told."""
VANISHED = "vanished"
"""Why a session ended that no node has any more."""
REVIVABLE = timedelta(hours=1)
"""So long after it vanished a session may be found to go on: its node was only silent."""


def enter_room(room: Room, person: Person) -> int:
    """Returns the number of the room's stream. Raises RoomEnded, and RoomNotFound for somebody whom the door does not let in (any more)."""
    ensure_place(room, person)
    return enter_by_place(room, person)


def enter_by_place(room: Room, person: Person) -> int:
    """`enter_room` for somebody who has a place, in the room or not."""
    with locked_room(room, person) as locked:
        # Under the lock: a removal, or a moderator's block, finds this person in the room already, or they find it here.
        if not is_let_in(room, person):
            raise RoomNotFound
        outcome = lifecycle.enter(locked.stage, PersonId(person.id), locked.now)
        if locked.stage.places[PersonId(person.id)].is_in:
            # The host has a place from the opening on, and enters it now.
            Place.objects.filter(room=room, person=person, entered_at=None).update(entered_at=locked.now)
        # Who listened where is nobody's business later: no audit record.
        return locked.commit(outcome, "enter_room", actor=person, record=Record.NOWHERE)


def leave_room(caller: Caller, room_id: str) -> int:
    """Returns the number of the room's stream. Raises what the door and domain.lifecycle.leave_room raise."""
    room, person = access_room_as_person(caller, room_id)
    return leave(room, person)


def leave(room: Room, person: Person) -> int:
    """Also ends what sound the person has there. Raises RoomEnded, NotInRoom."""
    with locked_room(room, person) as locked:
        outcome = lifecycle.leave_room(locked.stage, PersonId(person.id))
        # After the outermost transaction, which may be a receipt's: a second emission in one may wait for others in a circle.
        # Where it fails the person has left all the same, and the keeper finds the empty room.
        transaction.on_commit(partial(end_if_empty, room), robust=True)
        # Before the events: whoever records the end of a session locks that first, and then tells it in the same person's stream.
        _end_sessions(room, person, locked.now)
        # Not recorded either: who left had been there.
        return locked.commit(outcome, "leave_room", actor=person, record=Record.NOWHERE)


def lose_connection(room: Room, person: Person) -> int:
    """For somebody without sound for the grace time. Raises RoomEnded, NotInRoom."""
    with locked_room(room, person) as locked:
        outcome = lifecycle.lose_connection(locked.stage, PersonId(person.id), locked.now)
        seq = locked.commit(outcome, "lose_connection", actor=None, target=person, record=Record.NOWHERE)
    end_if_empty(room)
    return seq


def cut_off(room: Room, person: Person) -> None:
    """Silence what sound the person has in this room, at once; they may come back."""
    with locked_room(room, person) as locked:
        locked.commit(lifecycle.cut_off(locked.stage, PersonId(person.id)), "cut_off", actor=None, target=person, record=Record.NOWHERE)


def close_at_media(session: str, owner: str) -> None:
    """Ask the media process to end a session. It is asked again by the keeper where this fails."""
    try:
        media.close_session(session, owner)
    except SessionNotFound:
        return
    except MediaUnavailable:
        logger.warning("A session could not be closed now.", extra={"action": "session_close_failed", "session": session})


def _end_sessions(room: Room, person: Person, now: datetime) -> None:
    # Those taken for vanished too: should their node speak up again, it must not have somebody in the room who has left it.
    still_open = Q(ended_at=None) | Q(end_reason=VANISHED, ended_at__gt=now - REVIVABLE)
    sessions = MediaSession.objects.select_for_update(of=("self",), no_key=True).filter(still_open, room=room, person=person)
    ids = list(sessions.order_by("id").values_list("id", flat=True))
    MediaSession.objects.filter(id__in=ids).update(ended_at=now, end_reason=OWNER_LEFT)
    for session in ids:
        transaction.on_commit(partial(close_at_media, session, person.id))
    transaction.on_commit(partial(admit_from_line, room), robust=True)
