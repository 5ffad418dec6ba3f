"""From what happened in a room to the events that tell it: docs/protocol.md section 7.

Happenings become the events of the room's and the hand queue's streams one by one. A person's own place is compared
before and after instead, because one lowered hand moves everybody behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from salon.accounts.faces import Face
from salon.common.times import rfc3339
from salon.rooms.domain.hands import hand_positions
from salon.rooms.domain.room_stage import (
    HandInvited,
    HandQueued,
    HandsCleared,
    HandUnqueued,
    Happening,
    MuteChanged,
    Outcome,
    RoomClosed,
    RoomStage,
    StageJoined,
    StageLeft,
)
from salon.rooms.enums import Visibility
from salon.rooms.models import Room
from salon.rooms.shapes import Faces, hand_entry, my_place, room_card, stage_member
from salon.streams.events import NewEvent
from salon.streams.names import person_stream

HALLWAY = "hallway"
QUEUE_MOVED = "hand_queue"
"""The cause for people whose own place nobody touched: the queue before them moved."""


def room_stream(room_id: str) -> str:
    return f"room/{room_id}"


def hands_stream(room_id: str) -> str:
    return f"hands/{room_id}"


def moderation_stream(room_id: str) -> str:
    return f"moderation/{room_id}"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why places changed. command: its name. by: the face of who sent it, None for Salon itself. target: whom it named, if anybody.

    reason: a moderator's own words, for the target alone.
    """

    command: str
    by: Face | None = None
    target: str | None = None
    reason: str | None = None


def events_of(room: Room, before: RoomStage, outcome: Outcome, faces: Faces, cause: Cause) -> list[NewEvent]:
    """room: as it is after the change, with its host loaded. faces: of everybody either stage names."""
    return [
        *_stream_events(room, before, outcome, faces),
        *_place_events(room, before, outcome.stage, faces, cause),
        *_hallway_events(room, before, outcome, faces),
    ]


def session_ended(person: str, session: str, room_id: str, reason: str) -> NewEvent:
    return NewEvent(person_stream(person), "session_ended", {"session": session, "room": room_id, "reason": reason})


def room_listed(room: Room, stage: RoomStage, faces: Faces) -> NewEvent:
    return NewEvent(HALLWAY, "room_listed", {**room_card(room, stage, faces)})


def place_changed(room_id: str, person: str, place: object, cause: Cause) -> NewEvent:
    concerned = place is None or cause.target == person or (cause.by is not None and cause.by["id"] == person)
    by_somebody_else = concerned and cause.by is not None and cause.by["id"] != person
    data = {
        "room": room_id,
        "place": place,
        "cause": cause.command if concerned else QUEUE_MOVED,
        "by": cause.by if by_somebody_else else None,
        "reason": cause.reason if cause.target == person else None,
    }
    return NewEvent(person_stream(person), "place_changed", data)


def _stream_events(room: Room, before: RoomStage, outcome: Outcome, faces: Faces) -> Iterator[NewEvent]:
    for happening in outcome.happened:
        yield _stream_event(room, outcome.stage, happening, faces)
    hand_count = len(outcome.stage.hands())
    if outcome.stage.phase is before.phase and hand_count != len(before.hands()):
        yield NewEvent(room_stream(room.id), "hand_count_changed", {"hand_count": hand_count})


def _stream_event(room: Room, after: RoomStage, happening: Happening, faces: Faces) -> NewEvent:  # noqa: PLR0911  (a table: one line a kind)
    stage, hands = room_stream(room.id), hands_stream(room.id)
    match happening:
        case StageJoined(person):
            return NewEvent(stage, "stage_joined", {**stage_member(after.places[person], faces)})
        case StageLeft(person, reason):
            return NewEvent(stage, "stage_left", {"person": person, "reason": reason.value})
        case MuteChanged(person, muted):
            return NewEvent(stage, "mute_changed", {"person": person, "muted": muted})
        case HandQueued(person):
            # Not invited yet: where an invitation begins the entry, `hand_invited` follows.
            return NewEvent(hands, "hand_raised", {**hand_entry(after.places[person], faces), "invited": False})
        case HandUnqueued(person):
            return NewEvent(hands, "hand_lowered", {"person": person})
        case HandInvited(person):
            return NewEvent(hands, "hand_invited", {"person": person, "invited": True})
        case HandsCleared():
            return NewEvent(hands, "hands_cleared", {})
        case RoomClosed(end_reason):
            assert room.ended_at is not None, "the room is saved before its end is told"  # noqa: S101
            return NewEvent(stage, "room_ended", {"ended_at": rfc3339(room.ended_at), "reason": end_reason.value})


def _place_events(room: Room, before: RoomStage, after: RoomStage, faces: Faces, cause: Cause) -> Iterator[NewEvent]:
    positions_before, positions_after = hand_positions(before), hand_positions(after)
    for person, place in after.places.items():
        if place == before.places[person] and positions_before.get(person) == positions_after.get(person):
            continue
        shown = my_place(after, person, faces, positions_after)
        # Somebody removed is told so also where they had left already: they may still be watching the room. Who logs out is not.
        removed_outside = shown is None and person == cause.target and cause.by is not None
        if shown != my_place(before, person, faces, positions_before) or removed_outside:
            yield place_changed(room.id, person, shown, cause)


def _hallway_events(room: Room, before: RoomStage, outcome: Outcome, faces: Faces) -> Iterator[NewEvent]:
    if room.visibility != Visibility.OPEN:
        return
    if outcome.stage.phase is not before.phase:
        yield NewEvent(HALLWAY, "room_unlisted", {"id": room.id})
    elif any(isinstance(happening, StageJoined | StageLeft) for happening in outcome.happened):
        yield room_listed(room, outcome.stage, faces)
