"""Hands and invitations."""

import pytest

from salon.rooms.models import Place, Room, RoomAction
from salon.social.models import Block, Follow
from tests.rooms.fake_clubs import CLUB
from tests.rooms.messages.traces import events, logged, place, recorded, told

pytestmark = pytest.mark.django_db


def test_raise_hand(run, room, listener):
    assert run("listener", "raise_hand") is None
    assert place(listener).hand_raised_at is not None
    assert recorded() == ("raise_hand", "listener", None)
    assert told(listener, room) == ("raise_hand", None, None)
    assert run("listener", "raise_hand") == "hand_already_raised"
    assert run("speaker", "raise_hand") == "already_on_stage"
    assert run("stranger", "raise_hand") == "not_in_room"


def test_lower_hand(run, room, listener, moderator):
    assert run("listener", "lower_hand") == "hand_not_raised"
    run("listener", "raise_hand")
    run("moderator", "raise_hand")
    assert run("listener", "lower_hand") is None
    assert place(listener).hand_raised_at is None
    assert recorded() == ("lower_hand", "listener", None)
    assert told(moderator, room) == ("hand_queue", None, None)


def test_invite_to_stage(run, room, listener, host):
    assert run("listener", "invite_to_stage", person=listener.id) == "not_a_moderator"
    assert run("moderator", "invite_to_stage", person=listener.id) is None
    assert place(listener).invited_by.handle == "moderator"
    assert place(listener).on_stage_since is None
    assert recorded() == ("invite_to_stage", "moderator", "listener")
    assert told(listener, room) == ("invite_to_stage", "moderator", None)
    assert run("hostess", "invite_to_stage", person=listener.id) == "already_invited"
    assert run("moderator", "invite_to_stage", person=host.id) == "already_on_stage"


def test_invite_to_stage_of_somebody_outside(run, stranger):
    assert run("hostess", "invite_to_stage", person=stranger.id) == "not_in_room"


def test_raise_hand_by_hand_policy(run, room, listener, speaker):
    Room.objects.update(hand_policy="nobody")
    assert run("listener", "raise_hand") == "hands_not_allowed"
    Room.objects.update(hand_policy="open_stage")
    assert run("listener", "raise_hand") == "stage_is_open"
    Room.objects.update(hand_policy="club_members")
    assert run("listener", "raise_hand") == "hands_not_allowed"
    Room.objects.update(hand_policy="followed_by_speakers")
    assert run("listener", "raise_hand") == "hands_not_allowed"
    Follow.objects.create(follower=speaker, followed=listener)
    assert run("listener", "raise_hand") is None


def test_raise_hand_of_a_club_member(run, room, listener, clubs):
    Room.objects.update(hand_policy="club_members", club=CLUB)
    assert run("listener", "raise_hand") == "hands_not_allowed"
    clubs.members.add((CLUB, listener.id))
    assert run("listener", "raise_hand") is None


def test_invite_to_stage_of_somebody_whom_a_speaker_blocked(run, room, listener, speaker):
    Block.objects.create(blocker=speaker, blocked=listener)
    assert run("moderator", "invite_to_stage", person=listener.id) == "cannot_come_up"
    run("speaker", "step_down")
    assert run("moderator", "invite_to_stage", person=listener.id) is None


def test_invite_next(run, room, person, listener, speaker):
    assert run("moderator", "invite_next") == "no_hands"
    run("speaker", "step_down")
    run("listener", "raise_hand")
    run("speaker", "raise_hand")
    assert run("speaker", "invite_next") == "not_a_moderator"
    assert run("moderator", "invite_next") is None
    assert (place(listener).invited_at is not None, place(speaker).invited_at) == (True, None)
    assert told(listener, room) == ("invite_next", "moderator", None)
    assert logged(room) == ("invite_next", "moderator", None, None)
    assert run("moderator", "invite_next", count=10) is None
    assert place(speaker).invited_at is not None
    assert run("moderator", "invite_next") == "no_hands"
    assert [run("moderator", "invite_next", count=count) for count in (0, 11, True)] == ["invalid"] * 3


def test_invite_next_prefers_who_has_not_spoken_on_a_fair_floor(run, room, listener, speaker):
    run("speaker", "step_down")
    Place.objects.filter(person=speaker).update(has_spoken=True)
    run("speaker", "raise_hand")
    run("listener", "raise_hand")
    run("moderator", "edit_room", fair_floor=True)
    run("moderator", "invite_next")
    assert (place(listener).invited_at is not None, place(speaker).invited_at) == (True, None)


def test_invite_several(run, room, cast, stranger):
    _, moderator, speaker, listener = cast
    ids = [listener.id, speaker.id, stranger.id, moderator.id]
    assert run("listener", "invite_several", people=ids) == "not_a_moderator"
    assert run("moderator", "invite_several", people=ids) is None
    assert set(Place.objects.filter(invited_at__isnull=False).values_list("person__handle", flat=True)) == {"listener", "moderator"}
    assert logged(room) == ("invite_several", "moderator", None, None)
    assert RoomAction.objects.latest("id").data == {"people": [listener.id, moderator.id]}
    assert run("moderator", "invite_several", people=ids) == "nobody_to_invite"
    assert [run("moderator", "invite_several", people=people) for people in ([], ["x"], [listener.id] * 21)] == ["invalid"] * 3


def test_clear_hands(run, room, listener, moderator, speaker):
    assert run("moderator", "clear_hands") == "no_hands"
    run("speaker", "step_down")
    run("speaker", "raise_hand")
    run("moderator", "invite_to_stage", person=listener.id)
    assert run("listener", "clear_hands") == "not_a_moderator"
    assert run("moderator", "clear_hands") is None
    assert not Place.objects.exclude(hand_raised_at=None, invited_at=None).exists()
    assert events(f"hands/{room.id}")[-1] == ("hands_cleared", {})
    assert told(speaker, room) == told(listener, room) == ("clear_hands", "moderator", None)
    assert run("listener", "accept_invitation") == "not_invited"


def test_accept_invitation_through_a_locked_stage(run, room, listener, moderator):
    run("moderator", "invite_to_stage", person=listener.id)
    run("moderator", "edit_room", stage_locked=True)
    assert run("listener", "accept_invitation") == "stage_locked"
    assert run("hostess", "invite_to_stage", person=moderator.id) is None
    assert run("moderator", "accept_invitation") is None
    run("moderator", "edit_room", stage_locked=False)
    assert run("listener", "accept_invitation") is None


def test_accept_invitation(run, listener, policy_version):
    assert run("listener", "accept_invitation") == "not_invited"
    run("listener", "raise_hand")
    assert run("listener", "accept_invitation") == "not_invited"
    version = policy_version()
    run("moderator", "invite_to_stage", person=listener.id)
    assert policy_version() == version
    assert run("listener", "accept_invitation") is None
    assert (place(listener).role, place(listener).muted, policy_version()) == ("speaker", False, version + 1)
    assert run("listener", "accept_invitation") == "already_on_stage"


def test_decline_invitation(run, listener):
    assert run("listener", "decline_invitation") == "not_invited"
    run("listener", "raise_hand")
    run("moderator", "invite_to_stage", person=listener.id)
    assert run("listener", "decline_invitation") is None
    assert (place(listener).hand_raised_at, place(listener).invited_at, place(listener).role) == (None, None, "listener")
