"""A room that is private to somebody answers them exactly as one that does not exist, wherever they ask."""

from contextlib import nullcontext

import pytest
from django.test import Client

from salon.common.ids import new_id
from salon.config.environment import environment
from salon.rooms import rate_limits
from salon.rooms.enums import Visibility
from salon.rooms.models import Place, Room
from salon.social.models import Block
from salon.streams import snapshots
from tests.rooms.messages.asking import OWN, fields_of
from tests.rooms.people import Api

pytestmark = pytest.mark.django_db

# Not of this answer: lengths follow from the body, and a visitor's cookie is new with each first request.
_OF_NO_INTEREST = {"Set-Cookie"}


@pytest.fixture(autouse=True)
def one_transaction(monkeypatch):
    """A snapshot's isolation needs a transaction that it begins itself; here the test's is open."""
    monkeypatch.setattr(snapshots, "one_view_of_the_database", nullcontext)


def seen(answer):
    """Everything that a caller could tell two answers apart by."""
    headers = {name: value for name, value in answer.headers.items() if name not in _OF_NO_INTEREST}
    return answer.status_code, headers, answer.content


def watch(person, stream):
    headers = {"X-Salon-Internal": environment().internal_secret}
    body = {"stream": stream, "person": person.id if person else None, "visitor": None if person else "v" * 26, "after": None}
    return Client(headers=headers).post("/internal/snapshot", body, "application/json")


def asked(api, person, room):
    """Every question about a room that one can put, and its answer."""
    yield "get", api.get(f"rooms/{room}")
    for direction in ("listen", "speak"):
        yield direction, api.sound(room, direction)
        yield f"{direction}, of another type", api.sound(room, direction, content_type="text/plain")
    yield "line", api.get(f"rooms/{room}/line")
    yield "give up the line", api.client.delete(f"/api/v1/rooms/{room}/line")
    for stream in ("room", "conversation", "hands", "moderation"):
        yield f"watch {stream}", watch(person, f"{stream}/{room}")
    for name in OWN:
        rate_limits.COMMANDS.forget_all()
        yield name, api.command(room, name, **fields_of(name, "a" * 26))
        yield f"{name}, with a key", api.command(room, name, key=f"{name} {room}", **fields_of(name, "a" * 26))
        yield f"{name}, misspelt", api.command(room, name, nonsense=1)


@pytest.fixture(params=["closed", "social", "blocked by the host", "blocked by the speaker", "removed", "visitor of a closed one"])
def outsider(request, room, host, speaker, stranger):
    """Somebody, and what keeps them out."""
    match request.param:
        case "closed" | "visitor of a closed one":
            Room.objects.update(visibility=Visibility.CLOSED)
        case "social":
            Room.objects.update(visibility=Visibility.SOCIAL)
        case "blocked by the host":
            Block.objects.create(blocker=host, blocked=stranger)
        case "blocked by the speaker":
            Block.objects.create(blocker=speaker, blocked=stranger)
        case "removed":
            room.removals.create(person=stranger, by=host, at=room.opened_at)
    return None if request.param.startswith("visitor") else stranger


def test_private_room_cannot_be_told_from_a_missing_one(room, outsider, media_process):
    places = Place.objects.count()
    api = Api(outsider)
    api.get("me")  # so that a visitor has a cookie
    private, missing = dict(asked(api, outsider, room.id)), dict(asked(api, outsider, new_id()))
    for question, answer in private.items():
        assert seen(answer) == seen(missing[question]), question
        assert answer.status_code != 200, question
    assert {answer.status_code for answer in (private["get"], private["listen"], private["line"], private["watch room"])} == {404}
    assert (Place.objects.count(), media_process.opened) == (places, [])


def test_private_room_that_ended_or_is_full_or_locked_is_as_missing(room, stranger, media_process):
    for change in ({"locked": True}, {"capacity": 2}, {"phase": "ended", "ended_at": room.opened_at, "end_reason": "ended"}):
        Room.objects.update(visibility=Visibility.CLOSED, **change)
        api = Api(stranger)
        missing = new_id()
        assert seen(api.sound(room.id, "listen")) == seen(api.sound(missing, "listen"))
        assert seen(api.get(f"rooms/{room.id}/line")) == seen(api.get(f"rooms/{missing}/line"))


def test_hallway_tells_nothing_of_a_private_room(room, outsider):
    assert Api(outsider).get("hallway").json() == {"rooms": []}
