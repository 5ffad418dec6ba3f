"""The stage: who comes up, who goes down, who is muted.

Nobody stands on it who did not accept, except the host. Only the speaker ends their own mute.
"""

from dataclasses import replace
from datetime import datetime

from salon.rooms.domain.roles import require_moderator, require_power_over
from salon.rooms.domain.room_stage import (
    HandUnqueued,
    MuteChanged,
    Outcome,
    PersonId,
    RoomStage,
    StageJoined,
    StageLeft,
    StagePlace,
    moved,
    with_place,
)
from salon.rooms.domain.standing import Step
from salon.rooms.enums import StageLeftReason
from salon.rooms.errors import AlreadyMuted, NotMuted, NotOnStage, at_field


def accept_invitation(stage: RoomStage, actor: PersonId, now: datetime) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotInvited, AlreadyOnStage."""
    stage.require_live()
    place = moved(stage.place_of(actor), Step.ACCEPT, at=stage.moment(now))
    return Outcome(with_place(stage, place), (HandUnqueued(actor), StageJoined(actor)))


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
        require_power_over(moderator, target)
    return outcome


def mute(stage: RoomStage, actor: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotOnStage, AlreadyMuted."""
    stage.require_live()
    return _muted(stage, _on_stage(stage, actor), by=None)


def unmute(stage: RoomStage, actor: PersonId) -> Outcome:
    """There is no such rule for somebody else. Raises RoomEnded, NotInRoom, NotOnStage, NotMuted."""
    stage.require_live()
    place = _on_stage(stage, actor)
    if not place.muted:
        raise NotMuted
    return Outcome(with_place(stage, replace(place, muted=False, muted_by=None)), (MuteChanged(actor, muted=False),))


def mute_speaker(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """A plain mute may fall on anybody, the host included: an open microphone is an accident, and unmuting takes one touch.

    Raises RoomEnded, NotInRoom, NotAModerator, NotOnStage, AlreadyMuted.
    """
    stage.require_live()
    require_moderator(stage, actor)
    with at_field("person"):
        return _muted(stage, _on_stage(stage, person), by=None if person == actor else actor)


def _on_stage(stage: RoomStage, person: PersonId) -> StagePlace:
    place = stage.place_of(person)
    if not place.on_stage:
        raise NotOnStage
    return place


def _muted(stage: RoomStage, place: StagePlace, *, by: PersonId | None) -> Outcome:
    if place.muted:
        raise AlreadyMuted
    return Outcome(with_place(stage, replace(place, muted=True, muted_by=by)), (MuteChanged(place.person, muted=True),))


def _down(stage: RoomStage, place: StagePlace, reason: StageLeftReason) -> Outcome:
    return Outcome(with_place(stage, moved(place, Step.LEAVE_STAGE)), (StageLeft(place.person, reason),))
