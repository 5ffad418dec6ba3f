from datetime import timedelta

import pytest
from django.utils import timezone

from salon.rooms import queries
from salon.rooms.access import access_room_by_id
from salon.rooms.enums import Visibility
from salon.rooms.models import Place, Removal, Room
from salon.rooms.rate_limits import ROOMS_OPENED
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db


def test_open_room_answers_the_room_with_its_host_on_stage(host):
    answer = Api(host).post("rooms", {"title": "  Evening   talk ", "topic": "Books", "language": "FR"})
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


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"language": "fr"}, "title"),
        ({"title": " \u200b ", "language": "fr"}, "title"),
        ({"title": "x" * 101, "language": "fr"}, "title"),
        ({"title": "x", "topic": "x" * 201, "language": "fr"}, "topic"),
        ({"title": "x"}, "language"),
        ({"title": "x", "language": "f"}, "language"),
        ({"title": "x", "language": "french please"}, "language"),
        ({"title": "x", "language": "fr", "visibility": "closed"}, "visibility"),
        ({"title": "x", "language": "fr", "visibilty": "open"}, "visibilty"),
    ],
)
def test_open_room_refuses_a_field_by_name(host, body, field):
    answer = Api(host).post("rooms", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "invalid", field)
    assert not Room.objects.exists()


def test_open_room_needs_a_person(db):
    answer = Api().post("rooms", {"title": "x", "language": "fr"})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


def test_open_room_too_often_says_when_to_ask_again(host, monkeypatch):
    monkeypatch.setattr(ROOMS_OPENED, "_clock", lambda: 0.0)
    api = Api(host)
    answers = [api.post("rooms", {"title": "x", "language": "fr"}) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    assert (answers[-1].json()["code"], answers[-1]["Retry-After"]) == ("too_many_requests", "20")


def test_get_room_as_a_visitor(room):
    body = Api().get(f"rooms/{room.id}").json()
    assert body["mine"] is None
    assert [member["role"] for member in body["state"]["stage"]] == ["host", "speaker"]


@pytest.mark.parametrize("room_id", ["a" * 26, "nonsense", "A" * 26, "0" * 26])
def test_get_room_missing(db, stranger, room_id):
    answer = Api(stranger).get(f"rooms/{room_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("visibility", [Visibility.CLOSED, Visibility.SOCIAL])
def test_private_room_answers_exactly_like_a_missing_one(room, stranger, listener, visibility):
    Room.objects.update(visibility=visibility)
    for outsider in (Api(stranger), Api()):
        private, missing = outsider.get(f"rooms/{room.id}"), outsider.get(f"rooms/{'a' * 26}")
        assert (private.status_code, private.content) == (404, missing.content)
    assert Api(listener).get(f"rooms/{room.id}").status_code == 200


def test_removed_person_finds_no_room_until_the_time_is_over(room, listener, host):
    now = timezone.now()
    removal = Removal.objects.create(room=room, person=listener, by=host, at=now, until=now + timedelta(minutes=5))
    api = Api(listener)
    assert api.get(f"rooms/{room.id}").status_code == 404
    assert api.get("hallway").json() == {"rooms": []}
    Removal.objects.filter(id=removal.id).update(at=now - timedelta(minutes=9), until=now - timedelta(seconds=1))
    assert api.get(f"rooms/{room.id}").status_code == 200


@pytest.mark.parametrize("path", ["hallway", "rooms/{id}"])
def test_visitor_is_asked_to_sign_in_where_the_operator_wants_it(room, without_visitors, path):
    answer = Api().get(path.format(id=room.id))
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


def test_get_room_that_ended_tells_so(room):
    Room.objects.update(phase="ended", ended_at=timezone.now(), end_reason="ended")
    assert Api().get(f"rooms/{room.id}").json()["state"]["phase"] == "ended"


@pytest.mark.parametrize("number", [1, 3])
def test_get_room_takes_the_same_queries_whatever_its_size(room, person, host, number, django_assert_num_queries):
    for n in range(number):
        Place.objects.create(room=room, person=person(f"guest{n}"), csrc=n + 1, role="speaker", on_stage_since=timezone.now())
    with django_assert_num_queries(2):
        body = queries.room_body(caller(host), access_room_by_id(caller(host), room.id))
    assert len(body["state"]["stage"]) == 2 + number
