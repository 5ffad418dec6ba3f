import pytest

from salon.rooms.domain import hands, mutes, stage
from salon.rooms.domain.people import UNKNOWN, Acquaintance
from salon.rooms.domain.room_stage import HandUnqueued, Outcome, RoomStage, StageJoined, StageLeft, StatusChanged
from salon.rooms.domain.standing import Standing
from salon.rooms.enums import HandPolicy, Phase, Role, StageLeftReason, Status
from salon.rooms.errors import (
    AlreadyOnStage,
    CannotActOnModerator,
    CannotComeUp,
    NotAModerator,
    NotInRoom,
    NotInvited,
    NotOnStage,
    RoomEnded,
    StageLocked,
    StageNotOpen,
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
    WAITING,
    full_room,
    minutes_ago,
    people_on_stage,
    with_changed,
)


def invited() -> RoomStage:
    return hands.invite_to_stage(hands.raise_hand(full_room(), LISTENER, NOW, UNKNOWN).stage, MODERATOR, LISTENER, NOW, set()).stage


def muted(person=SPEAKER, by=MODERATOR) -> RoomStage:
    return mutes.mute_speaker(full_room(), by, person).stage


def test_accept_invitation_brings_the_invited_up_last_and_unmuted():
    outcome = stage.accept_invitation(invited(), LISTENER, NOW, UNKNOWN)
    place = outcome.stage.places[LISTENER]
    assert people_on_stage(outcome.stage) == [HOST, MODERATOR, SPEAKER, LISTENER]
    assert (place.role, place.muted, place.queued_at, place.invited_by) == (Role.SPEAKER, False, None, None)
    assert outcome.happened == (HandUnqueued(LISTENER), StageJoined(LISTENER))


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (full_room(Phase.ENDED), LISTENER, RoomEnded),
        (full_room(), STRANGER, NotInRoom),
        (full_room(), LISTENER, NotInvited),
        (hands.raise_hand(full_room(), LISTENER, NOW, UNKNOWN).stage, LISTENER, NotInvited),
        (full_room(), SPEAKER, AlreadyOnStage),
    ],
)
def test_accept_invitation_refused(before, person, refusal):
    with pytest.raises(refusal):
        stage.accept_invitation(before, person, NOW, UNKNOWN)


def test_step_down_makes_a_speaker_a_listener():
    outcome = stage.step_down(full_room(), SPEAKER)
    place = outcome.stage.places[SPEAKER]
    assert (place.role, place.standing) == (Role.LISTENER, Standing.LISTENING)
    assert outcome.happened == (StageLeft(SPEAKER, StageLeftReason.STEPPED_DOWN),)


def test_step_down_keeps_a_moderators_role_and_they_come_back_by_their_own_invitation():
    down = stage.step_down(full_room(), MODERATOR).stage
    assert down.places[MODERATOR].role is Role.MODERATOR
    back = stage.accept_invitation(hands.invite_to_stage(down, MODERATOR, MODERATOR, NOW, set()).stage, MODERATOR, NOW, UNKNOWN).stage
    assert (back.places[MODERATOR].role, back.places[MODERATOR].on_stage) == (Role.MODERATOR, True)


def test_step_down_ends_a_mute():
    assert stage.step_down(muted(), SPEAKER).stage.places[SPEAKER].muted is False


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (full_room(Phase.ENDED), SPEAKER, RoomEnded),
        (full_room(), STRANGER, NotInRoom),
        (full_room(), LISTENER, NotOnStage),
        (hands.raise_hand(full_room(), LISTENER, NOW, UNKNOWN).stage, LISTENER, NotOnStage),
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
    outcome = stage.move_to_audience(full_room(), actor, person)
    assert outcome.stage.places[person].standing is Standing.LISTENING
    assert outcome.happened == (StageLeft(person, StageLeftReason.MOVED),)


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (full_room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (full_room(), STRANGER, SPEAKER, NotInRoom, None),
        (full_room(), SPEAKER, PEER, NotAModerator, None),
        (full_room(), HOST, STRANGER, NotInRoom, "person"),
        (full_room(), HOST, LISTENER, NotOnStage, "person"),
        (with_changed(full_room(), PEER, on_stage_since=minutes_ago(3)), MODERATOR, PEER, CannotActOnModerator, "person"),
        (full_room(), MODERATOR, HOST, CannotActOnModerator, "person"),
    ],
)
def test_move_to_audience_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        stage.move_to_audience(before, actor, person)
    assert refused.value.field == field


