from datetime import timedelta

import pytest
from django.utils import timezone

from salon.rooms import queries
from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.models import Guest, Room
from salon.social.models import Block, Follow
from tests.rooms.people import VISITOR, Api, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(person):
    """A room by title, with its language, audience and age in minutes."""

    def make(title, language="en", audience=0, minutes=0, visibility="open"):
        room = open_room(person(title.lower()), title=title, topic="", language=language)
        Room.objects.filter(id=room.id).update(
            audience=audience, opened_at=timezone.now() - timedelta(minutes=minutes), visibility=visibility
        )
        return room

    return make


def titles(answer):
    return [room["title"] for room in answer.json()["rooms"]]


def test_hallway_ranks_my_languages_then_audience_then_newest(opened, stranger):
    opened("Old", minutes=9)
    opened("New", minutes=1)
    opened("Large", audience=30, minutes=20)
    opened("Quebec", language="fr-CA", minutes=30)
    stranger.languages = ["fr"]
    stranger.save()
    rooms = Api(stranger).client.get("/api/v1/hallway", headers={"Accept-Language": "en"}).json()["rooms"]
    assert [(room["title"], room["why"]) for room in rooms] == [
        ("Quebec", "It is in a language you speak."),
        ("Large", "30 people are listening."),
        ("New", "It has just opened."),
        ("Old", "It has just opened."),
    ]


def test_hallway_of_a_visitor_ranks_by_the_language_they_read(opened):
    opened("Anglais", audience=5)
    opened("Francais", language="fr")
    answer = Api().client.get("/api/v1/hallway", headers={"Accept-Language": "fr"})
    assert titles(answer) == ["Francais", "Anglais"]


def test_hallway_of_one_language(opened, stranger):
    opened("Anglais")
    opened("Quebec", language="fr-CA")
    assert titles(Api(stranger).get("hallway", language="fr")) == ["Quebec"]


def test_hallway_shows_neither_ended_nor_private_rooms(opened, stranger, person):
    room = opened("Closed", visibility="closed")
    ended = opened("Ended")
    Room.objects.filter(id=ended.id).update(phase="ended", ended_at=timezone.now(), end_reason="ended")
    assert titles(Api(stranger).get("hallway")) == []
    assert titles(Api(room.host).get("hallway")) == ["Closed"]


def test_hallway_shows_social_rooms_to_whom_a_moderator_follows_and_closed_ones_to_guests(opened, stranger):
    social, closed = opened("Social", visibility="social"), opened("Closed", visibility="closed", minutes=1)
    api = Api(stranger)
    assert titles(api.get("hallway")) == []
    Follow.objects.create(follower=social.host, followed=stranger)
    Guest.objects.create(room=closed, person=stranger, by=closed.host, at=timezone.now())
    assert titles(api.get("hallway")) == ["Social", "Closed"]
    assert titles(Api().get("hallway")) == []


def test_hallway_leaves_out_rooms_of_who_blocked_one_and_folds_those_of_whom_one_blocked(opened, stranger):
    blocking, blocked = opened("Blocking"), opened("Blocked", minutes=1)
    opened("Neither", minutes=2)
    Block.objects.create(blocker=blocking.host, blocked=stranger)
    Block.objects.create(blocker=stranger, blocked=blocked.host)
    rooms = Api(stranger).get("hallway").json()["rooms"]
    assert [(room["title"], room["folded"]) for room in rooms] == [("Blocked", True), ("Neither", False)]
    assert Api(stranger).get(f"rooms/{blocked.id}").json()["folded"] is True
    assert {room["folded"] for room in Api().get("hallway").json()["rooms"]} == {False}


@pytest.mark.parametrize("number", [1, 3])
def test_hallway_of_a_person_takes_two_queries_whatever_its_length(opened, number, stranger, django_assert_num_queries):
    for n in range(number):
        room = opened(f"Room{n}", visibility="social")
        Follow.objects.create(follower=room.host, followed=stranger)
        Block.objects.create(blocker=stranger, blocked=room.host)
    with django_assert_num_queries(2):
        assert [card["folded"] for card in queries.hallway(caller(stranger))] == [True] * number


@pytest.mark.parametrize("number", [1, 3])
def test_hallway_of_a_visitor_takes_two_queries_whatever_its_length(opened, number, django_assert_num_queries):
    for n in range(number):
        opened(f"Room{n}")
    with django_assert_num_queries(2):
        assert len(queries.hallway(VISITOR)) == number
    with django_assert_num_queries(2):
        assert len(queries.listed_cards()) == number


@pytest.mark.parametrize("number", [1, 3])
def test_places_of_a_person_take_two_queries(opened, person, number, django_assert_num_queries, stranger):
    for n in range(number):
        enter_room(opened(f"Room{n}"), stranger)
    with django_assert_num_queries(2):
        assert len(queries.places_of(stranger.id)) == number
