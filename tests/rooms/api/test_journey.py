"""The way of one evening over the public API alone: open, listen, hand, invitation, acceptance, sound, mutes, the end."""

import json

import pytest
from django.test import Client

from salon.accounts.actions.tokens import create_token

pytestmark = pytest.mark.django_db


class Api:
    def __init__(self, person):
        self.client = Client(headers={"Authorization": f"Bearer {create_token(person, 'test')}"})

    def command(self, room, name, **fields):
        return self.client.post(f"/api/v1/rooms/{room}/{name}", json.dumps(fields), content_type="application/json")

    def sound(self, room, direction):
        return self.client.post(f"/api/v1/rooms/{room}/{direction}", b"v=0\r\n", content_type="application/sdp")

    def state(self, room):
        return self.client.get(f"/api/v1/rooms/{room}").json()


def test_a_listener_comes_to_the_stage_and_the_room_ends(host, listener, media_process):
    hostess, guest = Api(host), Api(listener)
    room = hostess.client.post("/api/v1/rooms", {"title": "Books", "language": "fr"}, content_type="application/json").json()["id"]
    assert [hostess.sound(room, direction).status_code for direction in ("listen", "speak")] == [201, 201]

    heard = guest.sound(room, "listen")
    assert (heard.status_code, heard["Content-Type"], heard["ETag"], heard.content) == (201, "application/sdp", '"etag-1"', b"v=0 answer")
    assert heard["Location"].startswith("/api/v1/media/")
    assert guest.sound(room, "speak").json()["code"] == "not_on_stage"

    assert guest.command(room, "raise_hand").status_code == 200
    assert hostess.state(room)["state"]["hand_count"] == 1
    assert guest.state(room)["mine"]["hand_position"] == 1
    assert hostess.command(room, "invite_to_stage", person=listener.id).status_code == 200
    assert guest.sound(room, "speak").json()["code"] == "not_on_stage"
    assert guest.command(room, "accept_invitation").status_code == 200
    assert guest.sound(room, "speak").status_code == 201
    assert [member["role"] for member in guest.state(room)["state"]["stage"]] == ["host", "speaker"]

    assert hostess.command(room, "mute_speaker", person=listener.id).status_code == 200
    assert guest.state(room)["mine"]["muted_by"]["handle"] == "hostess"
    assert guest.command(room, "unmute").status_code == 200
    assert hostess.command(room, "move_to_audience", person=listener.id).status_code == 200
    assert hostess.command(room, "remove_person", person=listener.id, reason="Too loud", minutes=5).status_code == 200
    assert guest.client.get(f"/api/v1/rooms/{room}").status_code == 404
    assert guest.sound(room, "listen").status_code == 404

    assert hostess.command(room, "end_room").status_code == 200
    assert hostess.state(room)["state"]["phase"] == "ended"
    assert hostess.sound(room, "listen").json()["code"] == "room_ended"
