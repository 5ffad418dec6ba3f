"""Who follows whom, page by page; whom one blocked or muted."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from salon.accounts.models import Person
from salon.social.models import Block, Follow, PingMute
from tests.social.people import NOT_FOUND, Api, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def fans(person, alice) -> list[Person]:
    """Sixty who follow Alice, each a minute before the one after: fan_59 is the newest."""
    fans = [person(f"fan_{number:02}") for number in range(60)]
    begin = timezone.now() - timedelta(days=1)
    for number, fan in enumerate(fans):
        follow = Follow.objects.create(follower=fan, followed=alice)
        Follow.objects.filter(pk=follow.pk).update(at=begin + number * timedelta(minutes=1))
    return fans


def numbers(handles: list[str]) -> list[int]:
    return [int(handle.removeprefix("fan_")) for handle in handles]


def pages(api, path: str) -> list[list[int]]:
    """All of them, one after another."""
    found, after = [], {}
    while True:
        page = api.get(path, **after).json()
        found.append(numbers([face["handle"] for face in page["people"]]))
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


def test_followers_come_newest_first_fifty_at_a_time(visitor, fans):
    assert pages(visitor, "people/alice/followers") == [list(range(59, 9, -1)), list(range(9, -1, -1))]


@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_a_list_that_fits_one_page_has_no_next(visitor, fans, count):
    Follow.objects.exclude(follower__in=fans[:count]).delete()
    assert pages(visitor, "people/alice/followers") == [list(range(count - 1, -1, -1))]


def test_pages_neither_skip_nor_repeat_while_people_come_and_go(visitor, person, alice, fans):
    first = visitor.get("people/alice/followers").json()
    Follow.objects.filter(follower=fans[10]).delete()  # the last one shown
    Follow.objects.create(follower=person("fan_99"), followed=alice)
    second = visitor.get("people/alice/followers", after=first["next"]).json()
    assert numbers([face["handle"] for face in second["people"]]) == list(range(9, -1, -1))
    assert second["next"] is None


def test_pages_of_people_who_followed_in_the_same_instant_are_whole(visitor, fans):
    Follow.objects.update(at=timezone.now())
    first, second = pages(visitor, "people/alice/followers")
    assert (len(first), len(second)) == (50, 10)
    assert sorted(first + second) == list(range(60))


def test_following_is_the_other_side(visitor, as_bob, alice, carol, bob):
    as_bob.put("people/alice/follow")
    as_bob.put("people/carol/follow")
    page = visitor.get("people/bob/following").json()
    assert page == {
        "people": [
            {"id": carol.id, "handle": "carol", "name": "Carol", "picture": None},
            {"id": alice.id, "handle": "alice", "name": "Alice", "picture": None},
        ],
        "next": None,
    }
    assert visitor.handles("people/bob/followers") == []
    assert visitor.handles("people/alice/followers") == ["bob"]


def test_lists_and_counts_leave_out_who_blocked_the_one_who_asks(as_alice, as_bob, as_carol, visitor, carol):
    for api in (as_alice, as_bob):
        api.put("people/carol/follow")
    as_carol.put("people/alice/follow")
    as_alice.put("people/bob/block")
    assert as_bob.handles("people/carol/followers") == ["bob"]
    assert as_bob.handles("people/carol/following") == []
    assert (as_bob.relation("carol")["followers"], as_bob.relation("carol")["following"]) == (1, 0)
    for other in (as_alice, as_carol, visitor):
        assert other.handles("people/carol/followers") == ["bob", "alice"]
        assert other.handles("people/carol/following") == ["alice"]
    assert as_alice.relation("carol")["followers"] == 2


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_pending": True}])
def test_lists_and_counts_leave_out_who_is_not_there(visitor, as_bob, alice, bob, state):
    as_bob.put("people/alice/follow")
    Person.objects.filter(pk=bob.pk).update(**state)
    assert visitor.handles("people/alice/followers") == []
    assert visitor.relation("alice")["followers"] == 0


@pytest.mark.parametrize("thing", ["followers", "following"])
def test_lists_of_nobody_are_not_found(as_alice, thing):
    assert refusal(as_alice.get(f"people/nobody_here/{thing}")) == NOT_FOUND


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


NEVER_WRITTEN = ["1." + "a" * 25, "-1." + "a" * 26, "." + "a" * 26, "9" * 30 + "." + "a" * 26, "9" * 18 + "." + "a" * 26, "²." + "a" * 26]


@pytest.mark.parametrize("after", ["", "x", "é", "%00", "===", "A" * 100, "A" * 101, *map(encoded, NEVER_WRITTEN)])
def test_a_cursor_that_was_never_given_out_is_refused_by_name(as_alice, after):
    assert refusal(as_alice.get("people/alice/followers", after=after)) == (400, "invalid", "after")


def test_own_lists_come_newest_first(as_alice, alice, fans):
    for number in (3, 1, 2):
        Block.objects.create(blocker=alice, blocked=fans[number])
        PingMute.objects.create(person=alice, sender=fans[number])
    assert numbers(as_alice.handles("me/blocks")) == numbers(as_alice.handles("me/ping-mutes")) == [2, 1, 3]


@pytest.mark.parametrize(("path", "queries"), [("people/alice/followers", 3), ("me/blocks", 2), ("me/ping-mutes", 2)])
@pytest.mark.parametrize("count", [1, 3])
def test_lists_cost_as_many_queries_for_three_as_for_one(fans, path, queries, count, django_assert_num_queries):
    alice = Person.objects.get(handle="alice")
    Follow.objects.exclude(follower__in=fans[:count]).delete()
    for fan in fans[:count]:
        Block.objects.create(blocker=alice, blocked=fan)
        PingMute.objects.create(person=alice, sender=fan)
    api = Api(alice)
    api.get(path)  # the token notes its first use
    with django_assert_num_queries(queries):
        assert len(api.handles(path)) == count
