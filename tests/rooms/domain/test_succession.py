from dataclasses import replace
from datetime import timedelta

import pytest

from salon.rooms.domain import lifecycle, stage
from salon.rooms.domain.moderators import name_deputy, revoke_moderator
from salon.rooms.domain.people import UNKNOWN
from salon.rooms.domain.room_stage import MuteChanged, RoleChanged, RoomStage, StageJoined
from salon.rooms.domain.succession import GRACE, needs_grace, succeed, with_grace
from salon.rooms.enums import Phase, Role
from salon.rooms.errors import StageLocked
from tests.rooms.domain.full_room import (
    HOST,
    INVITED,
    LISTENER,
    MODERATOR,
    NOW,
    PEER,
    SPEAKER,
    full_room,
    minutes_ago,
    people_on_stage,
    with_changed,
)

LATER = NOW + GRACE


def without(*people, before=None, **rules) -> RoomStage:
    """The room after these people left, with the grace begun if that needs it."""
    after = before or full_room(**rules)
    for person in people:
        after = lifecycle.leave_room(after, person).stage
    return with_grace(after, NOW)


def roles(after: RoomStage) -> dict:
    return {place.person: place.role for place in after.moderators()}


def test_grace_begins_when_no_moderator_is_left():
    after = without(HOST, MODERATOR, PEER)
    assert after.rules.grace_ends_at == NOW + timedelta(seconds=30)


def test_grace_begins_when_the_host_is_gone_and_their_deputy_is_there():
    assert without(HOST, deputy=PEER).rules.grace_ends_at == LATER


@pytest.mark.parametrize("deputy", [None, MODERATOR])
def test_no_grace_while_another_moderator_runs_the_room(deputy):
    assert without(*filter(None, [HOST, deputy]), deputy=deputy).rules.grace_ends_at is None


def test_no_grace_in_an_empty_room_nor_an_ended_one():
    left = without(HOST, MODERATOR, PEER)
    assert needs_grace(left) is True
    assert needs_grace(left, anybody_in=False) is False
    assert with_grace(left, NOW, anybody_in=False).rules.grace_ends_at is None
    assert needs_grace(replace(left, phase=Phase.ENDED)) is False


def test_grace_runs_on_from_when_it_began():
    assert with_grace(without(HOST, MODERATOR, PEER), LATER).rules.grace_ends_at == LATER


@pytest.mark.parametrize("person", [HOST, MODERATOR, PEER])
def test_grace_ends_when_a_moderator_is_back(person):
    back = lifecycle.enter(without(HOST, MODERATOR, PEER), person, NOW).stage
    assert with_grace(back, NOW).rules.grace_ends_at is None


def test_grace_for_a_deputy_ends_when_they_resign():
    resigned = revoke_moderator(without(HOST, deputy=PEER), PEER, PEER).stage
    assert with_grace(resigned, NOW).rules.grace_ends_at is None


def test_succeed_before_the_grace_is_over_changes_nothing():
    before = without(HOST, deputy=PEER)
    outcome = succeed(before, LATER - timedelta(microseconds=1))
    assert (outcome.stage, outcome.happened) == (before, ())


def test_succeed_where_it_is_no_longer_needed_takes_the_grace_back():
    before = without(HOST, deputy=PEER)
    back = lifecycle.enter(before, HOST, NOW).stage
    assert succeed(back, LATER).stage == with_grace(back, NOW)


def test_succeed_gives_the_role_of_host_to_the_deputy_and_leaves_the_holder_a_moderator():
    outcome = succeed(without(HOST, deputy=MODERATOR), LATER)
    assert roles(outcome.stage) == {MODERATOR: Role.HOST, HOST: Role.MODERATOR, PEER: Role.MODERATOR}
    assert outcome.happened == (RoleChanged(MODERATOR, Role.HOST),)
    assert (outcome.stage.rules.deputy, outcome.stage.rules.grace_ends_at) == (MODERATOR, None)
    assert with_grace(outcome.stage, LATER) == outcome.stage


def test_succeed_gives_it_to_a_deputy_in_the_audience_without_bringing_them_up():
    outcome = succeed(without(HOST, deputy=PEER), LATER)
    assert (roles(outcome.stage)[PEER], people_on_stage(outcome.stage)) == (Role.HOST, [MODERATOR, SPEAKER])
    assert outcome.happened == ()


def test_succeed_without_a_deputy_takes_who_is_on_the_stage_longest_of_those_who_ever_moderated():
    before = full_room()
    for person, minutes in ((LISTENER, 5), (INVITED, 3)):
        before = with_changed(
            before,
            person,
            role=Role.SPEAKER,
            on_stage_since=minutes_ago(minutes),
            hand_raised_at=None,
            invited_at=None,
            invited_by=None,
            ever_moderated=True,
        )
    # The speaker has been up longer than both and never moderated anything.
    outcome = succeed(without(HOST, MODERATOR, PEER, before=before), LATER)
    assert outcome.stage.host.person == LISTENER
    assert outcome.happened == (RoleChanged(LISTENER, Role.HOST),)


