"""Sound sessions: opening, restarting ICE, closing. docs/protocol.md section 5."""

import time
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.accounts.errors import SignInRequired
from salon.accounts.faces import face_of
from salon.accounts.models import Person
from salon.common.errors import SalonError
from salon.common.ids import new_id
from salon.common.prepared import prepared_cursor
from salon.common.signing import Grant, sign_grant
from salon.config.environment import environment
from salon.rooms import media, sdp
from salon.rooms.access import ON_STAGE, access_live_room_by_id, access_media_session_by_id
from salon.rooms.actions.attendance import close_at_media, enter_by_place, leave
from salon.rooms.actions.line import admit_from_line, give_back_seat, take_seat, use_seat
from salon.rooms.actions.places import ensure_place
from salon.rooms.enums import Direction
from salon.rooms.errors import (
    MediaUnavailable,
    NotInRoom,
    NotOnStage,
    PreconditionFailed,
    PreconditionRequired,
    RoomEnded,
    SessionNotFound,
)
from salon.rooms.models import MediaSession, Place, Room
from salon.rooms.policy import known_policy_of

# The grant goes straight from here to the media process: seconds would do.
_GRANT_SECS = 30
ANY_ETAG = "*"
# Outside a transaction, so that the lock is gone with the statement.
_ACTIVE_AFTER_ALL = "SELECT 1 FROM accounts_person WHERE id = %s AND is_active FOR NO KEY UPDATE"
# The keeper asks for sessions of the last hour (worker/places.py); the rest of the day is for an operator who looks for a fault.
ENDED_SESSIONS_KEPT = timedelta(days=1)


def listen(caller: Caller, room_id: str, offer: str) -> media.OpenedSession:
    """Enter the room and hear it.

    Raises what the door raises, RoomEnded, RoomLocked, RoomFull, SignInRequired for somebody deactivated meanwhile, InvalidSdp,
    MediaUnavailable.
    """
    room = access_live_room_by_id(caller, room_id)
    was_free = take_seat(caller, room)
    try:
        return _open_and_enter(caller, room, offer)
    except SalonError:
        if was_free:
            give_back_seat(caller, room)
        else:
            admit_from_line(room)
        raise


def _open_and_enter(caller: Caller, room: Room, offer: str) -> media.OpenedSession:
    # An epoch needs a place to be raised at. It is outside the room still: they enter once the offer is answered.
    # Visitors have no place, and nobody cuts them.
    epoch = ensure_place(room, caller.person) if caller.person else 0
    opened = _open(caller, room, Direction.LISTEN, offer, epoch)
    try:
        if caller.person is not None:
            # Again through the lock: while the offer was answered the room may have ended, or the person been removed.
            enter_by_place(room, caller.person)
    except SalonError:
        _end(MediaSession.objects.get(id=opened.session), "refused")
        close_at_media(opened.session, _owner(caller))
        raise
    return opened


def speak(caller: Caller, room_id: str, offer: str) -> media.OpenedSession:
    """Be heard, with a place on the stage.

    Raises what the door raises, SignInRequired, RoomEnded, NotOnStage, InvalidSdp, MediaUnavailable.
    """
    if caller.person is None:
        raise SignInRequired
    room = access_live_room_by_id(caller, room_id)
    epoch = _epoch_on_stage(room, caller.person)
    if epoch is None:
        raise NotOnStage
    # No second look afterwards: the media process itself refuses and closes speaking sessions that the policy has no place for.
    return _open(caller, room, Direction.SPEAK, offer, epoch)


def patch_session(caller: Caller, session_id: str, fragment: str, if_match: str | None) -> media.RestartedIce | None:
    """An ICE restart; None for a fragment that brings only candidates, which an ICE-lite server needs none of.

    Raises SessionNotFound, PreconditionRequired, PreconditionFailed, InvalidSdp, MediaUnavailable.
    """
    session = access_media_session_by_id(caller, session_id)
    if if_match is None:
        raise PreconditionRequired
    if ANY_ETAG not in (tags := [tag.strip() for tag in if_match.split(",")]) and session.etag not in tags:
        raise PreconditionFailed
    if not sdp.names_credentials(fragment):
        return None
    restarted = media.restart_ice(session.id, session.owner, fragment)
    if restarted is not None:
        MediaSession.objects.filter(id=session.id).update(etag=restarted.etag)
    return restarted


