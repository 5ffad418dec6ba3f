"""The stage: who comes up, who goes down, and what they let the others know.

Nobody stands on it who did not accept, except the host, and who stepped up where the stage is open to everyone.
"""

from dataclasses import replace
from datetime import datetime

from salon.rooms.domain.coming_up import require_unlocked, require_welcome
from salon.rooms.domain.people import Acquaintance
from salon.rooms.domain.roles import require_moderator, require_power_over
from salon.rooms.domain.room_stage import (
    HandUnqueued,
    Happening,
    Outcome,
    PersonId,
    RoomStage,
    StageJoined,
    StageLeft,
    StagePlace,
    StatusChanged,
    moved,
    with_place,
)
from salon.rooms.domain.standing import Step
from salon.rooms.enums import HandPolicy, StageLeftReason, Status
from salon.rooms.errors import StageNotOpen, at_field


def accept_invitation(stage: RoomStage, actor: PersonId, now: datetime, acquaintance: Acquaintance) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotInvited, AlreadyOnStage, StageLocked, CannotComeUp; the invitation outlasts the last two."""
    stage.require_live()
    return _up(stage, actor, Step.ACCEPT, now, acquaintance)


def step_up(stage: RoomStage, actor: PersonId, now: datetime, acquaintance: Acquaintance) -> Outcome:
    """Up without anybody's leave, and muted. Raises RoomEnded, NotInRoom, StageNotOpen, AlreadyOnStage, StageLocked, CannotComeUp."""
    stage.require_live()
    stage.place_of(actor)
    if stage.rules.hand_policy is not HandPolicy.OPEN_STAGE:
        raise StageNotOpen
    return _up(stage, actor, Step.STEP_UP, now, acquaintance)


def step_down(stage: RoomStage, actor: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotOnStage."""
    stage.require_live()
    return _down(stage, stage.place_of(actor), StageLeftReason.STEPPED_DOWN)


def move_to_audience(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotAModerator, NotOnStage, CannotActOnModerator."""
    stage.require_live()
    moderator = require_moderator(stage, actor)
    with at_field("person"):
        target = stage.place_of(person)
        outcome = _down(stage, target, StageLeftReason.MOVED)
    if person != actor:
        require_power_over(stage, moderator, target)
    return outcome


def set_status(stage: RoomStage, actor: PersonId, status: Status | None) -> Outcome:
    """Setting what is set already changes nothing. Raises RoomEnded, NotInRoom, NotOnStage."""
    stage.require_live()
    place = stage.on_stage_place_of(actor)
    if place.status is status:
        return Outcome(stage)
    return Outcome(with_place(stage, replace(place, status=status)), (StatusChanged(actor, status),))


def _up(stage: RoomStage, actor: PersonId, step: Step, now: datetime, acquaintance: Acquaintance) -> Outcome:
    before = stage.place_of(actor)
    place = moved(before, step, at=stage.moment(now))
    require_unlocked(stage, before)
    require_welcome(stage, acquaintance.blocked_by)
    happened: list[Happening] = [HandUnqueued(actor)] if before.queued_at else []
    return Outcome(with_place(stage, place), (*happened, StageJoined(actor)))


def _down(stage: RoomStage, place: StagePlace, reason: StageLeftReason) -> Outcome:
    return Outcome(with_place(stage, moved(place, Step.LEAVE_STAGE)), (StageLeft(place.person, reason),))
