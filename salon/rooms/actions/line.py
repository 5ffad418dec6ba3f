"""Seats in a room that holds only so many, and the line of those who wait for one. docs/subsystems/rooms.md, "The line"."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from typing_extensions import TypedDict

from salon.accounts.callers import Caller
from salon.common.times import rfc3339
from salon.config.environment import environment
from salon.rooms.access import IN, MODERATES, ON_STAGE, access_live_room_by_id, is_known
from salon.rooms.capacity import capacity_of
from salon.rooms.domain.lifecycle import STAGE_KEPT, STAGE_KEPT_ON_A_CALL
from salon.rooms.enums import Direction, Phase, Status
from salon.rooms.errors import RoomEnded, RoomFull, RoomLocked, RoomNotFound
from salon.rooms.models import LinePlace, MediaSession, Place, Room
from salon.streams.events import NewEvent, emit_all
from salon.streams.names import person_stream

# Long enough to notice and answer an offer on a slow phone, short enough that the next in line does not wait for nobody.
ADMITTED_FOR = timedelta(seconds=30)
# Twice what clients are told to keep to: one answer may be lost.
GONE_AFTER = timedelta(seconds=60)
# An admission reaches people as an event; visitors only hear of it when they ask, and must do so well within ADMITTED_FOR.
_ASK_AGAIN_SECS = 10
_FAR_BACK, _FAR_BACK_ASKS_AGAIN_SECS = 100, 25


# One statement, so that the room's row is locked for as long as it takes, and thousands can come in at once. Whoever waits for the lock
# sees the row as it is then. What is no column of that row is not looked at, and `seats_at_most` stands for it: somebody in line, or a
# seat taken in another way, makes it null or raises it.
_TAKE_FREE_SEAT = """
WITH seat AS (
    UPDATE rooms_room SET seats_at_most = seats_at_most + 1
    WHERE id = %(room)s AND phase = 'live' AND NOT locked AND seats_at_most < LEAST(COALESCE(capacity, %(most)s), %(most)s)
    RETURNING id
)
INSERT INTO rooms_lineplace (room_id, person_id, visitor, joined_at, asked_at, admitted_until)
SELECT id, %(person)s, %(visitor)s, %(now)s, %(now)s, %(until)s FROM seat
ON CONFLICT DO NOTHING
"""


class Line(TypedDict):
    """position: from 1; null for who is admitted, or not in line. length: how many wait. retry_after: when to ask again, in seconds."""

    position: int | None
    length: int
    admitted_until: str | None
    retry_after: int


def take_seat(caller: Caller, room: Room) -> bool:
    """Keep a seat for who is about to open a listening session: `use_seat` or `give_back_seat` follows, or it is free again after 30 s.

    Returns whether it was found free just now, so that giving it back loses nobody's turn in the line. Raises RoomEnded, RoomLocked, and
    RoomFull for who is in line now.
    """
    if _take_free_seat(caller, room):
        return True
    with transaction.atomic():
        locked, now = _lock(room), timezone.now()
        if not locked.is_live:
            raise RoomEnded
        always = _has_seat(caller, locked, now)
        if not always and locked.locked and _is_newcomer(caller, locked):
            raise RoomLocked
        _gone(now).filter(room=locked).delete()
        # Everybody joins the line; where it is empty and a seat is free, for no longer than this transaction.
        mine = LinePlace.objects.filter(_owned_by(caller), room=locked)
        is_new = not mine.update(asked_at=now)
        if is_new:
            LinePlace.objects.create(room=locked, joined_at=now, asked_at=now, **_owner(caller))
        # From now on, however little is left of an admission: it has to last until the offer is answered. Also for whom the room may be
        # more than full: others must not be counted in while the media process is asked for the session of a moderator, say.
        mine.filter(Q() if always else Q(admitted_until__isnull=False)).update(admitted_until=now + ADMITTED_FOR)
        place = mine.get()
        events = _admit_first(locked, now, here=place)
        place.refresh_from_db()
        _remember_seats(locked, now)
        emit_all(events)
    if place.admitted_until is not None:
        return is_new
    line = line_of(caller, room)
    raise RoomFull(line, retry_after_secs=line["retry_after"])


def _take_free_seat(caller: Caller, room: Room) -> bool:
    """Whether the room has free seats beyond doubt, and one of them is the caller's now. Else somebody has to count."""
    now = timezone.now()
    seat: dict[str, str | int | datetime | None] = {
        "room": room.id,
        "most": environment().room_capacity,
        "person": caller.person.id if caller.person else None,
        "visitor": None if caller.person else caller.visitor,
        "now": now,
        "until": now + ADMITTED_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_FREE_SEAT, seat)
        return bool(cursor.rowcount == 1)