def close_session(caller: Caller, session_id: str) -> None:
    """End one's session; ending the listening session leaves the room. Raises SessionNotFound, MediaUnavailable."""
    session = access_media_session_by_id(caller, session_id)
    try:
        media.close_session(session.id, session.owner)
    except SessionNotFound:
        # Taken over or timed out already: the room is for a newer session, or the keeper, to leave.
        _end(session, "gone")
        return
    _end(session, "deleted")
    if session.direction != Direction.LISTEN:
        return
    if caller.person is not None:
        with suppress(NotInRoom, RoomEnded):
            leave(session.room, caller.person)
    admit_from_line(session.room)


def forget_ended_sessions() -> int:
    """Who listened where is nobody's business later. Returns how many."""
    return MediaSession.objects.filter(ended_at__lt=timezone.now() - ENDED_SESSIONS_KEPT).delete()[0]


def _open(caller: Caller, room: Room, direction: Direction, offer: str, epoch: int) -> media.OpenedSession:
    """epoch: as it was before the checks: who is cut or removed after them has a newer one, which voids this session whenever it opens."""
    policy = known_policy_of(_look_again(caller, room))
    try:
        opened = media.open_session(_grant(caller, room, direction, epoch), offer, policy, caller.address)
    except media.GrantRefused:
        # The room changed after we looked. Looking again tells how; where it tells nothing, the next try will succeed.
        _look_again(caller, room)
        raise MediaUnavailable from None
    if not _record(caller, room, direction, opened):
        close_at_media(opened.session, _owner(caller))
        # The next try finds a seat, or a place in line.
        raise MediaUnavailable
    return opened


def _record(caller: Caller, room: Room, direction: Direction, opened: media.OpenedSession) -> bool:
    """Returns whether there was a seat for it; speakers need none."""
    with transaction.atomic():
        if direction is Direction.LISTEN and not use_seat(caller, room):
            return False
        MediaSession.objects.create(
            id=opened.session,
            room=room,
            person=caller.person,
            visitor=caller.visitor,
            direction=direction,
            etag=opened.etag,
            opened_at=timezone.now(),
        )
    return True


def _epoch_on_stage(room: Room, person: Person) -> int | None:
    """None for somebody who is not on it."""
    return Place.objects.filter(ON_STAGE, room=room, person=person).values_list("epoch", flat=True).first()


def _look_again(caller: Caller, room: Room) -> Room:
    """Through the door once more. Raises what it raises, and SignInRequired for somebody who was deactivated since they were let in."""
    if caller.person is not None:
        # Locked, to wait for a deactivation under way: its cut may have looked for places before this person had one here.
        with prepared_cursor() as cursor:
            cursor.execute(_ACTIVE_AFTER_ALL, [caller.person.id])
            if cursor.fetchone() is None:
                raise SignInRequired
    return access_live_room_by_id(caller, room.id)


def _grant(caller: Caller, room: Room, direction: Direction, epoch: int) -> str:
    grant: Grant = {
        "id": new_id(),
        "session": new_id(),
        "room": room.id,
        "person": _owner(caller),
        "face": face_of(caller.person) if caller.person else None,
        "direction": direction.value,
        "epoch": epoch,
        "expires": int(time.time()) + _GRANT_SECS,
    }
    return sign_grant(grant, environment().secret_key)


def _owner(caller: Caller) -> str:
    return str(caller.person.id if caller.person else caller.visitor)


def _end(session: MediaSession, reason: str) -> None:
    MediaSession.objects.filter(id=session.id, ended_at=None).update(ended_at=timezone.now(), end_reason=reason)
