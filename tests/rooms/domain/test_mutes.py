from dataclasses import replace

import pytest

from salon.rooms.domain import lifecycle, mutes, stage
from salon.rooms.domain.people import UNKNOWN
from salon.rooms.domain.room_stage import MuteChanged, RoomStage, StageJoined
from salon.rooms.enums import HandPolicy, Phase
from salon.rooms.errors import (
    AlreadyMuted,
    CannotActOnModerator,
    CannotActOnOneself,
    MuteHeld,
    NobodyToMute,
    NotAModerator,
    NotHeld,
    NotInRoom,
    NotMuted,
    NotOnStage,
    RoomEnded,
)
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
    full_room,
    minutes_ago,
    with_changed,
)


def muted(person=SPEAKER, by=MODERATOR) -> RoomStage:
    return mutes.mute_speaker(full_room(), by, person).stage


def held(person=SPEAKER, by=MODERATOR, before=None) -> RoomStage:
    return mutes.hold_mute(before or full_room(), by, person, "Music", NOW).stage


def test_mute_and_unmute_oneself():
    outcome = mutes.mute(full_room(), SPEAKER)
    assert (outcome.stage.places[SPEAKER].muted, outcome.stage.places[SPEAKER].muted_by) == (True, None)
    assert outcome.happened == (MuteChanged(SPEAKER, muted=True, held=False),)
    undone = mutes.unmute(outcome.stage, SPEAKER)
    assert undone.stage == full_room()
    assert undone.happened == (MuteChanged(SPEAKER, muted=False, held=False),)


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (full_room(Phase.ENDED), SPEAKER, RoomEnded),
        (full_room(), STRANGER, NotInRoom),
        (full_room(), LISTENER, NotOnStage),
        (muted(), SPEAKER, AlreadyMuted),
        (held(), SPEAKER, AlreadyMuted),
    ],
)
def test_mute_refused(before, person, refusal):
    with pytest.raises(refusal):
        mutes.mute(before, person)


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (full_room(Phase.ENDED), SPEAKER, RoomEnded),
        (full_room(), STRANGER, NotInRoom),
        (full_room(), LISTENER, NotOnStage),
        (full_room(), SPEAKER, NotMuted),
        (held(), SPEAKER, MuteHeld),
    ],
)
def test_unmute_refused(before, person, refusal):
    with pytest.raises(refusal):
        mutes.unmute(before, person)


@pytest.mark.parametrize("person", [SPEAKER, HOST])
def test_mute_speaker_falls_on_anybody_and_they_unmute_at_once(person):
    after = muted(person)
    assert (after.places[person].muted, after.places[person].muted_by) == (True, MODERATOR)
    assert mutes.unmute(after, person).stage == full_room()


def test_mute_speaker_on_oneself_names_nobody():
    assert muted(MODERATOR).places[MODERATOR].muted_by is None


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (full_room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (full_room(), STRANGER, SPEAKER, NotInRoom, None),
        (full_room(), SPEAKER, HOST, NotAModerator, None),
        (full_room(), HOST, STRANGER, NotInRoom, "person"),
        (full_room(), HOST, LISTENER, NotOnStage, "person"),
        (muted(), HOST, SPEAKER, AlreadyMuted, "person"),
    ],
)
def test_mute_speaker_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        mutes.mute_speaker(before, actor, person)
    assert refused.value.field == field


def test_mute_all_closes_every_open_microphone_but_ones_own():
    before = mutes.mute(full_room(), SPEAKER).stage
    outcome = mutes.mute_all(before, MODERATOR)
    assert outcome.happened == (MuteChanged(HOST, muted=True, held=False),)
    assert [place.person for place in outcome.stage.on_stage() if not place.muted] == [MODERATOR]
    assert outcome.stage.places[HOST].muted_by == MODERATOR
    assert outcome.stage.places[SPEAKER].muted_by is None


def test_mute_all_by_a_moderator_in_the_audience_mutes_the_whole_stage():
    outcome = mutes.mute_all(full_room(), PEER)
    assert [happening.person for happening in outcome.happened] == [HOST, MODERATOR, SPEAKER]


@pytest.mark.parametrize(
    ("before", "actor", "refusal"),
    [
        (full_room(Phase.ENDED), HOST, RoomEnded),
        (full_room(), STRANGER, NotInRoom),
        (full_room(), SPEAKER, NotAModerator),
        (mutes.mute_all(full_room(), MODERATOR).stage, MODERATOR, NobodyToMute),
    ],
)
def test_mute_all_refused(before, actor, refusal):
    with pytest.raises(refusal):
        mutes.mute_all(before, actor)


def test_hold_mute_on_the_stage_mutes_with_a_reason():
    outcome = mutes.hold_mute(full_room(), MODERATOR, SPEAKER, "Music", NOW)
    place = outcome.stage.places[SPEAKER]
    assert (place.muted, place.muted_by, place.held_at, place.held_by, place.held_reason) == (True, MODERATOR, NOW, MODERATOR, "Music")
    assert outcome.happened == (MuteChanged(SPEAKER, muted=True, held=True),)


def test_hold_mute_of_somebody_muted_already_is_told():
    outcome = mutes.hold_mute(mutes.mute(full_room(), SPEAKER).stage, MODERATOR, SPEAKER, "Music", NOW)
    assert outcome.happened == (MuteChanged(SPEAKER, muted=True, held=True),)


