"""Inviting the next, inviting several, and clearing the queue: the rest of the hands is in test_hands.py."""

from dataclasses import replace

import pytest

from salon.rooms.domain import hands, stage
from salon.rooms.domain.people import UNKNOWN, Acquaintance
from salon.rooms.domain.room_stage import HandInvited, HandQueued, HandsCleared, RoomStage
from salon.rooms.domain.standing import Standing
from salon.rooms.enums import Phase
from salon.rooms.errors import CannotComeUp, NobodyToInvite, NoHands, NotAModerator, NotInRoom, RoomEnded, StageLocked
from tests.rooms.domain.full_room import (
    HOST,
    INVITED,
    LISTENER,
    MODERATOR,
    NOW,
    OUTSIDE,
    PEER,
    SPEAKER,
    STRANGER,
    WAITING,
    full_room,
    minutes_ago,
    with_changed,
)


def waiting_room(**rules) -> RoomStage:
    """Three hands are up and uninvited: `waiting`, then the peer, then the listener; `waiting` has spoken before."""
    before = with_changed(full_room(**rules), WAITING, has_spoken=True)
    before = with_changed(before, PEER, hand_raised_at=minutes_ago(3))
    return with_changed(before, LISTENER, hand_raised_at=minutes_ago(2))


def invited_in(outcome) -> list:
    return [happening.person for happening in outcome.happened if isinstance(happening, HandInvited)]


@pytest.mark.parametrize(("count", "expected"), [(1, [WAITING]), (2, [WAITING, PEER]), (10, [WAITING, PEER, LISTENER])])
def test_invite_next_takes_the_oldest_who_are_not_invited(count, expected):
    outcome = hands.invite_next(waiting_room(), MODERATOR, NOW, count=count, blocked_by={})
    assert outcome.happened == tuple(map(HandInvited, expected))
    assert [outcome.stage.places[person].invited_by for person in expected] == [MODERATOR] * len(expected)


def test_invite_next_with_the_fair_floor_takes_who_has_not_spoken_first():
    outcome = hands.invite_next(waiting_room(fair_floor=True), MODERATOR, NOW, count=2, blocked_by={})
    assert invited_in(outcome) == [PEER, LISTENER]


def test_invite_next_passes_over_whom_somebody_on_the_stage_has_blocked():
    blocked_by = {WAITING: {SPEAKER}, PEER: {LISTENER}}
    assert invited_in(hands.invite_next(waiting_room(), MODERATOR, NOW, blocked_by=blocked_by)) == [PEER]


def test_invite_next_while_the_stage_is_locked_reaches_moderators_only():
    assert invited_in(hands.invite_next(waiting_room(stage_locked=True), MODERATOR, NOW, count=3, blocked_by={})) == [PEER]


@pytest.mark.parametrize(
    ("before", "actor", "refusal"),
    [
        (full_room(Phase.ENDED), HOST, RoomEnded),
        (full_room(), STRANGER, NotInRoom),
        (full_room(), SPEAKER, NotAModerator),
        (with_changed(full_room(), WAITING, hand_raised_at=None), HOST, NoHands),
        (full_room(stage_locked=True), HOST, StageLocked),
        (full_room(host_away=True), HOST, StageLocked),
    ],
)
def test_invite_next_refused(before, actor, refusal):
    with pytest.raises(refusal):
        hands.invite_next(before, actor, NOW, blocked_by={})


def test_invite_next_refused_where_all_who_wait_are_blocked():
    with pytest.raises(NobodyToInvite):
        hands.invite_next(full_room(), HOST, NOW, blocked_by={WAITING: {SPEAKER}})


def test_invite_several_passes_over_whoever_cannot_be_invited():
    people = [OUTSIDE, STRANGER, SPEAKER, INVITED, LISTENER, PEER, LISTENER, WAITING]
    outcome = hands.invite_several(full_room(), MODERATOR, people, NOW, {PEER: {HOST}})
    assert outcome.happened == (HandQueued(LISTENER), HandInvited(LISTENER), HandInvited(WAITING))
    assert [place.person for place in outcome.stage.queue()] == [WAITING, INVITED, LISTENER]


def test_invite_several_queues_them_in_the_order_given():
    outcome = hands.invite_several(full_room(), MODERATOR, [PEER, LISTENER], NOW, {})
    assert [place.person for place in outcome.stage.queue()] == [WAITING, INVITED, PEER, LISTENER]


