"""Every command with every kind of nonsense in every field, both ways in: refused with a code, and nothing is half done."""

import json

import pytest
from django.test import Client

from salon.common.ids import new_id
from salon.config.environment import environment
from salon.conversation import rate_limits
from salon.conversation.actions import chat, links, polls, questions
from salon.rooms.actions.open_room import open_room
from salon.rooms.messages import MESSAGES
from salon.rooms.models import Place, RoomAction
from salon.rooms.rate_limits import COMMANDS
from salon.streams.models import StreamEvent
from tests.conversation.conversation import FIELDS
from tests.rooms.messages.asking import OWN, fields_of
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db

NONSENSE = [None, 10**30, "", "\x00", "a\x00b", "\ud800", "\u202e", "x" * 100_000, "a" * 26, "a" * 26 + "\n", ["a" * 26] * 30, {"a": {}}]
LIMITS = (COMMANDS, rate_limits.MESSAGES, rate_limits.QUESTIONS, rate_limits.VOTES, rate_limits.REACTIONS)
BODIES = ["", "null", "[]", "{", '{"person": NaN}', '{"person": 1e999}', '{"a": ' + "[" * 5000 + "]" * 5000 + "}", '{"\\ud800": 1}']


def happened():
    """What a refusal must leave as it was."""
    return StreamEvent.objects.count(), RoomAction.objects.count(), list(Place.objects.order_by("id").values())


def fields_for(name, person):
    return dict(fields_of(name, person) if name in OWN else FIELDS[name])


def over_the_socket(person, room, name, data, key=None):
    headers = {"X-Salon-Internal": environment().internal_secret}
    return Client(headers=headers).post(
        "/internal/command", json.dumps({"person": person.id, "room": room, "name": name, "data": data, "key": key}), "application/json"
    )


def check(answer, before, what):
    assert answer.status_code in (200, 400, 401, 403, 404, 409, 410, 413, 422, 429), (what, answer.status_code)
    if answer.status_code != 200:
        assert set(answer.json()) >= {"code", "message", "field"}, (what, answer.content)
        assert happened() == before, what


@pytest.fixture
def elsewhere(person):
    """Things of another room."""
    other_host = person("other")
    room = open_room(other_host, title="Other", language="en")
    at = caller(other_host), room.id
    return {
        "person": other_host.id,
        "message": chat.post_message(*at, "Hello").id,
        "question": questions.ask_question(*at, "Why?").id,
        "link": links.pin_link(*at, "https://example.com/", "").id,
        "poll": polls.open_poll(*at, "Now?", ["Yes", "No"]).id,
        "request": new_id(),
    }


@pytest.mark.parametrize("name", sorted(MESSAGES.keys() - {"end_room", "leave_room"}))
def test_nonsense_is_refused_with_a_code(name, room, cast, elsewhere):
    host, _, _, listener = cast
    api, good = Api(host), fields_for(name, listener.id)
    tries = [{**good, field: value} for field in MESSAGES[name].fields.model_fields for value in NONSENSE]
    tries += [{**good, "nonsense": 1}, *({**good, field: elsewhere[field]} for field in good if field in elsewhere)]
    for n, fields in enumerate(tries):
        for limit in LIMITS:
            limit.forget_all()
        before = happened()
        answer = over_the_socket(host, room.id, name, fields) if n % 2 else api.command(room.id, name, **fields)
        check(answer, before, (name, str(fields)[:200]))


@pytest.mark.parametrize("name", ["raise_hand", "post_message", "edit_room"])
def test_what_is_no_body_is_refused_with_a_code(name, room, host):
    api = Api(host)
    for body in BODIES:
        before = happened()
        check(api.client.post(f"/api/v1/rooms/{room.id}/{name}", body, "application/json"), before, (name, body[:50]))


def test_nonsense_around_a_command_is_refused_with_a_code(room, host):
    before = happened()
    for key in ("", "\x00", "k" * 101, "\ud800", "a\nb"):
        for room_id in ("\x00", "\ud800", "a" * 26, "A" * 27, "../me", "", room.id):
            check(over_the_socket(host, room_id, "raise_hand", {}, key), before, (room_id, key))
        check(over_the_socket(host, room.id, "\ud800", {}, key), before, key)


def test_things_of_another_room_are_not_found(room, host, elsewhere):
    api = Api(host)
    for name, field, more in (
        ("delete_message", "message", {}), ("vote_question", "question", {}), ("take_question", "question", {"how": "invite"}),
        ("close_question", "question", {}), ("unpin_link", "link", {}), ("vote_poll", "poll", {"option": 0}), ("close_poll", "poll", {}),
    ):  # fmt: skip
        answer = api.command(room.id, name, **{field: elsewhere[field]}, **more)
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (404, "not_found", field), name
