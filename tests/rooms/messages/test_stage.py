"""Up to the stage, down from it, and what one lets the others on it know."""

import pytest

from salon.rooms.models import Room
from salon.social.models import Block
from tests.rooms.messages.traces import events, logged, place, recorded, told

pytestmark = pytest.mark.django_db


def test_step_down(run, speaker, policy_version):
    version = policy_version()
    assert run("listener", "step_down") == "not_on_stage"
    assert run("speaker", "step_down") is None
    assert (place(speaker).role, place(speaker).on_stage_since, policy_version()) == ("listener", None, version + 1)


def test_move_to_audience(run, room, speaker, host):
    assert run("speaker", "move_to_audience", person=host.id) == "not_a_moderator"
    assert run("moderator", "move_to_audience", person=host.id) == "cannot_act_on_moderator"
    assert run("moderator", "move_to_audience", person=speaker.id) is None
    assert place(speaker).role == "listener"
    assert told(speaker, room) == ("move_to_audience", "moderator", None)
    assert logged(room) == ("move_to_audience", "moderator", "speaker", None)


def test_step_up(run, room, listener, policy_version):
    assert run("listener", "step_up") == "stage_not_open"
    assert run("hostess", "edit_room", hand_policy="open_stage") is None
    version = policy_version()
    assert run("listener", "step_up") is None
    assert (place(listener).role, place(listener).muted, policy_version()) == ("speaker", True, version + 1)
    assert recorded() == ("step_up", "listener", None)
    assert run("listener", "step_up") == "already_on_stage"
    assert run("stranger", "step_up") == "not_in_room"
    assert run("listener", "unmute") is None


def test_step_up_against_a_lock_or_a_block(run, room, listener, speaker):
    Room.objects.update(hand_policy="open_stage", stage_locked=True)
    assert run("listener", "step_up") == "stage_locked"
    Room.objects.update(stage_locked=False)
    Block.objects.create(blocker=speaker, blocked=listener)
    assert run("listener", "step_up") == "cannot_come_up"
    assert place(listener).on_stage_since is None


def test_set_status(run, room, speaker):
    assert run("listener", "set_status", status="on_a_call") == "not_on_stage"
    assert run("speaker", "set_status", status="dancing") == "invalid"
    assert run("speaker", "set_status", status="on_a_call") is None
    assert place(speaker).status == "on_a_call"
    assert events(f"room/{room.id}")[-1] == ("status_changed", {"person": speaker.id, "status": "on_a_call"})
    assert run("speaker", "set_status", status=None) is None
    assert place(speaker).status == ""
    assert events(f"room/{room.id}")[-1] == ("status_changed", {"person": speaker.id, "status": None})
