"""From what happened in a room to the events that tell it: docs/protocol.md section 7.

Happenings become the events of the room's and the hand queue's streams one by one. What follows from many things is compared before and
after instead: a person's own place, because one lowered hand moves everybody behind it; the room's own fields; its card in the hallway; who
moderates and is here.
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
    RoleChanged,
    RoomClosed,
    RoomStage,
    StageJoined,
    StageLeft,
    StatusChanged,
)
from salon.rooms.enums import Phase, Visibility
from salon.rooms.models import Room
from salon.rooms.shapes import Faces, MyPlace, hand_entry, moderators, my_place, room_card, room_fields, stage_member
from salon.streams.events import NewEvent
from salon.streams.names import person_stream

HALLWAY = "hallway"
QUEUE_MOVED = "hand_queue"
"""The cause for people whose own place nobody touched: the queue before them moved."""
REMOVED = "remove_person"
"""The cause by which the person, and the gateway, know that they may not come back."""


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


@dataclass(frozen=True, slots=True)
class Moment:
    """A room at one moment. room: with its host loaded. stage: as `stages.seats_of` reads it."""

    room: Room
    stage: RoomStage


def events_of(before: Moment, after: Moment, outcome: Outcome, faces: Faces, cause: Cause) -> list[NewEvent]:
    """outcome: what led from `before` to `after`. faces: of everybody either stage names."""
    return [
        *_stream_events(before, after, outcome, faces),
        *_place_events(before, after, faces, cause),
        *_moderator_events(before, after, faces),
        *_hallway_events(before, after, faces),
    ]


def session_ended(person: str, session: str, room_id: str, reason: str) -> NewEvent:
    return NewEvent(person_stream(person), "session_ended", {"session": session, "room": room_id, "reason": reason})


def room_listed(room: Room, stage: RoomStage, faces: Faces) -> NewEvent:
    """stage: as `stages.seats_of` reads it."""
    return NewEvent(HALLWAY, "room_listed", {**room_card(room, stage, faces)}, people=sorted(_runners(room, stage)))


def room_changed(before: Room, after: Room) -> list[NewEvent]:
    """One event with exactly the fields that differ, or none."""
    old, new = {**room_fields(before)}, {**room_fields(after)}
    changed = {name: value for name, value in new.items() if value != old[name]}
    return [NewEvent(room_stream(after.id), "room_changed", changed)] if changed else []


def place_changed(room_id: str, person: str, place: object, cause: Cause, *, concerned: bool = True) -> NewEvent:
    """concerned: whether it was about this person, and not only about those before them in the hand queue."""
    by_somebody_else = concerned and cause.by is not None and cause.by["id"] != person
    data = {
        "room": room_id,
        "place": place,
        "cause": cause.command if concerned else QUEUE_MOVED,
        "by": cause.by if by_somebody_else else None,
        "reason": cause.reason if cause.target == person else None,
    }
    return NewEvent(person_stream(person), "place_changed", data)


def _stream_events(before: Moment, after: Moment, outcome: Outcome, faces: Faces) -> Iterator[NewEvent]:
    room = after.room
    for happening in outcome.happened:
        yield _stream_event(room, after.stage, happening, faces)
    if after.stage.phase is not before.stage.phase:
        return  # `room_ended` says the rest
    hand_count = len(after.stage.hands())
    if hand_count != len(before.stage.hands()):
        yield NewEvent(room_stream(room.id), "hand_count_changed", {"hand_count": hand_count})
    yield from room_changed(before.room, room)


def _stream_event(room: Room, after: RoomStage, happening: Happening, faces: Faces) -> NewEvent:  # noqa: PLR0911  (a table: one line a kind)
    stage, hands = room_stream(room.id), hands_stream(room.id)
    match happening:
        case StageJoined(person):
            return NewEvent(stage, "stage_joined", {**stage_member(after.places[person], faces)})
        case StageLeft(person, reason):
            return NewEvent(stage, "stage_left", {"person": person, "reason": reason.value})
        case MuteChanged(person, muted, held):
            return NewEvent(stage, "mute_changed", {"person": person, "muted": muted, "held": held})
        case RoleChanged(person, role):
            return NewEvent(stage, "role_changed", {"person": person, "role": role.value})
        case StatusChanged(person, status):
            return NewEvent(stage, "status_changed", {"person": person, "status": status and status.value})
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


def _place_events(before: Moment, after: Moment, faces: Faces, cause: Cause) -> Iterator[NewEvent]:
    positions_before, positions_after = hand_positions(before.stage), hand_positions(after.stage)
    for person, place in after.stage.places.items():
        if place == before.stage.places[person] and positions_before.get(person) == positions_after.get(person):
            continue
        shown_before = my_place(before.stage, person, faces, positions_before)
        shown = my_place(after.stage, person, faces, positions_after)
        # Somebody removed is told so also where they had left already: they may still be watching the room. Who logs out is not.
        removed_outside = shown is None and person == cause.target and cause.command == REMOVED
        if shown != shown_before or removed_outside:
            acting = person in (cause.target, cause.by and cause.by["id"])
            concerned = acting or _without_position(shown) != _without_position(shown_before)
            yield place_changed(after.room.id, person, shown, cause, concerned=concerned)


def _without_position(place: MyPlace | None) -> MyPlace | None:
    return place and {**place, "hand_position": None}


def _moderator_events(before: Moment, after: Moment, faces: Faces) -> Iterator[NewEvent]:
    now = moderators(after.stage, faces)
    if now != moderators(before.stage, faces):
        yield NewEvent(moderation_stream(after.room.id), "moderators_changed", {"moderators": now})


def _hallway_events(before: Moment, after: Moment, faces: Faces) -> Iterator[NewEvent]:
    was_listed, is_listed = _is_listed(before), _is_listed(after)
    if was_listed and not is_listed:
        yield NewEvent(HALLWAY, "room_unlisted", {"id": after.room.id})
    elif is_listed and not (was_listed and _shown(before, faces) == _shown(after, faces)):
        yield room_listed(after.room, after.stage, faces)


def _is_listed(moment: Moment) -> bool:
    return moment.stage.phase is Phase.LIVE and moment.room.visibility == Visibility.OPEN


def _shown(moment: Moment, faces: Faces) -> object:
    return room_card(moment.room, moment.stage, faces), _runners(moment.room, moment.stage)


def _runners(room: Room, stage: RoomStage) -> set[str]:
    """Whoever opened it, moderates or is on the stage: whom the blocked are kept from."""
    return {room.host_id} | {place.person for place in stage.places.values() if place.on_stage or place.role.moderates}
