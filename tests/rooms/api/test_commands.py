"""How commands are carried: fields, keys, rates. What each one does is in tests/rooms/messages."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from salon.common.errors import Invalid
from salon.rooms import commands, messages, rate_limits
from salon.rooms.commands import Terms
from salon.rooms.messages import MESSAGES, Acted, Message, register
from salon.rooms.messages.message import NoFields
from salon.rooms.models import CommandReceipt, Place
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db


def test_command_answers_the_number_of_the_rooms_stream(room, listener):
    answer = Api(listener).command(room.id, "raise_hand")
    assert answer.status_code == 200
    lowered = Api(listener).command(room.id, "lower_hand")
    assert lowered.json() == {"seq": answer.json()["seq"] + 1}


def test_command_without_fields_may_come_without_a_body(room, listener):
    assert Api(listener).client.generic("POST", f"/api/v1/rooms/{room.id}/raise_hand").status_code == 200


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("raise_hand", {"person": "x"}, "person"),
        ("invite_to_stage", {}, "person"),
        ("invite_to_stage", {"person": "not an id"}, "person"),
        ("remove_person", {"person": "a" * 26, "minutes": 0}, "minutes"),
        ("remove_person", {"person": "a" * 26, "minutes": 366 * 24 * 60 + 1}, "minutes"),
        ("remove_person", {"person": "a" * 26, "reason": "x" * 301}, "reason"),
    ],
)
def test_command_refuses_a_field_by_name(room, host, name, fields, field):
    answer = Api(host).command(room.id, name, **fields)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "invalid", field)


def test_command_of_too_many_fields_is_refused_without_looking_at_each(room, host):
    fields = {f"k{number}": 0 for number in range(1_001)}
    with pytest.raises(Invalid) as refused:  # as the gateway passes a socket's commands on
        commands.run_named(caller(host), room.id, "raise_hand", fields, Terms())
    assert refused.value.field is None


def test_command_about_an_unknown_person(room, host):
    answer = Api(host).command(room.id, "invite_to_stage", person="a" * 26)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (404, "not_found", "person")


def test_command_of_a_visitor(room):
    answer = Api().command(room.id, "raise_hand")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


def test_unknown_command(room, host):
    assert Api(host).command(room.id, "sing").status_code == 404


def test_same_key_gets_the_first_answer_and_does_nothing_again(room, listener):
    api = Api(listener)
    first = api.command(room.id, "raise_hand", key="k1")
    api.command(room.id, "lower_hand")
    again = api.command(room.id, "raise_hand", key="k1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert api.mine(room.id)["hand_raised_at"] is None


def test_same_key_for_another_command_is_refused(room, listener):
    api = Api(listener)
    api.command(room.id, "raise_hand", key="k1")
    answer = api.command(room.id, "lower_hand", key="k1")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_mismatch")
    assert api.mine(room.id)["hand_position"] == 1


def test_same_key_for_another_person_of_the_command_is_refused(room, host, moderator, listener):
    api = Api(host)
    assert api.command(room.id, "invite_to_stage", key="k1", person=listener.id).status_code == 200
    assert api.command(room.id, "invite_to_stage", key="k1", person=moderator.id).status_code == 409


def test_same_key_of_another_person_is_another_key(room, listener, moderator):
    assert [Api(person).command(room.id, "raise_hand", key="k1").status_code for person in (listener, moderator)] == [200, 200]


def test_a_refusal_keeps_no_key(room, listener):
    api = Api(listener)
    assert api.command(room.id, "lower_hand", key="k1").json()["code"] == "hand_not_raised"
    api.command(room.id, "raise_hand")
    assert api.command(room.id, "lower_hand", key="k1").status_code == 200


def test_key_is_forgotten_after_ten_minutes(room, listener):
    api = Api(listener)
    api.command(room.id, "raise_hand", key="k1")
    api.command(room.id, "lower_hand")
    CommandReceipt.objects.update(at=timezone.now() - timedelta(minutes=10, seconds=1))
    assert api.command(room.id, "raise_hand", key="k1").status_code == 200
    assert api.mine(room.id)["hand_position"] == 1
    CommandReceipt.objects.update(at=timezone.now() - timedelta(minutes=10, seconds=1))
    assert commands.forget_old_receipts() == 1


def test_key_that_is_too_long(room, listener):
    answer = Api(listener).command(room.id, "raise_hand", key="k" * 101)
    assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")


def test_commands_too_fast_say_when_to_ask_again(room, listener, monkeypatch):
    monkeypatch.setattr(rate_limits.COMMANDS, "_clock", lambda: 0.0)
    api = Api(listener)
    answers = [api.command(room.id, "lower_hand") for _ in range(41)]
    assert [answer.json()["code"] for answer in answers] == ["hand_not_raised"] * 40 + ["too_many_requests"]
    assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "1")
    assert Place.objects.get(person=listener).hand_raised_at is None


@pytest.fixture
def made(monkeypatch):
    """Commands of an app above rooms, which make something; forgotten after the test. How often they were carried out."""
    carried_out = []

    def act(caller, room_id, fields):
        carried_out.append(room_id)
        return Acted(7, f"made-{len(carried_out)}")

    monkeypatch.setattr(messages, "_messages", dict(MESSAGES))
    monkeypatch.setattr(commands, "MESSAGES", messages._messages)
    register(Message("make_something", NoFields, act, "For a test"))
    return carried_out


def test_command_that_makes_something_answers_its_id(room, listener, made):
    assert commands.run_named(caller(listener), room.id, "make_something", {}, Terms()) == {"seq": 7, "id": "made-1"}


def test_retry_of_a_command_that_made_something_answers_the_same_id(room, listener, made):
    answers = [commands.run_named(caller(listener), room.id, "make_something", {}, Terms("k")) for _ in range(2)]
    assert answers == [{"seq": 7, "id": "made-1"}] * 2
    assert len(made) == 1


def test_command_cannot_be_registered_twice(made):
    with pytest.raises(ValueError, match="raise_hand"):
        register(MESSAGES["raise_hand"])


def test_a_receipt_cannot_be_guessed_at(room, listener):
    """Whoever reads the database and knows all that somebody could have chosen must not find out what they chose."""
    Api(listener).command(room.id, "raise_hand", key="k1")
    guess = json.dumps([room.id, "raise_hand", {}], sort_keys=True).encode()
    assert CommandReceipt.objects.get().digest != hashlib.sha256(guess).hexdigest()


def test_command_at_the_number_one_saw_is_carried_out(room, host):
    seq = Api(host).command(room.id, "edit_room", title="Before").json()["seq"]
    answer = Api(host).post(f"rooms/{room.id}/edit_room", {"title": "After"}, **{"If-Match": f'"{seq}"'})
    assert (answer.status_code, answer.json()) == (200, {"seq": seq + 1})


@pytest.mark.parametrize("number", ["{behind}", '"{behind}"', "{ahead}"])
def test_command_at_another_number_changes_nothing_and_tells_the_present(room, host, number):
    seq = Api(host).command(room.id, "edit_room", title="Before").json()["seq"]
    number = number.format(behind=seq - 1, ahead=seq + 1)
    answer = Api(host).post(f"rooms/{room.id}/edit_room", {"title": "After"}, **{"If-Match": number})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (412, "precondition_failed")
    assert body["present"] == {"seq": seq, "state": Api(host).state(room.id), "mine": Api(host).mine(room.id)}
    assert body["present"]["state"]["title"] == "Before"


def test_command_at_a_number_that_is_none(room, host):
    answer = Api(host).post(f"rooms/{room.id}/edit_room", {"title": "After"}, **{"If-Match": "W/1"})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "invalid", "If-Match")


def test_key_and_number_together_answer_a_retry_though_the_number_has_moved(room, host):
    seq = Api(host).command(room.id, "edit_room", title="Before").json()["seq"]
    headers = {"If-Match": str(seq), "Idempotency-Key": "one press"}
    first = Api(host).post(f"rooms/{room.id}/edit_room", {"title": "After"}, **headers)
    again = Api(host).post(f"rooms/{room.id}/edit_room", {"title": "After"}, **headers)
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())


def test_refusal_of_who_has_left_and_of_an_ended_room_tells_the_present(room, host, listener):
    Api(listener).command(room.id, "leave_room")
    gone = Api(listener).command(room.id, "raise_hand").json()
    assert (gone["code"], gone["present"]["mine"], gone["present"]["state"]) == ("not_in_room", None, Api(host).state(room.id))
    Api(host).command(room.id, "end_room")
    over = Api(listener).command(room.id, "raise_hand").json()
    assert (over["code"], over["present"]["state"]["phase"], over["present"]["state"]["stage"]) == ("room_ended", "ended", [])


def test_refusal_to_somebody_removed_tells_nothing_of_the_room(room, host, listener):
    Api(host).command(room.id, "remove_person", person=listener.id)
    refused = Api(listener).command(room.id, "raise_hand").json()
    assert sorted(refused) == ["code", "field", "message"] and refused["code"] == "not_found"
