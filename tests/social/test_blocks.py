import pytest

from salon.social import blocking
from salon.social.models import Block, Follow
from tests.social.people import NOT_FOUND, NOTHING, SIGN_IN, done, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def news(monkeypatch) -> list[tuple[str, str, str]]:
    """What those above were told, in place of what they do."""
    heard: list[tuple[str, str, str]] = []
    monkeypatch.setattr(blocking, "_on_block", [lambda one, other: heard.append(("block", one.handle, other.handle))])
    monkeypatch.setattr(blocking, "_on_unblock", [lambda one, other: heard.append(("unblock", one.handle, other.handle))])
    return heard


def test_block_ends_follows_both_ways_and_hides_the_blocker(as_alice, as_bob, alice, carol):
    as_alice.put("people/bob/follow")
    as_bob.put("people/alice/follow")
    as_bob.put("people/carol/follow")
    assert done(as_alice.put("people/bob/block"))
    assert [(follow.follower.handle, follow.followed.handle) for follow in Follow.objects.all()] == [("bob", "carol")]
    assert as_alice.relation("bob") == {**NOTHING, "following": 1, "i_block": True}
    assert refusal(as_bob.get("people/alice/relation")) == NOT_FOUND


@pytest.mark.parametrize("path", ["", "/relation", "/followers", "/following"])
def test_whoever_was_blocked_cannot_tell_the_blocker_from_nobody(as_alice, as_bob, as_carol, visitor, path):
    as_alice.put("people/bob/block")
    hidden, missing = as_bob.get(f"people/alice{path}"), as_bob.get(f"people/nobody_here{path}")
    assert refusal(hidden) == NOT_FOUND
    assert (hidden.content, hidden.headers) == (missing.content, missing.headers)
    for other in (as_alice, as_carol, visitor):
        assert other.get(f"people/alice{path}").status_code == 200


def test_blocker_still_sees_whom_they_blocked(as_alice, bob):
    as_alice.put("people/bob/block")
    assert as_alice.get("people/bob").json()["handle"] == "bob"
    assert as_alice.handles("me/blocks") == ["bob"]


def test_block_twice_and_unblock_twice_change_nothing_more(as_alice, bob):
    assert done(as_alice.put("people/bob/block")) and done(as_alice.put("people/bob/block"))
    assert Block.objects.count() == 1
    assert done(as_alice.delete("people/bob/block")) and done(as_alice.delete("people/bob/block"))
    assert Block.objects.count() == 0


def test_unblock_brings_back_the_profile_and_no_follow(as_alice, as_bob):
    as_bob.put("people/alice/follow")
    as_alice.put("people/bob/block")
    as_alice.delete("people/bob/block")
    assert as_bob.get("people/alice").status_code == 200
    assert as_bob.relation("alice") == NOTHING


def test_whoever_was_blocked_can_block_back_and_take_it_back(as_alice, as_bob):
    as_alice.put("people/bob/block")
    assert done(as_bob.put("people/alice/block"))
    assert as_bob.handles("me/blocks") == ["alice"]
    assert refusal(as_alice.get("people/bob")) == NOT_FOUND
    assert done(as_bob.delete("people/alice/block"))
    assert as_bob.handles("me/blocks") == []
    assert as_alice.get("people/bob").status_code == 200
    assert refusal(as_bob.get("people/alice")) == NOT_FOUND


def test_blocks_are_nobody_elses_to_see(as_alice, as_bob, as_carol, visitor):
    as_alice.put("people/bob/block")
    assert as_bob.handles("me/blocks") == as_carol.handles("me/blocks") == []
    assert as_carol.relation("bob") == as_carol.relation("alice") == NOTHING
    assert refusal(visitor.get("me/blocks")) == SIGN_IN


def test_blocks_are_many_in_a_row(as_alice, bob):
    assert [as_alice.put("people/bob/block").status_code for _ in range(101)] == [204] * 100 + [429]


def test_a_deleted_person_leaves_no_block(as_alice, as_bob, alice, bob, carol):
    as_alice.put("people/bob/block")
    as_bob.put("people/carol/block")
    bob.delete()
    assert not Block.objects.exists()


def test_whoever_left_salon_is_not_listed_and_the_block_stays(as_alice, bob):
    as_alice.put("people/bob/block")
    bob.is_active = False
    bob.save()
    assert as_alice.handles("me/blocks") == []
    assert Block.objects.count() == 1


def test_callbacks_run_after_the_commit_and_again_when_asked_again(as_alice, bob, news, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        as_alice.put("people/bob/block")
        assert news == []
    assert news == [("block", "alice", "bob")]
    with django_capture_on_commit_callbacks(execute=True):
        as_alice.put("people/bob/block")
        as_alice.delete("people/bob/block")
    assert news == [("block", "alice", "bob")] * 2 + [("unblock", "alice", "bob")]


def test_a_refused_block_is_no_news(as_alice, news, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        as_alice.put("people/alice/block")
        as_alice.put("people/nobody_here/block")
    assert news == []


@pytest.fixture
def news_behind_a_failure(news, monkeypatch) -> list[tuple[str, str, str]]:
    """Another callback stands before the one that hears, and fails."""

    def fail(blocker, blocked):
        raise RuntimeError("no rooms today")

    monkeypatch.setattr(blocking, "_on_block", [fail, *blocking._on_block])
    return news


def test_a_failing_callback_is_logged_and_stops_neither_block_nor_others(
    as_alice, bob, news_behind_a_failure, caplog, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert done(as_alice.put("people/bob/block"))
    assert news_behind_a_failure == [("block", "alice", "bob")]
    assert as_alice.handles("me/blocks") == ["bob"]
    failures = [record for record in caplog.records if getattr(record, "action", "") == "block_callback_failed"]
    assert [record.blocked for record in failures] == [bob.id]
    assert "no rooms today" in (failures[0].exc_text or "")


def test_hiding_costs_no_query_of_its_own(as_alice, bob, django_assert_num_queries):
    as_alice.get("people/bob")  # the token notes its first use
    with django_assert_num_queries(2):  # the token, the profile
        as_alice.get("people/bob")
