"""Hands and invitations: the queue keeps its order, and an invited person stays in it until they answer."""

from datetime import datetime

from salon.rooms.domain.roles import require_moderator
from salon.rooms.domain.room_stage import (
    HandInvited,
    HandQueued,
    HandUnqueued,
    Happening,
    Outcome,
    PersonId,
    RoomStage,
    moved,
    with_place,
)
from salon.rooms.domain.standing import Step
from salon.rooms.errors import HandNotRaised, at_field


def raise_hand(stage: RoomStage, actor: PersonId, now: datetime) -> Outcome:
    """Raises RoomEnded, NotInRoom, HandAlreadyRaised, AlreadyInvited, AlreadyOnStage."""
    stage.require_live()
    place = moved(stage.place_of(actor), Step.RAISE_HAND, at=stage.moment(now))
    return Outcome(with_place(stage, place), (HandQueued(actor),))


def lower_hand(stage: RoomStage, actor: PersonId) -> Outcome:
    """Takes back the wish to speak, and with it an invitation that answered it.

    Raises RoomEnded, NotInRoom, HandNotRaised (also for an invitation that no hand asked for: that one is declined).
    """
    stage.require_live()
    before = stage.place_of(actor)
    place = moved(before, Step.LOWER_HAND)
    if before.hand_raised_at is None:
        raise HandNotRaised
    return Outcome(with_place(stage, place), (HandUnqueued(actor),))


def invite_to_stage(stage: RoomStage, actor: PersonId, person: PersonId, now: datetime) -> Outcome:
    """A moderator may invite themselves: that is how one who stepped down comes back.

    Raises RoomEnded, NotInRoom, NotAModerator, AlreadyInvited, AlreadyOnStage.
    """
    stage.require_live()
    require_moderator(stage, actor)
    with at_field("person"):
        before = stage.place_of(person)
        place = moved(before, Step.INVITE, at=stage.moment(now), by=actor)
    happened: list[Happening] = [] if before.queued_at else [HandQueued(person)]
    return Outcome(with_place(stage, place), (*happened, HandInvited(person)))


def decline_invitation(stage: RoomStage, actor: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotInvited."""
    stage.require_live()
    place = moved(stage.place_of(actor), Step.DECLINE)
    return Outcome(with_place(stage, place), (HandUnqueued(actor),))


def hand_positions(stage: RoomStage) -> dict[PersonId, int]:
    """1 for who comes next; who has no hand up is not in it."""
    return {place.person: position for position, place in enumerate(stage.hands(), start=1)}
