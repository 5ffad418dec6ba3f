"""Calling people into a room: `ping`, which is no entry right, and `invite_in`, which is."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.actions.ping import PINGS_AN_HOUR
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.models import Guest, Ping, Place, Removal, Room, RoomAction
from salon.rooms.rate_limits import INVITED_IN
from salon.social.models import Block, Follow, PingMute
from tests.rooms.fake_clubs import CLUB
from tests.rooms.messages.traces import events, logged
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def follower(stranger, listener, moderator) -> None:
    """The stranger follows a listener in the room, and a moderator."""
    for followed in (listener, moderator):
        Follow.objects.create(follower=stranger, followed=followed)


def make(room, **changes):
    Room.objects.filter(id=room.id).update(**changes)


def calls(person, kind="pinged"):
    """(room, by whom) of the calls that somebody was shown."""
    return [(data["room"]["id"], data["by"]["handle"]) for name, data in events(f"person/{person.id}") if name == kind]


def test_ping(room, run, follower, stranger):
    assert run("listener", "ping", person=stranger.id) is None
    [(kind, data)] = [event for event in events(f"person/{stranger.id}") if event[0] == "pinged"]
    card = Api(stranger).get("hallway").json()["rooms"][0]
    assert (kind, data["by"]["handle"]) == ("pinged", "listener")
    assert data["room"] == {**card, "why": ""}


def test_ping_to_who_shares_a_club(room, run, stranger, listener, clubs):
    assert run("listener", "ping", person=stranger.id) == "cannot_ping"
    clubs.members |= {(CLUB, listener.id), (CLUB, stranger.id)}
    assert run("listener", "ping", person=stranger.id) is None
    assert calls(stranger) == [(room.id, "listener")]


def test_ping_to_whom_the_sender_follows_is_refused(room, run, stranger, listener):
    Follow.objects.create(follower=listener, followed=stranger)
    answer = Api(listener).command(room.id, "ping", person=stranger.id)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (403, "cannot_ping", "person")
    assert not Ping.objects.exists()


@pytest.mark.parametrize("visibility", ["social", "closed"])
def test_ping_is_no_entry_right(room, run, follower, stranger, visibility):
    make(room, visibility=visibility)
    # The moderator who is followed does not follow back.
    assert run("listener", "ping", person=stranger.id) == "cannot_ping"
    assert calls(stranger) == []


def test_ping_into_a_locked_room_is_for_known_people(room, run, follower, stranger, host):
    make(room, locked=True)
    assert run("listener", "ping", person=stranger.id) == "cannot_ping"
    Guest.objects.create(room=room, person=stranger, by=host, at=timezone.now())
    assert run("listener", "ping", person=stranger.id) is None
    assert calls(stranger) == [(room.id, "listener")]


@pytest.mark.parametrize("blocker", ["sender", "receiver", "host"])
def test_ping_across_a_block_is_refused(room, run, follower, stranger, listener, host, blocker):  # noqa: PLR0917
    pairs = {"sender": (listener, stranger), "receiver": (stranger, listener), "host": (host, stranger)}
    Block.objects.create(blocker=pairs[blocker][0], blocked=pairs[blocker][1])
    assert run("listener", "ping", person=stranger.id) == "cannot_ping"
    assert calls(stranger) == []


def test_ping_to_who_was_removed_is_refused(room, run, follower, stranger, host):
    enter_room(room, stranger)
    remove_person(caller(host), room.id, stranger.id, reason="", minutes=None)
    assert run("listener", "ping", person=stranger.id) == "cannot_ping"


def test_ping_that_was_muted_is_accepted_and_not_shown(room, run, follower, stranger, listener):
    PingMute.objects.create(person=stranger, sender=listener)
    assert run("listener", "ping", person=stranger.id) is None
    assert calls(stranger) == []
    assert run("moderator", "ping", person=stranger.id) is None
    assert calls(stranger) == [(room.id, "moderator")]


def test_ping_again_is_accepted_and_not_shown_again(room, run, follower, stranger, listener):
    answers = [Api(listener).command(room.id, "ping", person=stranger.id) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert calls(stranger) == [(room.id, "listener")]


def test_ping_to_who_is_in_the_room_is_not_shown(room, run, follower, stranger):
    enter_room(room, stranger)
    assert run("listener", "ping", person=stranger.id) is None
    assert calls(stranger) == []


def test_ping_needs_the_sender_in_a_live_room(room, run, follower, stranger, listener, host):  # noqa: PLR0917
    assert run("stranger", "ping", person=listener.id) == "not_in_room"
    assert run("listener", "ping", person=listener.id) == "cannot_act_on_oneself"
    assert run("listener", "ping", person="a" * 26) == "not_found"
    assert run("hostess", "end_room") is None
    assert run("listener", "ping", person=stranger.id) == "room_ended"


def test_pings_of_one_sender_are_limited_over_all_rooms(room, listener, person):
    other = open_room(listener, title="Other", language="en")
    people = [person(f"friend{n}") for n in range(PINGS_AN_HOUR + 1)]
    for friend in people:
        Follow.objects.create(follower=friend, followed=listener)
    api = Api(listener)
    answers = [api.command((room, other)[n % 2].id, "ping", person=friend.id) for n, friend in enumerate(people)]
    assert [answer.status_code for answer in answers] == [200] * PINGS_AN_HOUR + [429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert 3500 < int(answers[-1]["Retry-After"]) <= 3600
    assert calls(people[-1]) == []
    # Calling again whom one has called costs nothing; and the hour passes.
    assert api.command(room.id, "ping", person=people[0].id).status_code == 200
    Ping.objects.filter(person=people[0]).update(at=timezone.now() - timedelta(hours=1))
    assert api.command(room.id, "ping", person=people[-1].id).status_code == 200


@pytest.mark.parametrize("visibility", ["open", "social", "closed"])
def test_invite_in(room, run, follower, stranger, visibility):
    make(room, visibility=visibility, locked=True)
    assert run("moderator", "invite_in", person=stranger.id) is None
    assert calls(stranger, "invited_in") == [(room.id, "moderator")]
    assert logged(room) == ("invite_in", "moderator", "stranger", None)
    assert Api(stranger).get(f"rooms/{room.id}").status_code == 200


def test_invite_in_twice_is_told_and_logged_once(room, run, follower, stranger):
    for who in ("moderator", "hostess", "moderator"):
        assert run(who, "invite_in", person=stranger.id) is None
    assert calls(stranger, "invited_in") == [(room.id, "moderator")]
    assert RoomAction.objects.filter(action="invite_in").count() == Guest.objects.count() == 1


@pytest.mark.parametrize("apart", ["strangers", "muted", "blocked", "blocking"])
def test_invite_in_rings_only_with_people_who_want_it(room, run, stranger, moderator, apart):
    if apart != "strangers":
        Follow.objects.create(follower=stranger, followed=moderator)
    match apart:
        case "muted":
            PingMute.objects.create(person=stranger, sender=moderator)
        case "blocked":
            Block.objects.create(blocker=stranger, blocked=moderator)
        case "blocking":
            Block.objects.create(blocker=moderator, blocked=stranger)
    assert run("moderator", "invite_in", person=stranger.id) is None
    assert calls(stranger, "invited_in") == []
    assert Guest.objects.filter(person=stranger).exists()


def test_invite_in_of_whom_another_moderator_blocked_opens_nothing_and_says_nothing(room, run, follower, stranger, host):
    Block.objects.create(blocker=host, blocked=stranger)
    assert run("moderator", "invite_in", person=stranger.id) is None
    assert calls(stranger, "invited_in") == []
    assert Api(stranger).get(f"rooms/{room.id}").status_code == 404


def test_invite_in_of_somebody_removed_ends_the_removal(room, run, follower, stranger, host):
    enter_room(room, stranger)
    remove_person(caller(host), room.id, stranger.id, reason="", minutes=None)
    assert run("moderator", "invite_in", person=stranger.id) is None
    assert Removal.objects.get().lifted_at is not None
    assert ("removal_lifted", {"person": stranger.id}) in events(f"moderation/{room.id}")
    assert calls(stranger, "invited_in") == [(room.id, "moderator")]
    assert Api(stranger).get(f"rooms/{room.id}").status_code == 200


def test_invite_in_of_who_is_there_is_not_told(room, run, follower, stranger):
    enter_room(room, stranger)
    assert run("moderator", "invite_in", person=stranger.id) is None
    assert calls(stranger, "invited_in") == []


@pytest.mark.parametrize(("who", "code"), [("listener", "not_a_moderator"), ("speaker", "not_a_moderator"), ("stranger", "not_in_room")])
def test_invite_in_is_for_moderators_in_the_room(room, run, person, who, code):
    assert run(who, "invite_in", person=person("somebody").id) == code
    assert not Guest.objects.exists()


def test_invite_in_names_whom_it_is_about(room, run, moderator, stranger):
    assert run("moderator", "invite_in", person=moderator.id) == "cannot_act_on_oneself"
    assert run("moderator", "invite_in", person="a" * 26) == "not_found"
    Place.objects.filter(person=moderator).update(left_at=timezone.now())
    assert run("moderator", "invite_in", person=stranger.id) == "not_in_room"
    assert run("hostess", "end_room") is None
    assert run("hostess", "invite_in", person=stranger.id) == "room_ended"
    assert not Guest.objects.exists()


def test_invite_in_is_no_way_around_the_limit_of_calls(room, run, person, stranger, monkeypatch):
    monkeypatch.setattr(INVITED_IN, "_clock", lambda: 0.0)
    monkeypatch.setattr(INVITED_IN, "_burst", 2)
    first, second = person("first"), person("second")
    assert [run("moderator", "invite_in", person=who.id) for who in (first, second, first)] == [None] * 3
    assert run("moderator", "invite_in", person=stranger.id) == "too_many_requests"
    assert not Guest.objects.filter(person=stranger).exists()
    assert run("hostess", "invite_in", person=stranger.id) is None


@pytest.mark.usefixtures("follower")
def test_ping_locks_nobody_s_row(run, stranger):
    """A deactivation locks the person and then their rooms; a call may hold the room already."""
    with CaptureQueriesContext(connection) as captured:
        assert run("listener", "ping", person=stranger.id) is None
    assert [query["sql"] for query in captured if "FOR NO KEY UPDATE" in query["sql"]] == []