def test_succeed_counts_who_moderated_other_rooms_of_the_club():
    outcome = succeed(without(HOST, MODERATOR, PEER), LATER, ever_moderated={SPEAKER})
    place = outcome.stage.places[SPEAKER]
    assert (place.role, place.ever_moderated) == (Role.HOST, True)


def test_succeed_never_promotes_the_audience_nor_who_never_moderated():
    """The listener moderated once, but is not on the stage; the speaker never did."""
    before = with_changed(full_room(), LISTENER, ever_moderated=True)
    outcome = succeed(without(HOST, MODERATOR, PEER, before=before), LATER, ever_moderated={INVITED})
    assert (outcome.stage.rules.host_away, outcome.stage.rules.grace_ends_at) == (True, None)
    assert roles(outcome.stage) == {HOST: Role.HOST, MODERATOR: Role.MODERATOR, PEER: Role.MODERATOR}
    assert outcome.happened == ()
    assert with_grace(outcome.stage, LATER + GRACE) == outcome.stage


def host_away() -> RoomStage:
    return succeed(without(HOST, MODERATOR, PEER), LATER).stage


def test_stage_is_locked_while_the_host_is_away():
    away = host_away()
    assert (away.stage_is_locked, away.rules.stage_locked) == (True, False)
    with pytest.raises(StageLocked):
        stage.accept_invitation(away, INVITED, NOW, UNKNOWN)


@pytest.mark.parametrize("person", [HOST, MODERATOR, PEER])
def test_host_away_ends_when_any_moderator_returns(person):
    back = with_grace(lifecycle.enter(host_away(), person, LATER).stage, LATER)
    assert (back.rules.host_away, back.rules.grace_ends_at, back.stage_is_locked) == (False, None, False)


def test_host_away_becomes_grace_again_when_the_deputy_returns():
    before = without(HOST, MODERATOR, PEER, deputy=PEER)
    away = succeed(before, LATER).stage
    assert away.rules.host_away is True
    back = with_grace(lifecycle.enter(away, PEER, LATER).stage, LATER)
    assert (back.rules.host_away, back.rules.grace_ends_at) == (False, LATER + GRACE)


def test_succeed_frees_a_new_host_from_a_held_mute_and_a_silence():
    before = with_changed(full_room(deputy=MODERATOR), MODERATOR, muted=True, muted_by=HOST, held_at=NOW, held_by=HOST, held_reason="x")
    outcome = succeed(without(HOST, before=with_changed(before, MODERATOR, silenced=True)), LATER)
    place = outcome.stage.places[MODERATOR]
    assert (place.muted, place.held, place.held_by, place.held_reason, place.silenced) == (True, False, None, "", False)
    assert outcome.happened == (RoleChanged(MODERATOR, Role.HOST), MuteChanged(MODERATOR, muted=True, held=False))


def test_host_who_returns_gets_the_role_and_the_stage_back_and_the_deputy_stays():
    stood_in = succeed(without(HOST, deputy=MODERATOR), LATER).stage
    outcome = lifecycle.enter(stood_in, HOST, LATER)
    assert roles(outcome.stage) == {HOST: Role.HOST, MODERATOR: Role.MODERATOR, PEER: Role.MODERATOR}
    assert outcome.happened == (RoleChanged(MODERATOR, Role.MODERATOR), StageJoined(HOST))
    assert outcome.stage.rules.deputy == MODERATOR
    assert people_on_stage(outcome.stage) == [MODERATOR, SPEAKER, HOST]


def test_host_who_returns_displaces_who_stood_in_off_the_stage_without_a_word():
    stood_in = succeed(without(HOST, deputy=PEER), LATER).stage
    outcome = lifecycle.enter(stood_in, HOST, LATER)
    assert outcome.happened == (StageJoined(HOST),)
    assert roles(outcome.stage)[PEER] is Role.MODERATOR


def test_who_stands_in_can_be_succeeded_too():
    stood_in = succeed(without(HOST, deputy=MODERATOR), LATER).stage
    named = name_deputy(stood_in, MODERATOR, PEER).stage
    outcome = succeed(without(MODERATOR, before=named), LATER)
    assert roles(outcome.stage) == {PEER: Role.HOST, HOST: Role.MODERATOR, MODERATOR: Role.MODERATOR}


def test_who_stood_in_and_returns_after_the_host_is_a_moderator():
    stood_in = succeed(without(HOST, deputy=MODERATOR), LATER).stage
    gone = lifecycle.leave_room(stood_in, MODERATOR).stage
    back = lifecycle.enter(lifecycle.enter(gone, HOST, LATER).stage, MODERATOR, LATER).stage
    assert (roles(back)[MODERATOR], back.places[MODERATOR].on_stage) == (Role.MODERATOR, False)


def test_end_of_the_room_ends_the_grace():
    ended = lifecycle.end_empty_room(without(HOST, MODERATOR, PEER)).stage
    assert (ended.rules.grace_ends_at, ended.rules.host_away) == (None, False)
