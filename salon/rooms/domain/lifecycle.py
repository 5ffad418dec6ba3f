"""Coming, going and ending: what happens to a person's place, and to the room, when somebody enters or leaves."""

from dataclasses import replace
from datetime import datetime, timedelta

from salon.rooms.domain.moderators import without_deputy
from salon.rooms.domain.roles import is_host, place_named, require_moderator, require_power_over
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
from salon.rooms.domain.succession import with_host
from salon.rooms.enums import EndReason, Phase, Role, StageLeftReason, Status

# A network that is gone for half a minute must cost nobody the stage they had accepted; the sound's own time-out (15 s) and the
# grace (10 s) come before this begins to count.
STAGE_KEPT = timedelta(minutes=2)
# A phone gives the microphone to the call, and often the whole connection: so long as a call may take that one meant to be short.
STAGE_KEPT_ON_A_CALL = timedelta(minutes=10)


def enter(stage: RoomStage, actor: PersonId, now: datetime) -> Outcome:
    """Into the audience; onto the stage again for the host, and for who lost it with the connection not too long ago.

    Who opened the room takes the role of host back from whoever stood in for them.
    actor: has a place, in the room or not; entering again changes nothing. Raises RoomEnded.
    """
    stage.require_live()
    if stage.places[actor].is_in:
        return Outcome(stage)
    displaced = actor == stage.rules.opener and stage.places[actor].role is not Role.HOST
    settled = with_host(stage, actor) if displaced else Outcome(stage)
    place = settled.stage.places[actor]
    if not _returns_to_stage(place, now):
        return replace(settled, stage=with_place(settled.stage, moved(place, Step.ENTER)))
    back = moved(place, Step.RETURN_TO_STAGE, at=stage.moment(now))
    return Outcome(with_place(settled.stage, back), (*settled.happened, StageJoined(actor)))


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
    place = replace(outcome.stage.places[actor], stage_lost_at=now, muted=before.muted, muted_by=before.muted_by, status=before.status)
    return replace(outcome, stage=with_place(outcome.stage, place))


def remove_person(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """Out of the room, and nothing of theirs that runs stays valid. Who just left can be removed too, so that they stay out.

    Raises RoomEnded, NotInRoom, NotAModerator, CannotActOnModerator.
    """
    stage.require_live()
    moderator = require_moderator(stage, actor)
    target = place_named(stage, person)
    require_power_over(stage, moderator, target)
    outcome = _out(stage, target, StageLeftReason.REMOVED) if target.is_in else Outcome(stage)
    # A removed moderator is none any more: otherwise the end of the removal would give back the power to undo others'.
    place = replace(
        outcome.stage.places[person],
        epoch=target.epoch + 1,
        role=Role.LISTENER,
        stage_lost_at=None,
        muted=False,
        muted_by=None,
        status=None,
    )
    return replace(outcome, stage=without_deputy(with_place(outcome.stage, place), person))


def undo_removal(stage: RoomStage, actor: PersonId) -> Outcome:
    """Whether a moderator may; nothing on the stage changes, and whoever is let in again enters as a listener.

    Raises RoomEnded, NotInRoom, NotAModerator.
    """
    stage.require_live()
    require_moderator(stage, actor)
    return Outcome(stage)


def cut_off(stage: RoomStage, person: PersonId) -> Outcome:
    """Close what sound somebody has (logout, suspension), without a word about their place."""
    place = stage.places[person]
    return Outcome(with_place(stage, replace(place, epoch=place.epoch + 1)))


def end_room(stage: RoomStage, actor: PersonId) -> Outcome:
    """The host may end the room from outside it, too, and so may who opened it. Raises RoomEnded, NotInRoom, NotAModerator."""
    stage.require_live()
    place = stage.places.get(actor)
    if place is None or not is_host(stage, place):
        require_moderator(stage, actor)
    return _ended(stage, EndReason.ENDED)


def end_empty_room(stage: RoomStage) -> Outcome:
    """Nobody came, or everybody left. Raises RoomEnded."""
    stage.require_live()
    return _ended(stage, EndReason.EMPTY)


def vacate(stage: RoomStage) -> Outcome:
    """The end of the places that a room which has ended still has."""
    return Outcome(replace(stage, places=_everybody_out(stage)))


def _ended(stage: RoomStage, reason: EndReason) -> Outcome:
    happened: list[Happening] = [HandsCleared()] if stage.queue() else []
    rules = replace(stage.rules, grace_ends_at=None, host_away=False)
    return Outcome(RoomStage(Phase.ENDED, _everybody_out(stage), rules), (*happened, RoomClosed(reason)))


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
    kept = STAGE_KEPT_ON_A_CALL if place.status is Status.ON_A_CALL else STAGE_KEPT
    return place.stage_lost_at is not None and now - place.stage_lost_at <= kept
