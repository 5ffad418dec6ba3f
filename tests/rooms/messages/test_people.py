"""Who is in the room: removed and let in again, silenced, gone; and its end."""

import pytest

from salon.rooms.models import Place, Removal, RoomAction
from tests.rooms.messages.asking import OWN, fields_of
from tests.rooms.messages.traces import events, logged, place, told

pytestmark = pytest.mark.django_db


def test_remove_person(run, room, speaker, host, policy_version):
    version = policy_version()
    assert run("listener", "remove_person", person=speaker.id) == "not_a_moderator"
    assert run("moderator", "remove_person", person=host.id) == "cannot_act_on_moderator"
    assert not Removal.objects.exists()
    assert run("moderator", "remove_person", person=speaker.id, reason=" Too  loud ", minutes=10) is None
    removal = Removal.objects.get()
    assert (removal.person, removal.reason, (removal.until - removal.at).total_seconds()) == (speaker, "Too loud", 600.0)
    assert (place(speaker).left_at is not None, place(speaker).epoch, policy_version()) == (True, 1, version + 1)
    assert logged(room) == ("remove_person", "moderator", "speaker", "Too loud")
    assert RoomAction.objects.latest("id").data == {"minutes": 10}
    assert told(speaker, room) == ("remove_person", "moderator", "Too loud")
    assert run("speaker", "raise_hand") == "not_found"


def test_remove_person_who_has_left_tells_them_too(run, room, listener):
    run("listener", "leave_room")
    assert run("moderator", "remove_person", person=listener.id, reason="Later") is None
    assert told(listener, room) == ("remove_person", "moderator", "Later")


def test_leave_room(run, room, speaker, policy_version):
    version = policy_version()
    assert run("stranger", "leave_room") == "not_in_room"
    assert run("speaker", "leave_room") is None
    assert (place(speaker).left_at is not None, place(speaker).role, policy_version()) == (True, "listener", version + 1)
    assert run("speaker", "leave_room") == "not_in_room"


def test_end_room(run, room, listener, policy_version):
    version = policy_version()
    assert run("speaker", "end_room") == "not_a_moderator"
    assert run("moderator", "end_room") is None
    room.refresh_from_db()
    assert (room.phase, room.end_reason, policy_version()) == ("ended", "ended", version + 1)
    assert not Place.objects.filter(left_at=None).exists()
    assert told(listener, room) == ("end_room", "moderator", None)
    for name in OWN:
        assert run("hostess", name, **fields_of(name, listener.id)) == "room_ended", name


def test_undo_removal(run, room, speaker, listener):
    assert run("moderator", "undo_removal", person=speaker.id) == "not_removed"
    run("moderator", "remove_person", person=speaker.id, minutes=10)
    assert run("listener", "undo_removal", person=speaker.id) == "not_a_moderator"
    assert run("hostess", "undo_removal", person=speaker.id) is None
    removal = Removal.objects.get()
    assert (removal.lifted_at is not None, removal.lifted_by.handle) == (True, "hostess")
    assert [data for kind, data in events(f"moderation/{room.id}") if kind == "removal_lifted"] == [{"person": speaker.id}]
    assert logged(room) == ("undo_removal", "hostess", "speaker", None)
    assert run("speaker", "raise_hand") == "not_in_room"
    assert run("moderator", "undo_removal", person=speaker.id) == "not_removed"


def test_newer_removal_replaces_the_older(run, room, speaker):
    run("moderator", "remove_person", person=speaker.id)
    run("hostess", "remove_person", person=speaker.id, minutes=10)
    first, second = Removal.objects.order_by("id")
    assert (first.lifted_at is not None, second.lifted_at, second.until is not None) == (True, None, True)
    kinds = [kind for kind, _ in events(f"moderation/{room.id}") if kind.startswith("removal")]
    assert kinds == ["removal_added", "removal_added"]


def test_silence_person(run, room, listener, host):
    assert run("speaker", "silence_person", person=listener.id) == "not_a_moderator"
    assert run("moderator", "silence_person", person=host.id) == "cannot_act_on_moderator"
    assert run("moderator", "silence_person", person=listener.id) is None
    assert place(listener).silenced
    assert told(listener, room) == ("silence_person", "moderator", None)
    (silenced,) = [data for kind, data in events(f"moderation/{room.id}") if kind == "silenced_changed"]
    assert [face["handle"] for face in silenced["silenced"]] == ["listener"]
    assert logged(room) == ("silence_person", "moderator", "listener", None)


def test_unsilence_person(run, room, listener):
    run("moderator", "silence_person", person=listener.id)
    assert run("speaker", "unsilence_person", person=listener.id) == "not_a_moderator"
    assert run("hostess", "unsilence_person", person=listener.id) is None
    assert not place(listener).silenced
    assert [data for kind, data in events(f"moderation/{room.id}") if kind == "silenced_changed"][-1] == {"silenced": []}
    assert logged(room) == ("unsilence_person", "hostess", "listener", None)