def _remember_seats(room: Room, now: datetime) -> None:
    """The room's row is locked. Until the number that is remembered reaches the room's capacity nobody needs to count again."""
    at_most = None if _waiting(room, now).exists() else capacity_of(room) - _free_seats(room, now)
    if at_most != room.seats_at_most:
        Room.objects.filter(id=room.id).update(seats_at_most=at_most)


def forget_seats(room_id: str) -> None:
    """For whoever gives back a session that had ended, and with it a seat. In a transaction, before the session."""
    Room.objects.filter(id=room_id).update(seats_at_most=None)


def use_seat(caller: Caller, room: Room) -> bool:
    """The session that the seat was kept for is there, and holds it from now on. In the session's own transaction, before it is stored.

    Returns whether the seat was kept until now: another request of the same caller may have used it, or given it back.
    """
    mine, now = LinePlace.objects.filter(_owned_by(caller), room=room), timezone.now()
    if mine.filter(admitted_until__gt=now).delete()[0]:
        return True
    if not _has_seat(caller, locked := _lock(room), now):
        return False
    Room.objects.filter(id=locked.id).update(seats_at_most=F("seats_at_most") + 1)
    return True


def give_back_seat(caller: Caller, room: Room) -> None:
    """Also of somebody in line: they give up."""
    LinePlace.objects.filter(_owned_by(caller), room=room).delete()
    admit_from_line(room)


def ask_line(caller: Caller, room_id: str) -> Line:
    """The caller's place in line, kept by asking. Raises what the door raises, and RoomEnded."""
    room = access_live_room_by_id(caller, room_id)
    _waiting(room, now := timezone.now()).filter(_owned_by(caller)).update(asked_at=now)
    admit_from_line(room)
    return line_of(caller, room)


def leave_line(caller: Caller, room_id: str) -> None:
    """Whether one was in line or not. Raises what the door raises, and RoomEnded."""
    give_back_seat(caller, access_live_room_by_id(caller, room_id))


def admit_from_line(room: Room) -> None:
    """Give free seats to those who have waited longest. To be called, outside a transaction, where one may have become free."""
    now = timezone.now()
    # Without the lock first: nearly always nobody waits, or nothing is free.
    if not _waiting(room, now).exists() or _free_seats(room, now) <= 0:
        return
    with transaction.atomic():
        locked = _lock(room)
        if locked.is_live:
            emit_all(_admit_first(locked, timezone.now()))


def admit_from_all_lines() -> None:
    """For the keeper: forget who asks no more, and look at every room in which somebody waits."""
    _forget(Q(id__in=_gone(timezone.now()).values("id")) | Q(room__phase=Phase.ENDED))
    for room in Room.objects.filter(id__in=LinePlace.objects.filter(admitted_until=None).values("room")).order_by("id"):
        admit_from_line(room)


def _forget(over: Q) -> None:
    """Of all rooms, whose rows are not locked here: what somebody is just changing in one of them is left for the next round."""
    with transaction.atomic():
        places = LinePlace.objects.select_for_update(of=("self",), skip_locked=True).filter(over)
        LinePlace.objects.filter(id__in=list(places.values_list("id", flat=True))).delete()


def line_of(caller: Caller, room: Room) -> Line:
    now = timezone.now()
    mine = LinePlace.objects.filter(_owned_by(caller), room=room).exclude(id__in=_gone(now).values("id")).first()
    waiting = _waiting(room, now)
    position = waiting.filter(id__lte=mine.id).count() if mine and mine.admitted_until is None else None
    return _line(position, waiting.count(), mine.admitted_until if mine else None)


