from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from salon.rooms.domain import hands, lifecycle, mutes, stage
from salon.rooms.domain.people import UNKNOWN
from salon.rooms.domain.room_stage import (
    HandsCleared,
    HandUnqueued,
    Outcome,
    PersonId,
    RoomClosed,
    RoomStage,
    StageJoined,
    StageLeft,
    StagePlace,
    StageRules,
)
from salon.rooms.domain.standing import Standing
from salon.rooms.domain.succession import with_host
from salon.rooms.enums import EndReason, Phase, Role, StageLeftReason, Status
from salon.rooms.errors import CannotActOnModerator, NotAModerator, NotInRoom, RoomEnded

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
HOST, MODERATOR, PEER, SPEAKER, LISTENER, STRANGER = map(PersonId, ("host", "moderator", "peer", "speaker", "listener", "stranger"))
OUTSIDE = PersonId("outside")


def room(phase=Phase.LIVE) -> RoomStage:
    def place(person, csrc, role, minutes=None, is_in=True):
        since = NOW - timedelta(minutes=minutes) if minutes else None
        return StagePlace(person=person, csrc=csrc, role=role, on_stage_since=since, is_in=is_in)

    places = [
        place(HOST, 1, Role.HOST, 9),
        place(MODERATOR, 2, Role.MODERATOR, 8),
        place(PEER, 3, Role.MODERATOR),
        place(SPEAKER, 4, Role.SPEAKER, 6),
        place(LISTENER, 5, Role.LISTENER),
        place(OUTSIDE, 6, Role.LISTENER, is_in=False),
    ]
    return RoomStage(phase, {each.person: each for each in places})


def test_enter_leads_into_the_audience():
    outcome = lifecycle.enter(room(), OUTSIDE, NOW)
    assert outcome.stage.places[OUTSIDE].standing is Standing.LISTENING
    assert outcome.happened == ()


def test_enter_again_changes_nothing():
    assert lifecycle.enter(room(), SPEAKER, NOW).stage == room()


def test_enter_an_ended_room_refused():
    with pytest.raises(RoomEnded):
        lifecycle.enter(room(Phase.ENDED), OUTSIDE, NOW)


def test_enter_brings_the_host_back_to_the_stage():
    away = lifecycle.leave_room(room(), HOST).stage
    outcome = lifecycle.enter(away, HOST, NOW)
    assert [place.person for place in outcome.stage.on_stage()] == [MODERATOR, SPEAKER, HOST]
    assert outcome.stage.places[HOST].role is Role.HOST
    assert outcome.happened == (StageJoined(HOST),)


def test_leave_room_from_the_stage_and_return_as_a_listener():
    outcome = lifecycle.leave_room(room(), SPEAKER)
    assert outcome.happened == (StageLeft(SPEAKER, StageLeftReason.LEFT),)
    assert lifecycle.enter(outcome.stage, SPEAKER, NOW).stage.places[SPEAKER].standing is Standing.LISTENING


def test_leave_room_takes_the_hand_down():
    outcome = lifecycle.leave_room(hands.raise_hand(room(), LISTENER, NOW, UNKNOWN).stage, LISTENER)
    assert outcome.happened == (HandUnqueued(LISTENER),)
    assert outcome.stage.queue() == []


@pytest.mark.parametrize(("before", "refusal"), [(room(Phase.ENDED), RoomEnded), (room(), NotInRoom)])
def test_leave_room_refused(before, refusal):
    with pytest.raises(refusal):
        lifecycle.leave_room(before, OUTSIDE)


@pytest.mark.parametrize("muted", [True, False])
def test_lose_connection_keeps_the_stage_and_the_mute_for_two_minutes(muted):
    before = mutes.mute_speaker(room(), MODERATOR, SPEAKER).stage if muted else room()
    outcome = lifecycle.lose_connection(before, SPEAKER, NOW)
    assert outcome.happened == (StageLeft(SPEAKER, StageLeftReason.LEFT),)
    assert outcome.stage.places[SPEAKER].standing is Standing.OUT
    back = lifecycle.enter(outcome.stage, SPEAKER, NOW + timedelta(minutes=2)).stage.places[SPEAKER]
    assert (back.standing, back.role, back.muted) == (Standing.ON_STAGE, Role.SPEAKER, muted)
    assert (back.muted_by, back.stage_lost_at) == (MODERATOR if muted else None, None)


def test_lose_connection_longer_than_two_minutes_costs_the_stage():
    lost = lifecycle.lose_connection(mutes.mute(room(), SPEAKER).stage, SPEAKER, NOW).stage
    back = lifecycle.enter(lost, SPEAKER, NOW + timedelta(minutes=2, microseconds=1)).stage.places[SPEAKER]
    assert (back.standing, back.role, back.muted) == (Standing.LISTENING, Role.LISTENER, False)


def test_lose_connection_on_a_call_keeps_the_stage_and_the_status_for_ten_minutes():
    on_a_call = stage.set_status(room(), SPEAKER, Status.ON_A_CALL).stage
    lost = lifecycle.lose_connection(on_a_call, SPEAKER, NOW).stage
    back = lifecycle.enter(lost, SPEAKER, NOW + timedelta(minutes=10)).stage.places[SPEAKER]
    assert (back.standing, back.status) == (Standing.ON_STAGE, Status.ON_A_CALL)
    late = lifecycle.enter(lost, SPEAKER, NOW + timedelta(minutes=10, microseconds=1)).stage.places[SPEAKER]
    assert (late.standing, late.status) == (Standing.LISTENING, None)


