"""The shapes of docs/protocol.md sections 3 and 7, made from the stage: the same functions serve answers, snapshots and events.

That is what makes a snapshot and the events after it agree with the next snapshot: neither has a way of its own to say a thing.
"""

from collections.abc import Mapping
from datetime import datetime

from typing_extensions import TypedDict

from salon.accounts.faces import Face, face_of
from salon.common.times import rfc3339
from salon.rooms.capacity import capacity_of
from salon.rooms.clubs import ClubCard, clubs
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
    held: bool
    status: str | None
    csrc: int
    since: str


class RoomFields(TypedDict):
    title: str
    topic: str
    language: str
    visibility: str
    locked: bool
    capacity: int
    hand_policy: str
    stage_locked: bool
    fair_floor: bool
    turn_secs: int | None
    chat: bool
    questions: bool
    links: bool
    reactions: bool
    polls: bool
    slow_mode_secs: int
    deputy: str | None
    grace_ends_at: str | None
    host_away: bool


class RoomState(RoomFields):
    id: str
    phase: str
    opened_at: str
    ended_at: str | None
    host: Face
    stage: list[StageMember]
    hand_count: int
    club: ClubCard | None


class RoomCard(TypedDict):
    id: str
    title: str
    topic: str
    language: str
    visibility: str
    host: Face
    speakers: list[Face]
    audience: int
    capacity: int
    opened_at: str
    why: str
    folded: bool


class HandEntry(TypedDict):
    person: Face
    raised_at: str
    invited: bool
    has_spoken: bool


class Held(TypedDict):
    by: Face | None
    reason: str
    since: str


class MyPlace(TypedDict):
    role: str
    on_stage: bool
    hand_raised_at: str | None
    hand_position: int | None
    invited_by: Face | None
    muted: bool
    muted_by: Face | None
    held: Held | None
    status: str | None
    silenced: bool


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
        "phase": room.phase,
        "opened_at": rfc3339(room.opened_at),
        "ended_at": _time(room.ended_at),
        "host": face_of(room.host),
        "stage": [stage_member(place, faces) for place in stage.on_stage()],
        "hand_count": len(stage.hands()),
        "club": clubs().card(room.club) if room.club else None,
        **room_fields(room),
    }


def room_fields(room: Room) -> RoomFields:
    """The fields of RoomState that a live room may change, whose changes `room_changed` tells."""
    return {
        "title": room.title,
        "topic": room.topic,
        "language": room.language,
        "visibility": room.visibility,
        "locked": room.locked,
        "capacity": capacity_of(room),
        "hand_policy": room.hand_policy,
        "stage_locked": room.stage_locked,
        "fair_floor": room.fair_floor,
        "turn_secs": room.turn_secs,
        "chat": room.chat,
        "questions": room.questions,
        "links": room.links,
        "reactions": room.reactions,
        "polls": room.polls,
        "slow_mode_secs": room.slow_mode_secs,
        "deputy": room.deputy_id,
        "grace_ends_at": _time(room.grace_ends_at),
        "host_away": room.host_away,
    }


def room_card(room: Room, stage: RoomStage, faces: Faces, why: str = "", *, folded: bool = False) -> RoomCard:
    """room: with its host loaded. why, folded: for one person; a stream that everyone watches has neither.

    why: a sentence. folded: whether somebody speaks there whom that person has blocked.
    """
    return {
        "id": room.id,
        "title": room.title,
        "topic": room.topic,
        "language": room.language,
        "visibility": room.visibility,
        "host": face_of(room.host),
        "speakers": [faces[place.person] for place in stage.on_stage()[:_FACES_ON_A_CARD]],
        "audience": room.audience,
        "capacity": capacity_of(room),
        "opened_at": rfc3339(room.opened_at),
        "why": why,
        "folded": folded,
    }


def stage_member(place: StagePlace, faces: Faces) -> StageMember:
    assert place.on_stage_since is not None, "only who is on the stage is a member of it"  # noqa: S101
    return {
        "person": faces[place.person],
        "role": place.role.value,
        "muted": place.muted,
        "held": place.held,
        "status": place.status and place.status.value,
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


def open_request(request: SecondModeratorRequest) -> Request:
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
        "held": _held(place, faces),
        "status": place.status and place.status.value,
        "silenced": place.silenced,
    }


def _held(place: StagePlace, faces: Faces) -> Held | None:
    if place.held_at is None:
        return None
    return {"by": _face(place.held_by, faces), "reason": place.held_reason, "since": rfc3339(place.held_at)}


def _time(time: datetime | None) -> str | None:
    return rfc3339(time) if time else None


def _face(person: PersonId | None, faces: Faces) -> Face | None:
    return faces.get(person) if person else None
