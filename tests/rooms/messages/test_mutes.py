"""Mutes: one's own, plain ones, held ones."""

import pytest

from tests.rooms.messages.traces import events, logged, place, recorded, told

pytestmark = pytest.mark.django_db


def test_mute(run, speaker, policy_version):
    version = policy_version()
    assert run("listener", "mute") == "not_on_stage"
    assert run("speaker", "mute") is None
    assert (place(speaker).muted, place(speaker).muted_by, policy_version()) == (True, None, version + 1)
    assert run("speaker", "mute") == "already_muted"


def test_unmute(run, speaker, policy_version):
    assert run("speaker", "unmute") == "not_muted"
    run("speaker", "mute")
    version = policy_version()
    assert run("speaker", "unmute") is None
    assert (place(speaker).muted, policy_version()) == (False, version + 1)
    assert run("listener", "unmute") == "not_on_stage"


def test_mute_speaker(run, room, speaker, listener, host):
    assert run("listener", "mute_speaker", person=speaker.id) == "not_a_moderator"
    assert run("moderator", "mute_speaker", person=listener.id) == "not_on_stage"
    assert run("moderator", "mute_speaker", person=speaker.id) is None
    assert (place(speaker).muted, place(speaker).muted_by.handle) == (True, "moderator")
    assert recorded() == ("mute_speaker", "moderator", "speaker")
    assert told(speaker, room) == ("mute_speaker", "moderator", None)
    assert run("moderator", "mute_speaker", person=host.id) is None
    assert run("speaker", "unmute") is None
    assert logged(room) == ("mute_speaker", "moderator", "hostess", None)


def test_mute_all(run, room, host, speaker, policy_version):
    version = policy_version()
    assert run("listener", "mute_all") == "not_a_moderator"
    assert run("hostess", "mute_all") is None
    assert (place(speaker).muted, place(speaker).muted_by.handle, place(host).muted) == (True, "hostess", False)
    assert policy_version() == version + 1
    assert logged(room) == ("mute_all", "hostess", None, None)
    assert told(speaker, room) == ("mute_all", "hostess", None)
    assert run("hostess", "mute_all") == "nobody_to_mute"
    assert run("speaker", "unmute") is None


def test_hold_mute(run, room, cast, policy_version):
    host, moderator, speaker, _ = cast
    version = policy_version()
    assert run("listener", "hold_mute", person=speaker.id, reason="Echo") == "not_a_moderator"
    assert run("moderator", "hold_mute", person=host.id, reason="Echo") == "cannot_act_on_moderator"
    assert run("moderator", "hold_mute", person=moderator.id, reason="Echo") == "cannot_act_on_oneself"
    assert [run("moderator", "hold_mute", person=speaker.id, reason=reason) for reason in (" ", "x" * 301)] == ["invalid"] * 2
    assert run("moderator", "hold_mute", person=speaker.id, reason=" Echo ") is None
    assert (place(speaker).muted, place(speaker).held_by.handle, place(speaker).held_reason) == (True, "moderator", "Echo")
    assert policy_version() == version + 1
    assert events(f"room/{room.id}")[-1] == ("mute_changed", {"person": speaker.id, "muted": True, "held": True})
    assert told(speaker, room) == ("hold_mute", "moderator", "Echo")
    assert logged(room) == ("hold_mute", "moderator", "speaker", "Echo")
    assert run("speaker", "unmute") == "mute_held"
    assert policy_version() == version + 1


def test_held_mute_outlasts_a_return_to_the_stage(run, room, speaker):
    run("moderator", "hold_mute", person=speaker.id, reason="Echo")
    run("speaker", "step_down")
    assert place(speaker).muted is False
    run("moderator", "invite_to_stage", person=speaker.id)
    run("speaker", "accept_invitation")
    assert (place(speaker).muted, run("speaker", "unmute")) == (True, "mute_held")


def test_release_mute(run, room, speaker, moderator):
    assert run("moderator", "release_mute", person=speaker.id) == "not_held"
    run("hostess", "hold_mute", person=speaker.id, reason="Echo")
    assert run("listener", "release_mute", person=speaker.id) == "not_a_moderator"
    assert run("moderator", "release_mute", person=speaker.id) is None
    assert (place(speaker).held_at, place(speaker).held_reason, place(speaker).muted) == (None, "", True)
    assert events(f"room/{room.id}")[-1] == ("mute_changed", {"person": speaker.id, "muted": True, "held": False})
    assert told(speaker, room) == ("release_mute", "moderator", None)
    assert logged(room) == ("release_mute", "moderator", "speaker", None)
    assert run("speaker", "unmute") is None