@pytest.mark.parametrize("person", [LISTENER, INVITED, OUTSIDE])
def test_hold_mute_off_the_stage_waits_for_the_person(person):
    outcome = mutes.hold_mute(full_room(), MODERATOR, person, "Music", NOW)
    place = outcome.stage.places[person]
    assert (place.held, place.muted, place.muted_by) == (True, False, None)
    assert outcome.happened == ()


def test_hold_mute_again_replaces_reason_and_holder_and_keeps_the_time():
    outcome = mutes.hold_mute(held(), HOST, SPEAKER, "Advertising", minutes_ago(-1))
    place = outcome.stage.places[SPEAKER]
    assert (place.held_at, place.held_by, place.muted_by, place.held_reason) == (NOW, HOST, HOST, "Advertising")
    assert outcome.happened == ()


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (full_room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (full_room(), STRANGER, SPEAKER, NotInRoom, None),
        (full_room(), SPEAKER, LISTENER, NotAModerator, None),
        (full_room(), HOST, STRANGER, NotInRoom, "person"),
        (full_room(), HOST, HOST, CannotActOnOneself, "person"),
        (full_room(), MODERATOR, MODERATOR, CannotActOnOneself, "person"),
        (full_room(), MODERATOR, PEER, CannotActOnModerator, "person"),
        (full_room(), MODERATOR, HOST, CannotActOnModerator, "person"),
    ],
)
def test_hold_mute_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        mutes.hold_mute(before, actor, person, "Music", NOW)
    assert refused.value.field == field


def test_hold_mute_of_a_moderator_by_the_host():
    assert held(MODERATOR, by=HOST).places[MODERATOR].held


def test_held_mute_outlasts_stepping_down_and_coming_up_again():
    down = stage.step_down(held(INVITED), SPEAKER).stage
    assert (down.places[SPEAKER].held, down.places[SPEAKER].muted) == (False, False)
    up = stage.accept_invitation(down, INVITED, NOW, UNKNOWN)
    place = up.stage.places[INVITED]
    assert (place.muted, place.muted_by, place.held) == (True, MODERATOR, True)
    down_again = stage.step_down(up.stage, INVITED).stage.places[INVITED]
    assert (down_again.held, down_again.muted, down_again.muted_by) == (True, False, None)


def test_held_mute_outlasts_an_open_stage():
    before = held(LISTENER, before=full_room(hand_policy=HandPolicy.OPEN_STAGE))
    place = stage.step_up(before, LISTENER, NOW, UNKNOWN).stage.places[LISTENER]
    assert (place.muted, place.muted_by, place.held_reason) == (True, MODERATOR, "Music")


@pytest.mark.parametrize(
    "leave",
    [
        lambda room: lifecycle.leave_room(room, SPEAKER),
        lambda room: lifecycle.lose_connection(room, SPEAKER, NOW),
        lambda room: lifecycle.remove_person(room, HOST, SPEAKER),
    ],
    ids=["leave_room", "lose_connection", "remove_person"],
)
def test_held_mute_outlasts_going_and_coming_back(leave):
    back = lifecycle.enter(leave(held()).stage, SPEAKER, NOW).stage
    place = back.places[SPEAKER]
    assert (place.held, place.held_by, place.held_reason) == (True, MODERATOR, "Music")
    assert place.muted is place.on_stage


def test_hold_mute_while_the_connection_is_lost_mutes_the_return():
    lost = lifecycle.lose_connection(full_room(), SPEAKER, NOW).stage
    outcome = lifecycle.enter(held(before=lost), SPEAKER, NOW)
    place = outcome.stage.places[SPEAKER]
    assert (place.on_stage, place.muted, place.muted_by) == (True, True, MODERATOR)
    assert outcome.happened == (StageJoined(SPEAKER),)


@pytest.mark.parametrize("actor", [HOST, MODERATOR, PEER])
def test_release_mute_by_any_moderator_leaves_a_plain_mute(actor):
    outcome = mutes.release_mute(held(), actor, SPEAKER)
    place = outcome.stage.places[SPEAKER]
    assert (place.muted, place.held_at, place.held_by, place.held_reason) == (True, None, None, "")
    assert outcome.happened == (MuteChanged(SPEAKER, muted=True, held=False),)
    assert mutes.unmute(outcome.stage, SPEAKER).stage == full_room()


def test_release_mute_off_the_stage_is_told_to_nobody():
    outcome = mutes.release_mute(held(LISTENER), HOST, LISTENER)
    assert (outcome.stage, outcome.happened) == (full_room(), ())


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (replace(held(), phase=Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (held(), STRANGER, SPEAKER, NotInRoom, None),
        (held(), SPEAKER, SPEAKER, NotAModerator, None),
        (held(), HOST, STRANGER, NotInRoom, "person"),
        (muted(), HOST, SPEAKER, NotHeld, "person"),
        (with_changed(held(), SPEAKER, held_at=None), HOST, SPEAKER, NotHeld, "person"),
        (held(MODERATOR, by=HOST), MODERATOR, MODERATOR, CannotActOnOneself, "person"),
    ],
)
def test_release_mute_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        mutes.release_mute(before, actor, person)
    assert refused.value.field == field
