from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from salon.rooms.domain import hands
from salon.rooms.domain.people import UNKNOWN, Acquaintance
from salon.rooms.domain.room_stage import HandInvited, HandQueued, HandUnqueued, PersonId, RoomStage, StagePlace, StageRules
from salon.rooms.domain.standing import Standing
from salon.rooms.enums import HandPolicy, Phase, Role
from salon.rooms.errors import (
    AlreadyInvited,
    AlreadyOnStage,
    HandAlreadyRaised,
    HandNotRaised,
    HandsNotAllowed,
    NotAModerator,
    NotInRoom,
    NotInvited,
    RoomEnded,
    StageIsOpen,
)

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
HOST, LISTENER, OTHER, SPEAKER, STRANGER, GONE = map(PersonId, ("host", "listener", "other", "speaker", "stranger", "gone"))


def stage(phase=Phase.LIVE, **changes) -> RoomStage:
    places = {
        HOST: StagePlace(person=HOST, csrc=1, role=Role.HOST, on_stage_since=NOW - timedelta(minutes=9)),
        SPEAKER: StagePlace(person=SPEAKER, csrc=2, role=Role.SPEAKER, on_stage_since=NOW - timedelta(minutes=8)),
        LISTENER: StagePlace(person=LISTENER, csrc=3),
        OTHER: StagePlace(person=OTHER, csrc=4),
        GONE: StagePlace(person=GONE, csrc=5, is_in=False),
    }
    return RoomStage(phase, places | changes)


def standing(outcome_stage, person):
    return outcome_stage.places[person].standing


def raised(before=None, person=LISTENER, at=NOW) -> RoomStage:
    return hands.raise_hand(before or stage(), person, at, UNKNOWN).stage


def invited(before=None, person=LISTENER) -> RoomStage:
    return hands.invite_to_stage(before or stage(), HOST, person, NOW, set()).stage


def test_raise_hand_puts_a_listener_at_the_end_of_the_queue():
    outcome = hands.raise_hand(raised(), OTHER, NOW + timedelta(seconds=1), UNKNOWN)
    assert [place.person for place in outcome.stage.hands()] == [LISTENER, OTHER]
    assert outcome.happened == (HandQueued(OTHER),)
    assert standing(outcome.stage, OTHER) is Standing.HAND_UP


def test_raise_hand_by_a_clock_that_is_behind_still_comes_last():
    after = raised(raised(), OTHER, NOW - timedelta(minutes=5))
    assert [place.person for place in after.hands()] == [LISTENER, OTHER]


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (stage(Phase.ENDED), LISTENER, RoomEnded),
        (stage(), STRANGER, NotInRoom),
        (stage(), GONE, NotInRoom),
        (stage(), SPEAKER, AlreadyOnStage),
        (raised(), LISTENER, HandAlreadyRaised),
        (invited(), LISTENER, AlreadyInvited),
    ],
)
def test_raise_hand_refused(before, person, refusal):
    with pytest.raises(refusal):
        hands.raise_hand(before, person, NOW, UNKNOWN)


def known(**facts) -> Acquaintance:
    return Acquaintance(**facts)


def under(policy, before=None) -> RoomStage:
    return replace(before or stage(), rules=StageRules(hand_policy=policy))


@pytest.mark.parametrize(
    ("policy", "acquaintance"),
    [
        (HandPolicy.EVERYONE, known()),
        (HandPolicy.FOLLOWED_BY_SPEAKERS, known(followed_by=frozenset({OTHER, SPEAKER}))),
        (HandPolicy.CLUB_MEMBERS, known(in_club=True)),
    ],
)
def test_raise_hand_where_the_policy_lets(policy, acquaintance):
    assert standing(hands.raise_hand(under(policy), LISTENER, NOW, acquaintance).stage, LISTENER) is Standing.HAND_UP


@pytest.mark.parametrize(
    ("policy", "acquaintance", "refusal"),
    [
        (HandPolicy.FOLLOWED_BY_SPEAKERS, known(in_club=True), HandsNotAllowed),
        (HandPolicy.FOLLOWED_BY_SPEAKERS, known(followed_by=frozenset({OTHER, GONE})), HandsNotAllowed),
        (HandPolicy.CLUB_MEMBERS, known(followed_by=frozenset({HOST})), HandsNotAllowed),
        (HandPolicy.NOBODY, known(followed_by=frozenset({HOST}), in_club=True), HandsNotAllowed),
        (HandPolicy.OPEN_STAGE, known(followed_by=frozenset({HOST}), in_club=True), StageIsOpen),
    ],
)
def test_raise_hand_where_the_policy_does_not(policy, acquaintance, refusal):
    with pytest.raises(refusal):
        hands.raise_hand(under(policy), LISTENER, NOW, acquaintance)


