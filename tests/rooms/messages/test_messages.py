"""Each command through the front door: what it changes, records, tells and publishes; and who is refused."""

import pytest

from salon.rooms.messages import MESSAGES
from salon.rooms.models import Place, Removal, RoomAction
from salon.streams.models import StreamEvent
from tests.rooms.people import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(room, cast, stranger):
    """Send a command as one of the cast; the answer's code, or None where it was carried out."""
    apis = {person.handle: Api(person) for person in (*cast, stranger)}

    def send(who, name, **fields):
        answer = apis[who].command(room.id, name, **fields)
        assert answer.status_code == 200 or answer.json().keys() == {"code", "message", "field"}
        return None if answer.status_code == 200 else answer.json()["code"]

    return send


@pytest.fixture
def policy_version(room):
    def read():
        room.refresh_from_db()
        return room.policy_version

    return read


def told(person, room):
    """The last change of somebody's own place: (cause, who did it, why)."""
    event = StreamEvent.objects.filter(stream=f"person/{person.id}", kind="place_changed").latest("seq")
    assert event.data["room"] == room.id
    return event.data["cause"], event.data["by"] and event.data["by"]["handle"], event.data["reason"]


def recorded():
    action = RoomAction.objects.latest("id")
    return action.action, action.actor and action.actor.handle, action.target and action.target.handle


def place(person):
    return Place.objects.get(person=person)


OWN = {name: message for name, message in MESSAGES.items() if message.act.__module__.startswith("salon.rooms.")}
"""Without those that apps above have registered."""


def test_every_message_has_a_test_of_its_own():
    assert [name for name in OWN if f"test_{name}" not in globals()] == []


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


def test_remove_person(run, room, speaker, host, policy_version):
    version = policy_version()
    assert run("listener", "remove_person", person=speaker.id) == "not_a_moderator"
    assert run("moderator", "remove_person", person=host.id) == "cannot_act_on_moderator"
    assert not Removal.objects.exists()
    assert run("moderator", "remove_person", person=speaker.id, reason=" Too  loud ", minutes=10) is None
    removal = Removal.objects.get()
    assert (removal.person, removal.reason, (removal.until - removal.at).total_seconds()) == (speaker, "Too loud", 600.0)
    assert (place(speaker).left_at is not None, place(speaker).epoch, policy_version()) == (True, 1, version + 1)
    assert recorded() == ("remove_person", "moderator", "speaker")
    assert RoomAction.objects.latest("id").data == {"reason": "Too loud", "minutes": 10}
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
        fields = {"person": listener.id} if "person" in OWN[name].fields.model_fields else {}
        assert run("hostess", name, **fields) == "room_ended"