def _line(position: int | None, length: int, admitted_until: datetime | None) -> Line:
    return {
        "position": position,
        "length": length,
        "admitted_until": rfc3339(admitted_until) if admitted_until else None,
        "retry_after": _FAR_BACK_ASKS_AGAIN_SECS if position and position > _FAR_BACK else _ASK_AGAIN_SECS,
    }


def _lock(room: Room) -> Room:
    """The row alone: nobody's place changes here. What was read before is read again."""
    fresh = Room.objects.select_for_update(of=("self",), no_key=True).filter(id=room.id).first()
    if fresh is None:
        raise RoomNotFound
    return fresh


def _admit_first(room: Room, now: datetime, here: LinePlace | None = None) -> list[NewEvent]:
    """The room's row is locked. here: whose owner asks right now and will see for themselves. Returns the events that tell the others."""
    free = _free_seats(room, now)
    first = list(_waiting(room, now).filter(_comes_back(here)).order_by("id")[:free]) if free > 0 else []
    if not first:
        return []
    until = now + ADMITTED_FOR
    LinePlace.objects.filter(id__in=[place.id for place in first]).update(admitted_until=until)
    told = [place.person_id for place in first if place.person_id and place != here]
    line = _line(None, _waiting(room, now).count(), until)
    return [NewEvent(person_stream(person), "line_changed", {"room": room.id, "line": line}) for person in told]


def _comes_back(here: LinePlace | None) -> Q:
    """Who can be expected to take a seat. Of visitors, those who have asked a second time: one without cookies is a new visitor with each
    request, and would otherwise leave behind, with each, somebody for whom a seat is kept in vain.
    """
    return Q(person__isnull=False) | Q(asked_at__gt=F("joined_at")) | Q(id=here.id if here else None)


def _free_seats(room: Room, now: datetime) -> int:
    """Below zero where more are in than the room holds: nobody is put out when the capacity is lowered."""
    sessions = MediaSession.objects.filter(room=room, ended_at=None, direction=Direction.LISTEN)
    admissions = LinePlace.objects.filter(room=room, admitted_until__gt=now)
    owner = ("person_id", "visitor")
    # One statement, hence one moment: a session takes over its owner's admission in one commit, and nobody may be missed between the two.
    return capacity_of(room) - sessions.values_list(*owner).union(admissions.values_list(*owner)).count()


def _has_seat(caller: Caller, room: Room, now: datetime) -> bool:
    """Whoever hears the room already, in another tab or on another device; is in it, with sound that broke off a moment ago; and whom the
    room cannot do without: moderators, and who is on the stage or lost it with the connection.
    """
    if MediaSession.objects.filter(_owned_by(caller), room=room, ended_at=None, direction=Direction.LISTEN).exists():
        return True
    if caller.person is None:
        return False
    lost_stage = Q(stage_lost_at__gt=now - STAGE_KEPT) | Q(stage_lost_at__gt=now - STAGE_KEPT_ON_A_CALL, status=Status.ON_A_CALL)
    inside = IN & Q(entered_at__isnull=False)
    return Place.objects.filter(MODERATES | ON_STAGE | lost_stage | inside, room=room, person=caller.person).exists()


def _is_newcomer(caller: Caller, room: Room) -> bool:
    if caller.person is not None:
        return not is_known(room, caller.person)
    return not MediaSession.objects.filter(room=room, person=None, visitor=caller.visitor).exists()


def _waiting(room: Room, now: datetime) -> QuerySet[LinePlace]:
    return LinePlace.objects.filter(room=room, admitted_until=None, asked_at__gt=now - GONE_AFTER)


def _gone(now: datetime) -> QuerySet[LinePlace]:
    """Who asks no more, and who let their admission pass."""
    return LinePlace.objects.filter(Q(admitted_until=None, asked_at__lte=now - GONE_AFTER) | Q(admitted_until__lte=now))


def _owner(caller: Caller) -> dict[str, Any]:
    """Both columns: an index that names both then finds one row."""
    return {"person": caller.person, "visitor": None} if caller.person else {"person": None, "visitor": caller.visitor}


def _owned_by(caller: Caller) -> Q:
    return Q(**_owner(caller))