def test_return_of_who_lost_the_connection_is_not_stopped_by_a_stage_lock():
    lost = lifecycle.lose_connection(room(), SPEAKER, NOW).stage
    locked = replace(lost, rules=StageRules(stage_locked=True))
    assert lifecycle.enter(locked, SPEAKER, NOW).stage.places[SPEAKER].standing is Standing.ON_STAGE


def test_lose_connection_in_the_audience_keeps_nothing():
    lost = lifecycle.lose_connection(room(), LISTENER, NOW).stage
    assert lost.places[LISTENER].stage_lost_at is None


def test_remove_person_ends_what_they_have_and_raises_their_epoch():
    outcome = lifecycle.remove_person(room(), MODERATOR, SPEAKER)
    place = outcome.stage.places[SPEAKER]
    assert (place.standing, place.role, place.epoch) == (Standing.OUT, Role.LISTENER, 1)
    assert outcome.happened == (StageLeft(SPEAKER, StageLeftReason.REMOVED),)


def test_remove_person_who_just_left_keeps_them_out_too():
    outcome = lifecycle.remove_person(room(), MODERATOR, OUTSIDE)
    assert (outcome.stage.places[OUTSIDE].epoch, outcome.happened) == (1, ())


def test_remove_person_gives_up_a_stage_that_waited_for_them():
    lost = lifecycle.lose_connection(room(), SPEAKER, NOW).stage
    removed = lifecycle.remove_person(lost, MODERATOR, SPEAKER).stage
    assert lifecycle.enter(removed, SPEAKER, NOW).stage.places[SPEAKER].standing is Standing.LISTENING


def test_remove_person_makes_a_removed_moderator_none():
    assert lifecycle.remove_person(room(), HOST, PEER).stage.places[PEER].role is Role.LISTENER


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (room(), OUTSIDE, SPEAKER, NotInRoom, None),
        (room(), SPEAKER, LISTENER, NotAModerator, None),
        (room(), HOST, STRANGER, NotInRoom, "person"),
        (room(), MODERATOR, PEER, CannotActOnModerator, "person"),
        (room(), MODERATOR, HOST, CannotActOnModerator, "person"),
        (room(), MODERATOR, MODERATOR, CannotActOnModerator, "person"),
        (room(), HOST, HOST, CannotActOnModerator, "person"),
    ],
)
def test_remove_person_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        lifecycle.remove_person(before, actor, person)
    assert refused.value.field == field


def test_remove_person_on_a_call_leaves_no_status():
    lost = lifecycle.lose_connection(stage.set_status(room(), SPEAKER, Status.ON_A_CALL).stage, SPEAKER, NOW).stage
    assert lifecycle.remove_person(lost, HOST, SPEAKER).stage.places[SPEAKER].status is None


@pytest.mark.parametrize("actor", [HOST, MODERATOR, PEER])
def test_undo_removal_by_any_moderator_changes_nothing_on_the_stage(actor):
    assert lifecycle.undo_removal(room(), actor) == Outcome(room())


@pytest.mark.parametrize(
    ("before", "actor", "refusal"),
    [(room(Phase.ENDED), HOST, RoomEnded), (room(), STRANGER, NotInRoom), (room(), SPEAKER, NotAModerator)],
)
def test_undo_removal_refused(before, actor, refusal):
    with pytest.raises(refusal):
        lifecycle.undo_removal(before, actor)


def test_cut_off_raises_the_epoch_and_nothing_else():
    before = room()
    after = lifecycle.cut_off(before, SPEAKER).stage
    assert after.places[SPEAKER] == replace(before.places[SPEAKER], epoch=1)


@pytest.mark.parametrize("actor", [HOST, MODERATOR])
def test_end_room_puts_everybody_out(actor):
    outcome = lifecycle.end_room(hands.raise_hand(room(), LISTENER, NOW, UNKNOWN).stage, actor)
    assert outcome.stage.phase is Phase.ENDED
    assert {place.standing for place in outcome.stage.places.values()} == {Standing.OUT}
    assert outcome.happened == (HandsCleared(), RoomClosed(EndReason.ENDED))


def test_end_room_by_a_host_who_is_outside():
    away = lifecycle.leave_room(room(), HOST).stage
    assert lifecycle.end_room(away, HOST).stage.phase is Phase.ENDED


def test_end_room_by_who_opened_it_while_somebody_stands_in_for_them():
    away = lifecycle.leave_room(room(), HOST).stage
    stood_in = with_host(replace(away, rules=StageRules(opener=HOST)), MODERATOR).stage
    assert stood_in.places[HOST].role is Role.MODERATOR
    assert lifecycle.end_room(stood_in, HOST).stage.phase is Phase.ENDED


@pytest.mark.parametrize(
    ("before", "actor", "refusal"),
    [
        (room(Phase.ENDED), HOST, RoomEnded),
        (room(), SPEAKER, NotAModerator),
        (room(), STRANGER, NotInRoom),
        (lifecycle.leave_room(room(), MODERATOR).stage, MODERATOR, NotInRoom),
    ],
)
def test_end_room_refused(before, actor, refusal):
    with pytest.raises(refusal):
        lifecycle.end_room(before, actor)


def test_end_empty_room():
    outcome = lifecycle.end_empty_room(RoomStage(Phase.LIVE, {}))
    assert outcome.happened == (RoomClosed(EndReason.EMPTY),)
