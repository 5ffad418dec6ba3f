"""What the moderators of a room see together."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from salon.rooms.enums import Role
from salon.rooms.models import Place, Removal, RoomAction, SecondModeratorRequest
from salon.rooms.moderation import LOG_LENGTH, log_action, moderation_of
from salon.streams.events import emit_all

pytestmark = pytest.mark.django_db


def test_logged_action_is_told_as_it_will_be_shown(room, host, speaker):
    now = timezone.now()
    with transaction.atomic():
        event = log_action(room, "hold_mute", actor=host, target=speaker, reason="Echo", data={"minutes": 3}, at=now)
        emit_all([event])
    assert (event.stream, event.kind) == (f"moderation/{room.id}", "action_logged")
    assert moderation_of(room)["log"][-1:] == [event.data]
    assert (event.data["action"], event.data["reason"], event.data["data"]) == ("hold_mute", "Echo", {"minutes": 3})
    assert (event.data["by"]["handle"], event.data["target"]["handle"]) == ("hostess", "speaker")


def test_log_shows_its_newest_entries_oldest_first(room, host):
    for n in range(LOG_LENGTH + 2):
        log_action(room, "pin_link", actor=host, data={"n": n}, at=timezone.now())
    assert [entry["data"]["n"] for entry in moderation_of(room)["log"]] == list(range(2, LOG_LENGTH + 2))


def test_what_nobody_did_as_a_moderator_is_not_in_the_log(room, listener):
    RoomAction.objects.create(room=room, action="raise_hand", actor=listener, at=timezone.now())
    assert moderation_of(room)["log"] == []


def test_moderators_are_the_host_then_the_others_by_handle_here_or_not(room, person, moderator):
    anna = person("anna")
    Place.objects.create(room=room, person=anna, csrc=1, role=Role.MODERATOR, ever_moderated=True, left_at=timezone.now())
    assert [(entry["person"]["handle"], entry["role"], entry["here"]) for entry in moderation_of(room)["moderators"]] == [
        ("hostess", "host", True), ("anna", "moderator", False), ("moderator", "moderator", True),
    ]  # fmt: skip


def test_removals_in_force_the_silenced_and_open_requests(room, host, speaker, listener):
    now = timezone.now()
    for person, lifted_at in ((speaker, None), (listener, now)):
        Removal.objects.create(room=room, person=person, by=host, reason="Loud", at=now, lifted_at=lifted_at)
    Place.objects.filter(person=listener).update(silenced=True)
    for target, settled in ((speaker, {}), (listener, {"settled_at": now, "outcome": "expired"})):
        SecondModeratorRequest.objects.create(
            room=room, action="remove_person", by=host, target=target, at=now, expires_at=now + timedelta(minutes=2), **settled
        )
    state = moderation_of(room)
    assert [(removal["person"]["handle"], removal["until"]) for removal in state["removals"]] == [("speaker", None)]
    assert [face["handle"] for face in state["silenced"]] == ["listener"]
    assert [(request["action"], request["target"]["handle"]) for request in state["requests"]] == [("remove_person", "speaker")]
