import pytest

from salon.rooms.domain import lifecycle
from salon.rooms.domain.moderators import appoint_moderator, name_deputy, revoke_moderator
from salon.rooms.domain.room_stage import RoleChanged
from salon.rooms.domain.standing import Standing
from salon.rooms.enums import Phase, Role
from salon.rooms.errors import (
    AlreadyModerator,
    CannotActOnModerator,
    CannotActOnOneself,
    NotAModerator,
    NotInRoom,
    NotModerating,
    OnlyHost,
    RoomEnded,
)
from tests.rooms.domain.full_room import (
    HOST,
    LISTENER,
    MODERATOR,
    NOW,
    OUTSIDE,
    PEER,
    SPEAKER,
    STRANGER,
    WAITING,
    full_room,
    with_changed,
)


def host_stood_in_for():
    """Who opened the room is out, and the moderator stands in for them."""
    away = lifecycle.leave_room(full_room(), HOST).stage
    return with_changed(with_changed(away, HOST, role=Role.MODERATOR), MODERATOR, role=Role.HOST)


def test_appoint_moderator_on_the_stage_is_seen_there():
    outcome = appoint_moderator(full_room(), MODERATOR, SPEAKER)
    assert outcome.stage == with_changed(full_room(), SPEAKER, role=Role.MODERATOR, ever_moderated=True)
    assert outcome.happened == (RoleChanged(SPEAKER, Role.MODERATOR),)


def test_appoint_moderator_off_the_stage_keeps_the_hand_up():
    outcome = appoint_moderator(full_room(), MODERATOR, WAITING)
    place = outcome.stage.places[WAITING]
    assert (place.role, place.standing, place.ever_moderated) == (Role.MODERATOR, Standing.HAND_UP, True)
    assert outcome.happened == ()


def test_appoint_moderator_ends_their_silence():
    silenced = with_changed(full_room(), SPEAKER, silenced=True)
    assert appoint_moderator(silenced, MODERATOR, SPEAKER).stage.places[SPEAKER].silenced is False


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (full_room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (full_room(), STRANGER, SPEAKER, NotInRoom, None),
        (full_room(), SPEAKER, SPEAKER, NotAModerator, None),
        (full_room(), HOST, STRANGER, NotInRoom, "person"),
        (full_room(), HOST, OUTSIDE, NotInRoom, "person"),
        (full_room(), HOST, PEER, AlreadyModerator, "person"),
        (full_room(), PEER, HOST, AlreadyModerator, "person"),
    ],
)
def test_appoint_moderator_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        appoint_moderator(before, actor, person)
    assert refused.value.field == field


@pytest.mark.parametrize("actor", [HOST, MODERATOR])
def test_revoke_moderator_on_the_stage_leaves_a_speaker(actor):
    outcome = revoke_moderator(full_room(deputy=MODERATOR), actor, MODERATOR)
    assert outcome.stage == with_changed(full_room(), MODERATOR, role=Role.SPEAKER)
    assert outcome.happened == (RoleChanged(MODERATOR, Role.SPEAKER),)


def test_revoke_moderator_off_the_stage_leaves_a_listener_and_another_deputy():
    outcome = revoke_moderator(full_room(deputy=MODERATOR), HOST, PEER)
    assert outcome.stage == with_changed(full_room(deputy=MODERATOR), PEER, role=Role.LISTENER)
    assert outcome.happened == ()


def test_revoke_moderator_who_lost_the_connection_lets_a_speaker_return():
    lost = lifecycle.lose_connection(full_room(), MODERATOR, NOW).stage
    revoked = revoke_moderator(lost, HOST, MODERATOR).stage
    assert revoked.places[MODERATOR].role is Role.LISTENER
    assert lifecycle.enter(revoked, MODERATOR, NOW).stage.places[MODERATOR].role is Role.SPEAKER


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (full_room(Phase.ENDED), HOST, PEER, RoomEnded, None),
        (full_room(), STRANGER, PEER, NotInRoom, None),
        (full_room(), SPEAKER, SPEAKER, NotAModerator, None),
        (full_room(), SPEAKER, PEER, NotAModerator, None),
        (full_room(), HOST, STRANGER, NotInRoom, "person"),
        (full_room(), HOST, SPEAKER, NotModerating, "person"),
        (full_room(), HOST, HOST, CannotActOnModerator, "person"),
        (full_room(), MODERATOR, HOST, CannotActOnModerator, "person"),
        (full_room(), MODERATOR, PEER, OnlyHost, None),
        (host_stood_in_for(), MODERATOR, HOST, CannotActOnModerator, "person"),
    ],
)
def test_revoke_moderator_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        revoke_moderator(before, actor, person)
    assert refused.value.field == field


def test_who_stands_in_cannot_remove_who_opened_the_room():
    with pytest.raises(CannotActOnModerator):
        lifecycle.remove_person(host_stood_in_for(), MODERATOR, HOST)


def test_name_deputy_makes_a_moderator_of_who_is_none():
    outcome = name_deputy(full_room(), HOST, SPEAKER)
    assert outcome.stage == with_changed(full_room(deputy=SPEAKER), SPEAKER, role=Role.MODERATOR, ever_moderated=True)
    assert outcome.happened == (RoleChanged(SPEAKER, Role.MODERATOR),)


@pytest.mark.parametrize("person", [PEER, None])
def test_name_deputy_again_leaves_the_former_a_moderator(person):
    outcome = name_deputy(full_room(deputy=MODERATOR), HOST, person)
    assert outcome.stage == full_room(deputy=person)
    assert outcome.happened == ()


@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (full_room(Phase.ENDED), HOST, PEER, RoomEnded, None),
        (full_room(), STRANGER, PEER, NotInRoom, None),
        (full_room(), SPEAKER, PEER, NotAModerator, None),
        (full_room(), MODERATOR, LISTENER, OnlyHost, None),
        (full_room(), MODERATOR, None, OnlyHost, None),
        (full_room(), HOST, HOST, CannotActOnOneself, "person"),
        (full_room(), HOST, STRANGER, NotInRoom, "person"),
        (full_room(), HOST, OUTSIDE, NotInRoom, "person"),
    ],
)
def test_name_deputy_refused(before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        name_deputy(before, actor, person)
    assert refused.value.field == field


def test_removal_of_the_deputy_leaves_none():
    outcome = lifecycle.remove_person(full_room(deputy=PEER), HOST, PEER)
    assert outcome.stage.rules.deputy is None
    assert outcome.stage.places[PEER].role is Role.LISTENER