def open_room(**rules) -> RoomStage:
    return full_room(**{"hand_policy": HandPolicy.OPEN_STAGE, **rules})


@pytest.mark.parametrize("person", [LISTENER, WAITING, INVITED, PEER])
def test_step_up_from_anywhere_in_the_audience_and_muted(person):
    before = open_room()
    outcome = stage.step_up(before, person, NOW, UNKNOWN)
    place = outcome.stage.places[person]
    assert (place.standing, place.muted, place.muted_by, place.queued_at) == (Standing.ON_STAGE, True, None, None)
    assert place.role is (Role.MODERATOR if person == PEER else Role.SPEAKER)
    assert outcome.happened == (*([HandUnqueued(person)] if before.places[person].queued_at else []), StageJoined(person))
    assert people_on_stage(outcome.stage)[-1] == person


@pytest.mark.parametrize("rules", [{"stage_locked": True}, {"host_away": True}])
def test_step_up_while_the_stage_is_locked_is_for_moderators(rules):
    before = open_room(**rules)
    assert stage.step_up(before, PEER, NOW, UNKNOWN).stage.places[PEER].on_stage
    with pytest.raises(StageLocked):
        stage.step_up(before, LISTENER, NOW, UNKNOWN)


@pytest.mark.parametrize("person", [LISTENER, PEER])
def test_step_up_refused_where_somebody_on_the_stage_has_blocked_them(person):
    with pytest.raises(CannotComeUp):
        stage.step_up(open_room(), person, NOW, Acquaintance(blocked_by=frozenset({SPEAKER})))


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [
        (full_room(Phase.ENDED), LISTENER, RoomEnded),
        (open_room(), STRANGER, NotInRoom),
        (open_room(), OUTSIDE, NotInRoom),
        (full_room(), LISTENER, StageNotOpen),
        (full_room(), PEER, StageNotOpen),
        (open_room(), SPEAKER, AlreadyOnStage),
    ],
)
def test_step_up_refused(before, person, refusal):
    with pytest.raises(refusal):
        stage.step_up(before, person, NOW, UNKNOWN)


def test_set_status_and_take_it_back():
    outcome = stage.set_status(full_room(), SPEAKER, Status.ON_A_CALL)
    assert outcome.stage == with_changed(full_room(), SPEAKER, status=Status.ON_A_CALL)
    assert outcome.happened == (StatusChanged(SPEAKER, Status.ON_A_CALL),)
    undone = stage.set_status(outcome.stage, SPEAKER, None)
    assert (undone.stage, undone.happened) == (full_room(), (StatusChanged(SPEAKER, None),))


@pytest.mark.parametrize("status", [None, Status.ON_A_CALL])
def test_set_status_again_changes_nothing(status):
    before = with_changed(full_room(), SPEAKER, status=status)
    assert stage.set_status(before, SPEAKER, status) == Outcome(before)


def test_step_down_ends_a_status():
    before = with_changed(full_room(), SPEAKER, status=Status.ON_A_CALL)
    assert stage.step_down(before, SPEAKER).stage.places[SPEAKER].status is None


@pytest.mark.parametrize(
    ("before", "person", "refusal"),
    [(full_room(Phase.ENDED), SPEAKER, RoomEnded), (full_room(), STRANGER, NotInRoom), (full_room(), LISTENER, NotOnStage)],
)
def test_set_status_refused(before, person, refusal):
    with pytest.raises(refusal):
        stage.set_status(before, person, Status.ON_A_CALL)