def test_invite_several_while_the_stage_is_locked_reaches_moderators_only():
    assert invited_in(hands.invite_several(full_room(stage_locked=True), MODERATOR, [LISTENER, PEER], NOW, {})) == [PEER]


@pytest.mark.parametrize(
    ("before", "actor", "people", "refusal"),
    [
        (full_room(Phase.ENDED), HOST, [LISTENER], RoomEnded),
        (full_room(), STRANGER, [LISTENER], NotInRoom),
        (full_room(), SPEAKER, [LISTENER], NotAModerator),
        (full_room(), HOST, [STRANGER, OUTSIDE, SPEAKER, INVITED], NobodyToInvite),
        (full_room(stage_locked=True), HOST, [LISTENER], StageLocked),
        (full_room(stage_locked=True), HOST, [SPEAKER], NobodyToInvite),
    ],
)
def test_invite_several_refused(before, actor, people, refusal):
    with pytest.raises(refusal):
        hands.invite_several(before, actor, people, NOW, {})


def test_invite_to_stage_refused_where_somebody_on_the_stage_has_blocked_them():
    assert hands.invite_to_stage(full_room(), HOST, LISTENER, NOW, {WAITING, STRANGER}).stage.places[LISTENER].invited_at
    with pytest.raises(CannotComeUp) as refused:
        hands.invite_to_stage(full_room(), HOST, LISTENER, NOW, {SPEAKER})
    assert refused.value.field == "person"


@pytest.mark.parametrize("rules", [{"stage_locked": True}, {"host_away": True}])
def test_invite_to_stage_while_it_is_locked_is_for_moderators(rules):
    before = full_room(**rules)
    assert hands.invite_to_stage(before, HOST, PEER, NOW, set()).stage.places[PEER].standing is Standing.INVITED
    with pytest.raises(StageLocked) as refused:
        hands.invite_to_stage(before, HOST, LISTENER, NOW, set())
    assert refused.value.field is None


def test_accept_invitation_while_the_stage_is_locked_keeps_the_invitation_for_later():
    locked = full_room(stage_locked=True)
    with pytest.raises(StageLocked):
        stage.accept_invitation(locked, INVITED, NOW, UNKNOWN)
    assert stage.accept_invitation(replace(locked, rules=full_room().rules), INVITED, NOW, UNKNOWN).stage.places[INVITED].on_stage


def test_accept_invitation_by_a_moderator_while_the_stage_is_locked():
    before = hands.invite_to_stage(full_room(stage_locked=True), PEER, PEER, NOW, set()).stage
    assert stage.accept_invitation(before, PEER, NOW, UNKNOWN).stage.places[PEER].on_stage


def test_accept_invitation_refused_where_somebody_on_the_stage_has_blocked_them_since():
    assert stage.accept_invitation(full_room(), INVITED, NOW, Acquaintance(blocked_by=frozenset({LISTENER}))).stage.places[INVITED].on_stage
    with pytest.raises(CannotComeUp) as refused:
        stage.accept_invitation(full_room(), INVITED, NOW, Acquaintance(blocked_by=frozenset({SPEAKER})))
    assert refused.value.field is None


def test_clear_hands_takes_down_every_hand_and_invitation():
    before = hands.invite_to_stage(full_room(), HOST, LISTENER, NOW, set()).stage
    outcome = hands.clear_hands(before, MODERATOR)
    assert outcome.stage.queue() == []
    assert {outcome.stage.places[person].standing for person in (WAITING, INVITED, LISTENER)} == {Standing.LISTENING}
    assert outcome.happened == (HandsCleared(),)


@pytest.mark.parametrize(
    ("before", "actor", "refusal"),
    [
        (full_room(Phase.ENDED), HOST, RoomEnded),
        (full_room(), STRANGER, NotInRoom),
        (full_room(), SPEAKER, NotAModerator),
        (hands.clear_hands(full_room(), HOST).stage, HOST, NoHands),
    ],
)
def test_clear_hands_refused(before, actor, refusal):
    with pytest.raises(refusal):
        hands.clear_hands(before, actor)


def test_queue_stays_oldest_first_with_the_fair_floor():
    fair = waiting_room(fair_floor=True)
    assert [place.person for place in fair.queue()] == [WAITING, INVITED, PEER, LISTENER]
    assert hands.hand_positions(fair) == {INVITED: 1, PEER: 2, LISTENER: 3, WAITING: 4}
