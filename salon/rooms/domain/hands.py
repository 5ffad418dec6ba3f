"""Hands and invitations: the queue keeps its order, and an invited person stays in it until they answer."""

from collections.abc import Sequence, Set
from datetime import datetime

from salon.rooms.domain.coming_up import is_locked_out, is_welcome, require_unlocked, require_welcome
from salon.rooms.domain.people import Acquaintance, BlockedBy
from salon.rooms.domain.roles import require_moderator
from salon.rooms.domain.room_stage import (
    HandInvited,
    HandQueued,
    HandsCleared,
    HandUnqueued,
    Happening,
    Outcome,
    PersonId,
    RoomStage,
    StagePlace,
    moved,
    with_place,
)
from salon.rooms.domain.standing import Standing, Step
from salon.rooms.enums import HandPolicy
from salon.rooms.errors import HandNotRaised, HandsNotAllowed, NobodyToInvite, NoHands, StageIsOpen, StageLocked, at_field


def raise_hand(stage: RoomStage, actor: PersonId, now: datetime, acquaintance: Acquaintance) -> Outcome:
    """Raises RoomEnded, NotInRoom, HandAlreadyRaised, AlreadyInvited, AlreadyOnStage, StageIsOpen, HandsNotAllowed."""
    stage.require_live()
    before = stage.place_of(actor)
    place = moved(before, Step.RAISE_HAND, at=stage.moment(now))
    _require_hand_allowed(stage, before, acquaintance)
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


def invite_to_stage(stage: RoomStage, actor: PersonId, person: PersonId, now: datetime, blocked_by: Set[PersonId] = frozenset()) -> Outcome:
    """A moderator may invite themselves: that is how one who stepped down comes back.

    blocked_by: who has blocked `person`.
    Raises RoomEnded, NotInRoom, NotAModerator, AlreadyInvited, AlreadyOnStage, StageLocked, CannotComeUp.
    """
    stage.require_live()
    require_moderator(stage, actor)
    with at_field("person"):
        before = stage.place_of(person)
        outcome = _invited(stage, before, by=actor, now=now)
    require_unlocked(stage, before)
    with at_field("person"):
        require_welcome(stage, blocked_by)
    return outcome


def invite_next(stage: RoomStage, actor: PersonId, now: datetime, *, count: int = 1, blocked_by: BlockedBy) -> Outcome:
    """The first `count` of the queue who are not invited yet and can come up.

    Raises RoomEnded, NotInRoom, NotAModerator, NoHands, StageLocked, NobodyToInvite.
    """
    stage.require_live()
    require_moderator(stage, actor)
    waiting = [place for place in stage.hands() if place.standing is Standing.HAND_UP]
    if not waiting:
        raise NoHands
    return _invited_among(stage, waiting, by=actor, now=now, count=count, blocked_by=blocked_by)


def invite_several(stage: RoomStage, actor: PersonId, people: Sequence[PersonId], now: datetime, blocked_by: BlockedBy) -> Outcome:
    """All of them who still can be, in this order; whoever left, waits for an answer, is up already or cannot come up is passed over.

    Raises RoomEnded, NotInRoom, NotAModerator, StageLocked, NobodyToInvite.
    """
    stage.require_live()
    require_moderator(stage, actor)
    named = [stage.places[person] for person in dict.fromkeys(people) if person in stage.places]
    waiting = [place for place in named if place.standing in (Standing.LISTENING, Standing.HAND_UP)]
    return _invited_among(stage, waiting, by=actor, now=now, count=len(waiting), blocked_by=blocked_by)


def decline_invitation(stage: RoomStage, actor: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotInvited."""
    stage.require_live()
    place = moved(stage.place_of(actor), Step.DECLINE)
    return Outcome(with_place(stage, place), (HandUnqueued(actor),))


def clear_hands(stage: RoomStage, actor: PersonId) -> Outcome:
    """Every hand down, every invitation taken back. Raises RoomEnded, NotInRoom, NotAModerator, NoHands."""
    stage.require_live()
    require_moderator(stage, actor)
    queue = stage.queue()
    if not queue:
        raise NoHands
    for place in queue:
        stage = with_place(stage, moved(place, Step.LOWER_HAND))
    return Outcome(stage, (HandsCleared(),))


def hand_positions(stage: RoomStage) -> dict[PersonId, int]:
    """1 for who comes next; who has no hand up is not in it."""
    return {place.person: position for position, place in enumerate(stage.hands(), start=1)}


def _require_hand_allowed(stage: RoomStage, place: StagePlace, acquaintance: Acquaintance) -> None:
    policy = stage.rules.hand_policy
    if policy is HandPolicy.OPEN_STAGE:
        raise StageIsOpen
    if place.role.moderates or policy is HandPolicy.EVERYONE:
        return
    if policy is HandPolicy.CLUB_MEMBERS and acquaintance.in_club:
        return
    if policy is HandPolicy.FOLLOWED_BY_SPEAKERS and any(speaker.person in acquaintance.followed_by for speaker in stage.on_stage()):
        return
    raise HandsNotAllowed


def _invited_among(
    stage: RoomStage, waiting: Sequence[StagePlace], *, by: PersonId, now: datetime, count: int, blocked_by: BlockedBy
) -> Outcome:
    admitted = [place for place in waiting if not is_locked_out(stage, place)]
    if waiting and not admitted:
        raise StageLocked
    welcome = [place for place in admitted if is_welcome(stage, blocked_by.get(place.person, frozenset()))]
    if not welcome:
        raise NobodyToInvite
    happened: list[Happening] = []
    for place in welcome[:count]:
        outcome = _invited(stage, place, by=by, now=now)
        stage = outcome.stage
        happened += outcome.happened
    return Outcome(stage, tuple(happened))


def _invited(stage: RoomStage, before: StagePlace, *, by: PersonId, now: datetime) -> Outcome:
    place = moved(before, Step.INVITE, at=stage.moment(now), by=by)
    happened: list[Happening] = [] if before.queued_at else [HandQueued(place.person)]
    return Outcome(with_place(stage, place), (*happened, HandInvited(place.person)))
