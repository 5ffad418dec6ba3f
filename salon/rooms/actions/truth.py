"""What the keeper does when the media process tells who really has sound. docs/subsystems/rooms.md, "Truth"."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from salon.accounts.models import Person
from salon.rooms.access import is_let_in
from salon.rooms.actions.attendance import close_at_media, enter_room
from salon.rooms.actions.line import admit_from_line
from salon.rooms.actions.locked_room import locked_room
from salon.rooms.enums import Direction, Phase, Visibility
from salon.rooms.errors import RoomEnded, RoomNotFound
from salon.rooms.events import room_listed, session_ended
from salon.rooms.models import MediaSession, Place, Room
from salon.streams.events import NewEvent, emit_all

logger = logging.getLogger(__name__)

# What the owner is told. Reasons that are not here are the owner's own doing.
_TOLD = {
    "taken_over": "taken_over",
    "removed": "removed",
    "left_stage": "left_stage",
    "room_ended": "room_ended",
    "timed_out": "timed_out",
    # A fault of ours is to the owner like a lost connection: the client may come back.
    "internal": "timed_out",
}


@dataclass(frozen=True, slots=True)
class ClosedSession:
    session: str
    reason: str


def confirm_connections(session_ids: Sequence[str]) -> None:
    """Sound of these sessions is connected: their owners are in their rooms, and the rooms have been entered.

    Three queries for all who are in already, as nearly everybody is.
    """
    sessions = list(
        MediaSession.objects.select_related("room", "person")
        .filter(id__in=session_ids, ended_at=None, person__isnull=False, room__phase=Phase.LIVE)
        .order_by("id")
    )
    rooms, people = {session.room_id for session in sessions}, {session.person_id for session in sessions}
    Room.objects.filter(id__in=rooms, entered_at=None).update(entered_at=timezone.now())
    inside = Place.objects.filter(room__in=rooms, person__in=people, left_at=None, entered_at__isnull=False)
    entered = set(inside.values_list("room_id", "person_id"))
    for session in sessions:
        if session.person is not None and (seat := (session.room_id, session.person.id)) not in entered:
            _enter_late(session, session.person)
            entered.add(seat)


def _enter_late(session: MediaSession, person: Person) -> None:
    try:
        enter_room(session.room, person)
    except (RoomEnded, RoomNotFound):
        logger.info("Sound connected where it may not.", extra={"action": "late_connection", "session": session.id})
        # Of an end or a removal a policy is under way that closes it; of a block that came while the sound was away there is none.
        close_at_media(session.id, session.owner)


def record_closed(closed: Iterable[ClosedSession]) -> None:
    """Mark sessions ended, and tell their owners where it was not their own doing."""
    reasons: Mapping[str, str] = {session.session: session.reason for session in closed}
    with transaction.atomic():
        sessions = MediaSession.objects.select_for_update(of=("self",), no_key=True).select_related("room", "person")
        open_sessions = list(sessions.filter(id__in=reasons, ended_at=None).order_by("id"))
        now = timezone.now()
        for session in open_sessions:
            session.ended_at, session.end_reason = now, reasons[session.id]
        MediaSession.objects.bulk_update(open_sessions, ["ended_at", "end_reason"])
        emit_all([event for session in open_sessions if (event := _ending(session)) is not None])
    for room in {session.room for session in open_sessions if session.direction == Direction.LISTEN}:
        admit_from_line(room)


def list_audience(room: Room, audience: int) -> None:
    """Store how many listen, and show it in the hallway."""
    with locked_room(room) as locked:
        if not locked.room.is_live or locked.room.audience == audience:
            return
        locked.room.audience = audience
        locked.room.save(update_fields=["audience"])
        if locked.room.visibility == Visibility.OPEN:
            emit_all([room_listed(locked.room, locked.stage, locked.seats.faces)])


def _ending(session: MediaSession) -> NewEvent | None:
    if session.person is None:
        return None
    told = _TOLD.get(session.end_reason)
    # The media process says "removed" of every session whose epoch is over, also of those that ended with a logout elsewhere.
    # Whoever was put out by a moderator's block is kept out by the door, without a removal.
    if told == "removed" and is_let_in(session.room, session.person):
        told = "timed_out"
    return session_ended(session.person.id, session.id, session.room_id, told) if told else None
