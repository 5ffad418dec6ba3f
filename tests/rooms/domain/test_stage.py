from datetime import UTC, datetime, timedelta

import pytest

from salon.rooms.domain import hands, stage
from salon.rooms.domain.room_stage import HandUnqueued, MuteChanged, PersonId, RoomStage, StageJoined, StageLeft, StagePlace
from salon.rooms.domain.standing import Standing
from salon.rooms.enums import Phase, Role, StageLeftReason
from salon.rooms.errors import (
    AlreadyMuted,
    AlreadyOnStage,
    CannotActOnModerator,
    NotAModerator,
    NotInRoom,
    NotInvited,
    NotMuted,
    NotOnStage,
    RoomEnded,
)

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
HOST, MODERATOR, PEER, SPEAKER, LISTENER, STRANGER = map(PersonId, ("host", "moderator", "peer", "speaker", "listener", "stranger"))


def room(phase=Phase.LIVE) -> RoomStage:
    def place(person, csrc, role, minutes=None):
        return StagePlace(person=person, csrc=csrc, role=role, on_stage_since=NOW - timedelta(minutes=minutes) if minutes else None)

    places = [
        place(HOST, 1, Role.HOST, 9),
        place(MODERATOR, 2, Role.MODERATOR, 8),
        place(PEER, 3, Role.MODERATOR, 7),
        place(SPEAKER, 4, Role.SPEAKER, 6),
        place(LISTENER, 5, Role.LISTENER),
    ]
    return RoomStage(phase, {each.person: each for each in places})


def invited() -> RoomStage:
    return hands.invite_to_stage(hands.raise_hand(room(), LISTENER, NOW).stage, MODERATOR, LISTENER, NOW).stage


def muted(person=SPEAKER, by=MODERATOR) -> RoomStage:
    return stage.mute_speaker(room(), by, person).stage


def test_accept_invitation_brings_the_invited_up_last_and_unmuted():
    outcome = stage.accept_invitation(invited(), LISTENER, NOW)
    place = outcome.stage.places[LISTENER]
    assert [p.person for p in outcome.stage.on_stage()] == [HOST, MODERATOR, PEER, SPEAKER, LISTENER]
    assert (place.role, place.muted, place.queued_at, place.invited_by) == (Role.SPEAKER, False, None, None)
    assert outcome.happened == (HandUnqueued(LISTENER), StageJoined(LISTENER))


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (room(Phase.ENDED), LISTENER, RoomEnded),
        (room(), STRANGER, NotInRoom),
        (room(), LISTENER, NotInvited),
        (hands.raise_hand(room(), LISTENER, NOW).stage, LISTENER, NotInvited),
        (room(), SPEAKER, AlreadyOnStage),
    ],
)
def test_accept_invitation_refused(before, person, refusal):
    with pytest.raises(refusal):
        stage.accept_invitation(before, person, NOW)


def test_step_down_makes_a_speaker_a_listener():
    outcome = stage.step_down(room(), SPEAKER)
    place = outcome.stage.places[SPEAKER]
    assert (place.role, place.standing) == (Role.LISTENER, Standing.LISTENING)
    assert outcome.happened == (StageLeft(SPEAKER, StageLeftReason.STEPPED_DOWN),)


def test_step_down_keeps_a_moderators_role_and_they_come_back_by_their_own_invitation():
    down = stage.step_down(room(), MODERATOR).stage
    assert down.places[MODERATOR].role is Role.MODERATOR
    back = stage.accept_invitation(hands.invite_to_stage(down, MODERATOR, MODERATOR, NOW).stage, MODERATOR, NOW).stage
    assert (back.places[MODERATOR].role, back.places[MODERATOR].on_stage) == (Role.MODERATOR, True)


def test_step_down_ends_a_mute():
    assert stage.step_down(muted(), SPEAKER).stage.places[SPEAKER].muted is False


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (room(Phase.ENDED), SPEAKER, RoomEnded),
        (room(), STRANGER, NotInRoom),
        (room(), LISTENER, NotOnStage),
        (hands.raise_hand(room(), LISTENER, NOW).stage, LISTENER, NotOnStage),
        (invited(), LISTENER, NotOnStage),
    ],
)
def test_step_down_refused(before, person, refusal):
    with pytest.raises(refusal):
        stage.step_down(before, person)


@pytest.mark.parametrize(
    ("actor", "person"), [(MODERATOR, SPEAKER), (HOST, SPEAKER), (HOST, MODERATOR), (MODERATOR, MODERATOR), (HOST, HOST)]
)
def test_move_to_audience(actor, person):
    outcome = stage.move_to_audience(room(), actor, person)
    assert outcome.stage.places[person].standing is Standing.LISTENING
    assert outcome.happened == (StageLeft(person, StageLeftReason.MOVED),)


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (room(), STRANGER, SPEAKER, NotInRoom, None),
        (room(), SPEAKER, PEER, NotAModerator, None),
        (room(), HOST, STRANGER, NotInRoom, "person"),
        (room(), HOST, LISTENER, NotOnStage, "person"),
        (room(), MODERATOR, PEER, CannotActOnModerator, "person"),
        (room(), MODERATOR, HOST, CannotActOnModerator, "person"),
    ],
)
def test_move_to_audience_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        stage.move_to_audience(before, actor, person)
    assert refused.value.field == field


def test_mute_and_unmute_oneself():
    outcome = stage.mute(room(), SPEAKER)
    assert (outcome.stage.places[SPEAKER].muted, outcome.stage.places[SPEAKER].muted_by) == (True, None)
    assert outcome.happened == (MuteChanged(SPEAKER, muted=True, held=False),)
    undone = stage.unmute(outcome.stage, SPEAKER)
    assert undone.stage == room()
    assert undone.happened == (MuteChanged(SPEAKER, muted=False, held=False),)


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (room(Phase.ENDED), SPEAKER, RoomEnded),
        (room(), STRANGER, NotInRoom),
        (room(), LISTENER, NotOnStage),
        (muted(), SPEAKER, AlreadyMuted),
    ],
)
def test_mute_refused(before, person, refusal):
    with pytest.raises(refusal):
        stage.mute(before, person)


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (room(Phase.ENDED), SPEAKER, RoomEnded),
        (room(), STRANGER, NotInRoom),
        (room(), LISTENER, NotOnStage),
        (room(), SPEAKER, NotMuted),
    ],
)
def test_unmute_refused(before, person, refusal):
    with pytest.raises(refusal):
        stage.unmute(before, person)


@pytest.mark.parametrize("person", [SPEAKER, PEER, HOST])
def test_mute_speaker_falls_on_anybody_and_they_unmute_at_once(person):
    after = muted(person)
    assert (after.places[person].muted, after.places[person].muted_by) == (True, MODERATOR)
    assert stage.unmute(after, person).stage == room()


def test_mute_speaker_on_oneself_names_nobody():
    assert muted(MODERATOR).places[MODERATOR].muted_by is None


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (room(), STRANGER, SPEAKER, NotInRoom, None),
        (room(), SPEAKER, HOST, NotAModerator, None),
        (room(), HOST, STRANGER, NotInRoom, "person"),
        (room(), HOST, LISTENER, NotOnStage, "person"),
        (muted(), HOST, SPEAKER, AlreadyMuted, "person"),
    ],
)
def test_mute_speaker_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        stage.mute_speaker(before, actor, person)
    assert refused.value.field == field
