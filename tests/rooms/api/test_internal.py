import json

import pytest
from django.test import Client

from salon.config.environment import environment
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.models import Place, Room
from salon.rooms.policy import policies_of
from salon.social.models import Block
from salon.streams.events import newest_seq
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


def ask(name, body, language="en"):
    headers = {"X-Salon-Internal": environment().internal_secret, "Accept-Language": language}
    return Client(headers=headers).post(f"/internal/{name}", json.dumps(body), "application/json")


def command(person, room, name="raise_hand", data=None, key=None, **language):
    return ask("command", {"person": person.id, "room": room.id, "name": name, "data": data or {}, "key": key}, **language)


def test_internal_command_does_what_the_public_one_does(room, listener):
    assert command(listener, room).json() == {"seq": newest_seq(f"room/{room.id}")}
    assert Place.objects.get(person=listener).hand_raised_at is not None


def test_internal_command_refuses_in_the_language_asked_for(room, listener):
    answer = command(listener, room, "lower_hand")
    assert (answer.status_code, answer.json()) == (409, {"code": "hand_not_raised", "message": "Your hand is not up.", "field": None})


def test_internal_command_keeps_keys(room, listener):
    first = command(listener, room, key="k")
    assert command(listener, room, key="k").json() == first.json()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": "sing"}, "name"), ({"data": {"person": 1}}, "person"), ({"data": []}, None), ({"room": None}, None)],
)
def test_internal_command_refuses_what_it_cannot_read(room, listener, change, field):
    answer = ask("command", {"person": listener.id, "room": room.id, "name": "raise_hand", "data": {}, "key": None} | change)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "invalid", field)


def test_internal_command_of_nobody(room):
    answer = ask("command", {"person": "a" * 26, "room": room.id, "name": "raise_hand", "data": {}, "key": None})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


def test_internal_addresses_need_the_secret(room):
    for name in ("command", "snapshot", "policies", "blocks"):
        assert Client().post(f"/internal/{name}", "{}", "application/json").status_code == 404


def test_internal_policies_are_those_newer_than_named(room, host, speaker, listener):
    version = room.policy_version
    assert ask("policies", {"rooms": {room.id: version}}).json() == {"policies": []}
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    csrc = dict(Place.objects.values_list("person_id", "csrc"))
    speakers = [{"person": person.id, "csrc": csrc[person.id], "muted": False} for person in (host, speaker)]
    assert ask("policies", {"rooms": {room.id: version, "a" * 26: 0}}).json() == {
        "policies": [{"room": room.id, "version": version + 1, "phase": "live", "speakers": speakers, "epochs": {listener.id: 1}}]
    }
    end_room(caller(host), room.id)
    assert ask("policies", {"rooms": {room.id: version + 1}}).json()["policies"][0]["phase"] == "ended"


@pytest.mark.parametrize("number", [1, 3])
def test_internal_policies_take_the_same_queries_whatever_their_number(person, number, django_assert_num_queries):
    for n in range(number):
        open_room(person(f"host{n}"), title="x", topic="", language="en")
    rooms = list(Room.objects.all())
    with django_assert_num_queries(2):
        assert len(policies_of(rooms)) == number


def test_internal_blocks_tell_by_whom_one_is_blocked_and_not_whom_one_blocks(host, listener):
    Block.objects.create(blocker=host, blocked=listener)

    assert ask("blocks", {"person": listener.id}).json() == {"blocked_by": [host.id]}
    assert ask("blocks", {"person": host.id}).json() == {"blocked_by": []}
