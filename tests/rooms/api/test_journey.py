"""The way of one evening over the public API alone: open, listen, hand, invitation, acceptance, sound, mutes, the end."""

import pytest

from tests.rooms.people import Api

pytestmark = pytest.mark.django_db


def test_a_listener_comes_to_the_stage_and_the_room_ends(host, listener, media_process):
    hostess, guest = Api(host), Api(listener)
    room = hostess.post("rooms", {"title": "Books", "language": "fr"}).json()["id"]
    assert [hostess.sound(room, direction).status_code for direction in ("listen", "speak")] == [201, 201]

    heard = guest.sound(room, "listen")
    assert (heard.status_code, heard["Content-Type"], heard["ETag"], heard.content) == (201, "application/sdp", '"etag-1"', b"v=0 answer")
    assert heard["Location"].startswith("/api/v1/media/")
    assert guest.sound(room, "speak").json()["code"] == "not_on_stage"

    assert guest.command(room, "raise_hand").status_code == 200
    assert hostess.state(room)["hand_count"] == 1
    assert guest.mine(room)["hand_position"] == 1
    assert hostess.command(room, "invite_to_stage", person=listener.id).status_code == 200
    assert guest.sound(room, "speak").json()["code"] == "not_on_stage"
    assert guest.command(room, "accept_invitation").status_code == 200
    assert guest.sound(room, "speak").status_code == 201
    assert [member["role"] for member in guest.state(room)["stage"]] == ["host", "speaker"]

    assert hostess.command(room, "mute_speaker", person=listener.id).status_code == 200
    assert guest.mine(room)["muted_by"]["handle"] == "hostess"
    assert guest.command(room, "unmute").status_code == 200
    assert hostess.command(room, "move_to_audience", person=listener.id).status_code == 200
    assert hostess.command(room, "remove_person", person=listener.id, reason="Too loud", minutes=5).status_code == 200
    assert guest.get(f"rooms/{room}").status_code == 404
    assert guest.sound(room, "listen").status_code == 404

    assert hostess.command(room, "end_room").status_code == 200
    assert hostess.state(room)["phase"] == "ended"
    assert hostess.sound(room, "listen").json()["code"] == "room_ended"
