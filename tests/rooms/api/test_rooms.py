import json

import pytest
from django.test import Client

from salon.accounts.actions.tokens import create_token
from salon.rooms.models import Place, Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def api_of():
    def api(person=None):
        headers = {"Authorization": f"Bearer {create_token(person, 'test')}"} if person else {}
        return Client(headers=headers)

    return api


def post(client, path, body=None):
    return client.post(path, json.dumps(body if body is not None else {}), content_type="application/json")


def test_open_room_answers_the_room_with_its_host_on_stage(api_of, host):
    answer = post(api_of(host), "/api/v1/rooms", {"title": "  Evening   talk ", "topic": "Books", "language": "FR"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    room, place = Room.objects.get(), Place.objects.get()
    face = {"id": host.id, "handle": "hostess", "name": "Hostess", "picture": None}
    assert body == {
        "id": room.id, "title": "Evening talk", "topic": "Books", "language": "fr", "visibility": "open", "host": face,
        "speakers": [face], "audience": 0, "opened_at": body["opened_at"], "why": "It has just opened.",
        "state": {
            "id": room.id, "title": "Evening talk", "topic": "Books", "language": "fr", "visibility": "open", "phase": "live",
            "opened_at": body["opened_at"], "ended_at": None, "host": face, "hand_count": 0,
            "stage": [{"person": face, "role": "host", "muted": False, "csrc": place.csrc, "since": body["opened_at"]}],
        },
        "mine": {
            "role": "host", "on_stage": True, "hand_raised_at": None, "hand_position": None, "invited_by": None, "muted": False,
            "muted_by": None,
        },
    }  # fmt: skip
