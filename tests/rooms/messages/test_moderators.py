"""Who moderates, and the settings that moderators change."""

import pytest

from salon.rooms.actions.attendance import enter_room, leave_room
from salon.rooms.models import Place, Room, RoomAction
from tests.rooms.messages.traces import events, logged, place, told
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db


def test_appoint_moderator(run, room, listener, speaker, stranger):
    assert run("speaker", "appoint_moderator", person=listener.id) == "not_a_moderator"
    assert run("moderator", "appoint_moderator", person=stranger.id) == "not_in_room"
    assert run("moderator", "appoint_moderator", person=listener.id) is None
    assert (place(listener).role, place(listener).ever_moderated, place(listener).on_stage_since) == ("moderator", True, None)
    assert told(listener, room) == ("appoint_moderator", "moderator", None)
    assert logged(room) == ("appoint_moderator", "moderator", "listener", None)
    assert run("hostess", "appoint_moderator", person=listener.id) == "already_moderator"
    assert run("moderator", "appoint_moderator", person=speaker.id) is None
    assert events(f"room/{room.id}")[-1] == ("role_changed", {"person": speaker.id, "role": "moderator"})
    shown = [data["moderators"] for kind, data in events(f"moderation/{room.id}") if kind == "moderators_changed"][-1]
    assert [(entry["person"]["handle"], entry["role"], entry["here"]) for entry in shown] == [
        ("hostess", "host", True), ("listener", "moderator", True), ("moderator", "moderator", True), ("speaker", "moderator", True),
    ]  # fmt: skip


def test_revoke_moderator(run, room, cast):
    host, moderator, speaker, listener = cast
    run("hostess", "appoint_moderator", person=speaker.id)
    assert run("moderator", "revoke_moderator", person=speaker.id) == "only_host"
    assert run("moderator", "revoke_moderator", person=host.id) == "cannot_act_on_moderator"
    assert run("hostess", "revoke_moderator", person=listener.id) == "not_moderating"
    assert run("hostess", "revoke_moderator", person=speaker.id) is None
    assert (place(speaker).role, place(speaker).ever_moderated) == ("speaker", True)
    assert logged(room) == ("revoke_moderator", "hostess", "speaker", None)
    assert run("moderator", "revoke_moderator", person=moderator.id) is None
    assert place(moderator).role == "listener"
    assert run("moderator", "mute_all") == "not_a_moderator"


def test_revoked_moderator_who_was_the_deputy_is_it_no_more(run, room, moderator):
    run("hostess", "name_deputy", person=moderator.id)
    run("hostess", "revoke_moderator", person=moderator.id)
    assert Room.objects.get().deputy is None
    assert events(f"room/{room.id}")[-1] == ("room_changed", {"deputy": None})


def test_name_deputy(run, room, host, listener):
    assert run("moderator", "name_deputy", person=listener.id) == "only_host"
    assert run("hostess", "name_deputy", person=host.id) == "cannot_act_on_oneself"
    assert run("hostess", "name_deputy", person=listener.id) is None
    assert (Room.objects.get().deputy, place(listener).role) == (listener, "moderator")
    assert events(f"room/{room.id}")[-1] == ("room_changed", {"deputy": listener.id})
    assert told(listener, room) == ("name_deputy", "hostess", None)
    assert logged(room) == ("name_deputy", "hostess", "listener", None)
    assert run("hostess", "name_deputy", person=None) is None
    assert (Room.objects.get().deputy, place(listener).role) == (None, "moderator")


def test_edit_room(run, room, host):
    assert run("speaker", "edit_room", title="Mine") == "not_a_moderator"
    assert run("moderator", "edit_room", title="  Late  talk ", topic="", turn_secs=60, chat=True, language="FR") is None
    room.refresh_from_db()
    assert (room.title, room.topic, room.turn_secs, room.language) == ("Late talk", "", 60, "fr")
    assert events(f"room/{room.id}")[-1] == ("room_changed", {"title": "Late talk", "topic": "", "turn_secs": 60})
    assert logged(room) == ("edit_room", "moderator", None, None)
    assert RoomAction.objects.latest("id").data == {"title": "Late talk", "topic": "", "turn_secs": 60}
    assert Api(host).state(room.id)["turn_secs"] == 60


def test_edit_room_with_what_it_is_already_tells_nothing(run, room):
    before = (events(f"room/{room.id}"), RoomAction.objects.count())
    assert run("moderator", "edit_room", title=room.title, hand_policy="everyone") is None
    assert (events(f"room/{room.id}"), RoomAction.objects.count()) == before


@pytest.mark.parametrize(
    "fields",
    [
        {"title": " "}, {"title": None}, {"title": "x" * 101}, {"visibility": "secret"}, {"hand_policy": "some"}, {"locked": "no"},
        {"capacity": 1}, {"capacity": None}, {"capacity": 10**6}, {"turn_secs": 29}, {"turn_secs": 3601}, {"slow_mode_secs": 301},
        {"club": "c" * 26}, {"language": "klingonese"},
    ],
)  # fmt: skip
def test_edit_room_refuses_a_setting_by_name(room, host, fields):
    answer = Api(host).command(room.id, "edit_room", **fields)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "invalid", next(iter(fields)))


def test_edit_room_widens_and_never_narrows(run, room):
    Room.objects.update(visibility="closed")
    listed = events("hallway")
    assert run("hostess", "edit_room", visibility="social") is None
    assert run("hostess", "edit_room", visibility="closed", title="No") == "cannot_narrow"
    assert (Room.objects.get().title, events("hallway")) == (room.title, listed)
    assert run("hostess", "edit_room", visibility="open") is None
    assert [(kind, data["visibility"]) for kind, data in events("hallway")[len(listed) :]] == [("room_listed", "open")]
    assert Room.objects.get().visibility == "open"


def test_edit_room_lists_a_new_title_in_the_hallway(run, room):
    run("hostess", "edit_room", title="Late talk")
    assert [(kind, data["title"]) for kind, data in events("hallway")][-1] == ("room_listed", "Late talk")


def test_edit_room_to_a_fair_floor_tells_everybody_their_new_position(run, room, listener, speaker):
    run("speaker", "step_down")
    Place.objects.filter(person=speaker).update(has_spoken=True)
    run("speaker", "raise_hand")
    run("listener", "raise_hand")
    run("hostess", "edit_room", fair_floor=True)
    assert told(listener, room) == told(speaker, room) == ("hand_queue", None, None)
    assert Api(listener).mine(room.id)["hand_position"] == 1


def test_moderators_here_are_told_as_they_come_and_go(room, moderator):
    leave_room(caller(moderator), room.id)
    enter_room(room, moderator)
    changes = [data["moderators"] for kind, data in events(f"moderation/{room.id}") if kind == "moderators_changed"][-2:]
    assert [[entry["here"] for entry in change] for change in changes] == [[True, False], [True, True]]
