"""The shapes of docs/protocol.md sections 3 and 7, made from the stage: the same functions serve answers, snapshots and events.

That is what makes a snapshot and the events after it agree with the next snapshot: neither has a way of its own to say a thing.
"""

from collections.abc import Mapping
from datetime import datetime

from typing_extensions import TypedDict

from salon.accounts.faces import Face, face_of
from salon.common.times import rfc3339
from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace
from salon.rooms.enums import Role
from salon.rooms.models import Removal, Room, RoomAction, SecondModeratorRequest

Faces = Mapping[str, Face]

# A card is a glance: the faces of a stage beyond these are seen inside.
_FACES_ON_A_CARD = 8


class StageMember(TypedDict):
    person: Face
    role: str
    muted: bool
    csrc: int
    since: str


class RoomState(TypedDict):
    id: str
    title: str
    topic: str
    language: str
    visibility: str
    phase: str
    opened_at: str
    ended_at: str | None
    host: Face
    stage: list[StageMember]
    hand_count: int


class RoomCard(TypedDict):
    id: str
    title: str
    topic: str
    language: str
    visibility: str
    host: Face
    speakers: list[Face]
    audience: int
    opened_at: str
    why: str


class HandEntry(TypedDict):
    person: Face
    raised_at: str
    invited: bool
    has_spoken: bool


class MyPlace(TypedDict):
    role: str
    on_stage: bool
    hand_raised_at: str | None
    hand_position: int | None
    invited_by: Face | None
    muted: bool
    muted_by: Face | None


class Moderator(TypedDict):
    person: Face
    role: str
    here: bool


class RemovalEntry(TypedDict):
    person: Face
    by: Face | None
    reason: str
    at: str
    until: str | None


class Request(TypedDict):
    id: str
    action: str
    by: Face
    target: Face | None
    expires_at: str


class LogEntry(TypedDict):
    id: str
    action: str
    by: Face | None
    target: Face | None
    reason: str | None
    data: dict[str, object]
    at: str


class RoomBody(RoomCard):
    state: RoomState
    mine: MyPlace | None


def room_state(room: Room, stage: RoomStage, faces: Faces) -> RoomState:
    """room: with its host loaded. stage: everybody on the stage or with a hand up, at least."""
    return {
        "id": room.id,
        "title": room.title,
        "topic": room.topic,
        "language": room.language,
        "visibility": room.visibility,
        "phase": room.phase,
        "opened_at": rfc3339(room.opened_at),
        "ended_at": _time(room.ended_at),
        "host": face_of(room.host),
        "stage": [stage_member(place, faces) for place in stage.on_stage()],
        "hand_count": len(stage.hands()),
    }


def room_card(room: Room, stage: RoomStage, faces: Faces, why: str = "") -> RoomCard:
    """room: with its host loaded. why: a sentence for one person; a stream that everyone watches has none."""
    return {
        "id": room.id,
        "title": room.title,
        "topic": room.topic,
        "language": room.language,
        "visibility": room.visibility,
        "host": face_of(room.host),
        "speakers": [faces[place.person] for place in stage.on_stage()[:_FACES_ON_A_CARD]],
        "audience": room.audience,
        "opened_at": rfc3339(room.opened_at),
        "why": why,
    }


def stage_member(place: StagePlace, faces: Faces) -> StageMember:
    assert place.on_stage_since is not None, "only who is on the stage is a member of it"  # noqa: S101
    return {
        "person": faces[place.person],
        "role": place.role.value,
        "muted": place.muted,
        "csrc": place.csrc,
        "since": rfc3339(place.on_stage_since),
    }


def hand_entry(place: StagePlace, faces: Faces) -> HandEntry:
    assert place.queued_at is not None, "only who waits has an entry"  # noqa: S101
    return {
        "person": faces[place.person],
        "raised_at": rfc3339(place.queued_at),
        "invited": place.invited_at is not None,
        "has_spoken": place.has_spoken,
    }


def moderators(stage: RoomStage, faces: Faces) -> list[Moderator]:
    """The host, then the others by handle; also those who are not here."""
    moderating = sorted(
        (place for place in stage.places.values() if place.role.moderates),
        key=lambda place: (place.role is not Role.HOST, faces[place.person]["handle"]),
    )
    return [{"person": faces[place.person], "role": place.role.value, "here": place.is_in} for place in moderating]


def removal_entry(removal: Removal) -> RemovalEntry:
    """removal: with its two people loaded."""
    return {
        "person": face_of(removal.person),
        "by": face_of(removal.by) if removal.by else None,
        "reason": removal.reason,
        "at": rfc3339(removal.at),
        "until": _time(removal.until),
    }


def request_shape(request: SecondModeratorRequest) -> Request:
    """request: with its two people loaded."""
    return {
        "id": request.id,
        "action": request.action,
        "by": face_of(request.by),
        "target": face_of(request.target) if request.target else None,
        "expires_at": rfc3339(request.expires_at),
    }


def log_entry(action: RoomAction) -> LogEntry:
    """action: with its two people loaded."""
    return {
        "id": action.public_id,
        "action": action.action,
        "by": face_of(action.actor) if action.actor else None,
        "target": face_of(action.target) if action.target else None,
        "reason": action.reason or None,
        "data": action.data,
        "at": rfc3339(action.at),
    }


def my_place(stage: RoomStage, person: PersonId, faces: Faces, positions: Mapping[PersonId, int]) -> MyPlace | None:
    """None for somebody who is not in the room. positions: domain.hands.hand_positions of a stage with everybody whose hand is up."""
    place = stage.places.get(person)
    if place is None or not place.is_in:
        return None
    return {
        "role": place.role.value,
        "on_stage": place.on_stage,
        "hand_raised_at": _time(place.hand_raised_at),
        "hand_position": positions.get(person),
        "invited_by": _face(place.invited_by, faces),
        "muted": place.muted,
        "muted_by": _face(place.muted_by, faces),
    }


def _time(time: datetime | None) -> str | None:
    return rfc3339(time) if time else None


def _face(person: PersonId | None, faces: Faces) -> Face | None:
    return faces.get(person) if person else None
