from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from salon.config.environment import environment
from salon.rooms import capacity, queries
from salon.rooms.access import access_room_by_id
from salon.rooms.enums import Visibility
from salon.rooms.models import Place, Removal, Room
from salon.rooms.rate_limits import ROOMS_OPENED
from salon.streams.models import StreamEvent
from tests.rooms.fake_clubs import CLUB
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
        "speakers": [face], "audience": 0, "capacity": 5000, "opened_at": body["opened_at"], "why": "It has just opened.", "folded": False,
        "state": {
            "id": room.id, "title": "Evening talk", "topic": "Books", "language": "fr", "visibility": "open", "phase": "live",
            "opened_at": body["opened_at"], "ended_at": None, "host": face, "hand_count": 0,
            "stage": [
                {
                    "person": face, "role": "host", "muted": False, "held": False, "status": None, "csrc": place.csrc,
                    "since": body["opened_at"],
                },
            ],
            "club": None, "locked": False, "capacity": 5000, "hand_policy": "everyone", "stage_locked": False, "fair_floor": False,
            "turn_secs": None, "chat": True, "questions": True, "links": True, "reactions": True, "polls": True, "slow_mode_secs": 0,
            "deputy": None, "grace_ends_at": None, "host_away": False,
        },
        "mine": {
            "role": "host", "on_stage": True, "hand_raised_at": None, "hand_position": None, "invited_by": None, "muted": False,
            "muted_by": None, "held": None, "status": None, "silenced": False,
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
        ({"title": "x", "language": "fr", "visibility": "secret"}, "visibility"),
        ({"title": "x", "language": "fr", "locked": "no"}, "locked"),
        ({"title": "x", "language": "fr", "capacity": 1}, "capacity"),
        ({"title": "x", "language": "fr", "capacity": 5001}, "capacity"),
        ({"title": "x", "language": "fr", "capacity": 2.5}, "capacity"),
        ({"title": "x", "language": "fr", "hand_policy": "club"}, "hand_policy"),
        ({"title": "x", "language": "fr", "turn_secs": 29}, "turn_secs"),
        ({"title": "x", "language": "fr", "turn_secs": 3601}, "turn_secs"),
        ({"title": "x", "language": "fr", "slow_mode_secs": -1}, "slow_mode_secs"),
        ({"title": "x", "language": "fr", "slow_mode_secs": 301}, "slow_mode_secs"),
        ({"title": "x", "language": "fr", "chat": None}, "chat"),
        ({"title": "x", "language": "fr", "club": "readers"}, "club"),
        ({"title": "x", "language": "fr", "visibilty": "open"}, "visibilty"),
    ],
)
def test_open_room_refuses_a_field_by_name(host, body, field):
    answer = Api(host).post("rooms", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "invalid", field)
    assert not Room.objects.exists()


def test_open_room_takes_every_setting(host, clubs):
    clubs.leaders.add((CLUB, host.id))
    settings = {
        "visibility": "social", "locked": True, "capacity": 2, "hand_policy": "followed_by_speakers", "stage_locked": True,
        "fair_floor": True, "turn_secs": 30, "chat": False, "questions": False, "links": False, "reactions": False, "polls": False,
        "slow_mode_secs": 300,
    }  # fmt: skip
    answer = Api(host).post("rooms", {"title": "x", "language": "fr", "club": CLUB, **settings})
    assert answer.status_code == 201, answer.content
    state = answer.json()["state"]
    assert {name: state[name] for name in settings} == settings
    assert state["club"] == {"id": CLUB, "name": "Readers", "rules": ["Be kind."]}


def test_open_room_answers_alike_for_a_club_that_is_missing_and_one_of_others(host, stranger, clubs):
    clubs.leaders.add((CLUB, stranger.id))
    answers = [Api(host).post("rooms", {"title": "x", "language": "fr", "club": club}) for club in (CLUB, "b" * 26)]
    assert [(answer.status_code, answer.json()["code"], answer.json()["field"]) for answer in answers] == [(404, "not_found", "club")] * 2
    assert not Room.objects.exists()


@pytest.mark.parametrize("visibility", ["social", "closed"])
def test_open_room_that_is_not_open_is_told_to_nobody_else(host, visibility):
    assert Api(host).post("rooms", {"title": "x", "language": "fr", "visibility": visibility}).status_code == 201
    assert list(StreamEvent.objects.values_list("stream", flat=True)) == [f"person/{host.id}"]


def test_capacity_of_a_room_is_never_above_the_operators(host, monkeypatch):
    body = Api(host).post("rooms", {"title": "x", "language": "fr", "capacity": 50}).json()
    assert (body["capacity"], body["state"]["capacity"]) == (50, 50)
    monkeypatch.setattr(capacity, "environment", lambda: replace(environment(), room_capacity=20))
    assert Api(host).get(f"rooms/{body['id']}").json()["capacity"] == 20


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


@pytest.mark.parametrize(("path", "queries"), [("me", 1), ("hallway", 3), ("rooms/{}", 3)])
def test_what_clients_ask_most_takes_few_queries_in_all(room, listener, path, queries, django_assert_num_queries):
    """Whose token it is, the door, the stage."""
    api = Api(listener)
    api.get("me")  # notes the day of the token
    with django_assert_num_queries(queries):
        assert api.get(path.format(room.id)).status_code == 200


@pytest.mark.parametrize("number", [1, 3])
def test_get_room_takes_the_same_queries_whatever_its_size(room, person, host, number, django_assert_num_queries):
    for n in range(number):
        Place.objects.create(room=room, person=person(f"guest{n}"), csrc=n + 1, role="speaker", on_stage_since=timezone.now())
    with django_assert_num_queries(2):
        body = queries.room_body(caller(host), access_room_by_id(caller(host), room.id))
    assert len(body["state"]["stage"]) == 2 + number
