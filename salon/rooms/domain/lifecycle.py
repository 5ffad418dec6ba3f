"""Coming, going and ending: what happens to a person's place, and to the room, when somebody enters or leaves."""

from dataclasses import replace
from datetime import datetime, timedelta

from salon.rooms.domain.roles import require_moderator, require_power_over
from salon.rooms.domain.room_stage import (
    HandsCleared,
    HandUnqueued,
    Happening,
    Outcome,
    PersonId,
    RoomClosed,
    RoomStage,
    StageJoined,
    StageLeft,
    StagePlace,
    moved,
    with_place,
)
from salon.rooms.domain.standing import Step
from salon.rooms.enums import EndReason, Phase, Role, StageLeftReason
from salon.rooms.errors import NotInRoom, at_field

# A network that is gone for half a minute must cost nobody the stage they had accepted; the sound's own time-out (15 s) and the
# grace (10 s) come before this begins to count.
STAGE_KEPT = timedelta(minutes=2)


def enter(stage: RoomStage, actor: PersonId, now: datetime) -> Outcome:
    """Into the audience; onto the stage again for the host, and for who lost it with the connection less than STAGE_KEPT ago.

    actor: has a place, in the room or not; entering again changes nothing. Raises RoomEnded.
    """
    stage.require_live()
    place = stage.places[actor]
    if place.is_in:
        return Outcome(stage)
    if not _returns_to_stage(place, now):
        return Outcome(with_place(stage, moved(place, Step.ENTER)))
    back = moved(place, Step.RETURN_TO_STAGE, at=stage.moment(now))
    return Outcome(with_place(stage, back), (StageJoined(actor),))


def leave_room(stage: RoomStage, actor: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom."""
    stage.require_live()
    return _out(stage, stage.place_of(actor), StageLeftReason.LEFT)


def lose_connection(stage: RoomStage, actor: PersonId, now: datetime) -> Outcome:
    """What leaving is for somebody whose sound has been gone for the grace time. Raises RoomEnded, NotInRoom."""
    stage.require_live()
    before = stage.place_of(actor)
    outcome = _out(stage, before, StageLeftReason.LEFT)
    if not before.on_stage:
        return outcome
    # The mute waits with the place: nobody comes back to an open microphone that they, or a moderator, had closed.
    place = replace(outcome.stage.places[actor], stage_lost_at=now, muted=before.muted, muted_by=before.muted_by)
    return replace(outcome, stage=with_place(outcome.stage, place))


def remove_person(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """Out of the room, and nothing of theirs that runs stays valid. Who just left can be removed too, so that they stay out.

    Raises RoomEnded, NotInRoom, NotAModerator, CannotActOnModerator.
    """
    stage.require_live()
    moderator = require_moderator(stage, actor)
    if person not in stage.places:
        raise NotInRoom(field="person")
    with at_field("person"):
        target = stage.places[person]
        require_power_over(moderator, target)
    outcome = _out(stage, target, StageLeftReason.REMOVED) if target.is_in else Outcome(stage)
    # A removed moderator is none any more: otherwise the end of the removal would give back the power to undo others'.
    place = replace(
        outcome.stage.places[person], epoch=target.epoch + 1, role=Role.LISTENER, stage_lost_at=None, muted=False, muted_by=None
    )
    return replace(outcome, stage=with_place(outcome.stage, place))


def cut_off(stage: RoomStage, person: PersonId) -> Outcome:
    """Close what sound somebody has (logout, suspension), without a word about their place."""
    place = stage.places[person]
    return Outcome(with_place(stage, replace(place, epoch=place.epoch + 1)))


def end_room(stage: RoomStage, actor: PersonId) -> Outcome:
    """The host may end the room from outside it, too. Raises RoomEnded, NotInRoom, NotAModerator."""
    stage.require_live()
    place = stage.places.get(actor)
    if place is None or place.role is not Role.HOST:
        require_moderator(stage, actor)
    return _ended(stage, EndReason.ENDED)


def end_empty_room(stage: RoomStage) -> Outcome:
    """Nobody came, or everybody left. Raises RoomEnded."""
    stage.require_live()
    return _ended(stage, EndReason.EMPTY)


def vacate(stage: RoomStage) -> Outcome:
    """The end of the places that a room which has ended still has."""
    return Outcome(RoomStage(stage.phase, _everybody_out(stage)))


def _ended(stage: RoomStage, reason: EndReason) -> Outcome:
    happened: list[Happening] = [HandsCleared()] if stage.queue() else []
    return Outcome(RoomStage(Phase.ENDED, _everybody_out(stage)), (*happened, RoomClosed(reason)))


def _everybody_out(stage: RoomStage) -> dict[PersonId, StagePlace]:
    return {person: moved(place, Step.LEAVE) if place.is_in else place for person, place in stage.places.items()}


def _out(stage: RoomStage, place: StagePlace, reason: StageLeftReason) -> Outcome:
    happened: tuple[Happening, ...] = ()
    if place.on_stage:
        happened = (StageLeft(place.person, reason),)
    elif place.queued_at is not None:
        happened = (HandUnqueued(place.person),)
    return Outcome(with_place(stage, moved(place, Step.LEAVE)), happened)


def _returns_to_stage(place: StagePlace, now: datetime) -> bool:
    if place.role is Role.HOST:
        return True
    return place.stage_lost_at is not None and now - place.stage_lost_at <= STAGE_KEPT