@pytest.mark.parametrize("policy", [HandPolicy.FOLLOWED_BY_SPEAKERS, HandPolicy.CLUB_MEMBERS, HandPolicy.NOBODY])
def test_raise_hand_by_a_moderator_is_under_no_policy(policy):
    before = stage(**{LISTENER: StagePlace(person=LISTENER, csrc=3, role=Role.MODERATOR)})
    assert standing(hands.raise_hand(under(policy, before), LISTENER, NOW, UNKNOWN).stage, LISTENER) is Standing.HAND_UP


def test_raise_hand_by_a_moderator_where_the_stage_is_open_refused():
    before = stage(**{LISTENER: StagePlace(person=LISTENER, csrc=3, role=Role.MODERATOR)})
    with pytest.raises(StageIsOpen):
        hands.raise_hand(under(HandPolicy.OPEN_STAGE, before), LISTENER, NOW, UNKNOWN)


def test_lower_hand_takes_back_an_invitation_that_answered_it():
    outcome = hands.lower_hand(invited(raised()), LISTENER)
    assert standing(outcome.stage, LISTENER) is Standing.LISTENING
    assert outcome.happened == (HandUnqueued(LISTENER),)


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (stage(Phase.ENDED), LISTENER, RoomEnded),
        (stage(), STRANGER, NotInRoom),
        (stage(), LISTENER, HandNotRaised),
        (stage(), SPEAKER, HandNotRaised),
        (invited(), LISTENER, HandNotRaised),
    ],
)
def test_lower_hand_refused(before, person, refusal):
    with pytest.raises(refusal):
        hands.lower_hand(before, person)


def test_invite_to_stage_keeps_the_hand_and_its_place_in_the_queue():
    before = raised(raised(), OTHER, NOW + timedelta(seconds=1))
    outcome = hands.invite_to_stage(before, HOST, LISTENER, NOW + timedelta(seconds=2), set())
    place = outcome.stage.places[LISTENER]
    assert (place.standing, place.hand_raised_at, place.invited_by) == (Standing.INVITED, NOW, HOST)
    assert hands.hand_positions(outcome.stage) == {LISTENER: 1, OTHER: 2}
    assert outcome.happened == (HandInvited(LISTENER),)
    assert not place.on_stage


def test_invite_to_stage_without_a_hand_puts_them_on_the_moderators_list_only():
    outcome = hands.invite_to_stage(stage(), HOST, LISTENER, NOW, set())
    assert outcome.happened == (HandQueued(LISTENER), HandInvited(LISTENER))
    assert [place.person for place in outcome.stage.queue()] == [LISTENER]
    assert outcome.stage.hands() == []
    assert hands.hand_positions(outcome.stage) == {}


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (stage(Phase.ENDED), HOST, LISTENER, RoomEnded, None),
        (stage(), STRANGER, LISTENER, NotInRoom, None),
        (stage(), SPEAKER, LISTENER, NotAModerator, None),
        (stage(), LISTENER, LISTENER, NotAModerator, None),
        (stage(), HOST, STRANGER, NotInRoom, "person"),
        (stage(), HOST, GONE, NotInRoom, "person"),
        (stage(), HOST, SPEAKER, AlreadyOnStage, "person"),
        (invited(), HOST, LISTENER, AlreadyInvited, "person"),
    ],
)
def test_invite_to_stage_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        hands.invite_to_stage(before, actor, person, NOW, set())
    assert refused.value.field == field


def test_decline_invitation_takes_invitation_and_hand_away():
    outcome = hands.decline_invitation(invited(raised()), LISTENER)
    place = outcome.stage.places[LISTENER]
    assert (place.standing, place.hand_raised_at, place.invited_at, place.invited_by) == (Standing.LISTENING, None, None, None)
    assert outcome.happened == (HandUnqueued(LISTENER),)


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (stage(Phase.ENDED), LISTENER, RoomEnded),
        (stage(), STRANGER, NotInRoom),
        (stage(), LISTENER, NotInvited),
        (raised(), LISTENER, NotInvited),
        (stage(), SPEAKER, NotInvited),
    ],
)
def test_decline_invitation_refused(before, person, refusal):
    with pytest.raises(refusal):
        hands.decline_invitation(before, person)
