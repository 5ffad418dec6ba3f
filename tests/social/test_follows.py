import pytest

from salon.accounts.models import Person
from salon.social.models import Block, Follow
from tests.social.people import NOT_FOUND, NOTHING, SIGN_IN, Api, done, refusal

pytestmark = pytest.mark.django_db


def test_follow_is_seen_from_both_sides_and_by_visitors(as_alice, as_bob, visitor):
    assert done(as_alice.put("people/bob/follow"))
    assert as_alice.relation("bob") == {**NOTHING, "followers": 1, "i_follow": True}
    assert as_bob.relation("alice") == {**NOTHING, "following": 1, "follows_me": True}
    assert visitor.relation("bob") == {**NOTHING, "followers": 1}


def test_follow_twice_and_unfollow_twice_change_nothing_more(as_alice, bob):
    assert done(as_alice.put("people/bob/follow")) and done(as_alice.put("people/bob/follow"))
    assert Follow.objects.count() == 1
    assert done(as_alice.delete("people/bob/follow")) and done(as_alice.delete("people/bob/follow"))
    assert Follow.objects.count() == 0


def test_unfollow_leaves_the_other_direction(as_alice, as_bob):
    as_alice.put("people/bob/follow")
    as_bob.put("people/alice/follow")
    as_alice.delete("people/bob/follow")
    assert as_alice.relation("bob") == {**NOTHING, "following": 1, "follows_me": True}


@pytest.mark.parametrize("thing", ["follow", "block", "ping-mute"])
@pytest.mark.parametrize("method", ["put", "delete"])
def test_nothing_can_be_done_to_oneself_to_nobody_or_by_a_visitor(as_alice, visitor, thing, method):
    assert refusal(getattr(as_alice, method)(f"people/alice/{thing}")) == (409, "cannot_act_on_oneself", None)
    assert refusal(getattr(as_alice, method)(f"people/nobody_here/{thing}")) == NOT_FOUND
    assert refusal(getattr(as_alice, method)(f"people/%00/{thing}")) == NOT_FOUND
    assert refusal(getattr(visitor, method)(f"people/alice/{thing}")) == SIGN_IN


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_pending": True}])
def test_nobody_follows_who_is_not_there(as_alice, bob, state):
    Person.objects.filter(pk=bob.pk).update(**state)
    assert refusal(as_alice.put("people/bob/follow")) == NOT_FOUND
    assert refusal(as_alice.get("people/bob/relation")) == NOT_FOUND


def test_follow_of_somebody_who_blocked_one_answers_as_for_nobody(as_alice, alice, bob):
    Block.objects.create(blocker=bob, blocked=alice)
    hidden, missing = as_alice.put("people/bob/follow"), as_alice.put("people/nobody_here/follow")
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert refusal(hidden) == NOT_FOUND
    assert not Follow.objects.exists()


def test_follow_of_somebody_whom_one_blocked_asks_to_unblock_first(as_alice, alice, bob):
    as_alice.put("people/bob/block")
    assert refusal(as_alice.put("people/bob/follow")) == (409, "unblock_first", None)
    as_alice.delete("people/bob/block")
    assert done(as_alice.put("people/bob/follow"))


def test_follows_are_few_in_a_row(as_alice, bob):
    answers = [as_alice.put("people/bob/follow") for _ in range(51)]
    assert [answer.status_code for answer in answers] == [204] * 50 + [429]
    assert answers[-1]["Retry-After"] == "5"


def test_a_deleted_person_leaves_no_follow(as_alice, bob):
    as_alice.put("people/bob/follow")
    bob.delete()
    assert not Follow.objects.exists()
    assert as_alice.relation("alice") == NOTHING


def test_follow_costs_no_more_for_somebody_well_known(as_alice, alice, bob, person, django_assert_num_queries):
    as_alice.put("people/bob/follow")  # the token notes its first use
    with django_assert_num_queries(6):  # the token, the person, two counts, the shield, the rest
        as_alice.relation("bob")
    Follow.objects.bulk_create(Follow(follower=person(f"fan_{number:02}"), followed=bob) for number in range(20))
    with django_assert_num_queries(6):
        assert as_alice.relation("bob")["followers"] == 21


def test_visitors_see_no_relation_where_they_may_not_listen(alice, visitor, monkeypatch):
    from dataclasses import replace

    from salon.accounts import access
    from salon.config.environment import environment

    closed = replace(environment(), anonymous_listening=False)
    monkeypatch.setattr(access, "environment", lambda: closed)
    assert refusal(visitor.get("people/alice/relation")) == SIGN_IN
    assert refusal(visitor.get("people/alice/followers")) == SIGN_IN
    assert Api(alice).relation("alice") == NOTHING
