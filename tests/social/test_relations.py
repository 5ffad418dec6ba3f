"""What the apps above ask by id: one query each."""

import pytest

from salon.social.models import Block, Follow
from salon.social.relations import blocked_by, who_blocked, who_follow

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(person) -> dict[str, str]:
    """Ann and Ben follow Dan, Ben and Cleo have blocked him."""
    ids = {handle: person(handle).id for handle in ("ann", "ben", "cleo", "dan")}
    Follow.objects.bulk_create(Follow(follower_id=ids[handle], followed_id=ids["dan"]) for handle in ("ann", "ben"))
    Block.objects.bulk_create(Block(blocker_id=ids[handle], blocked_id=ids["dan"]) for handle in ("ben", "cleo"))
    return ids


@pytest.mark.parametrize(("ask", "one", "other"), [(who_follow, "ann", "ben"), (who_blocked, "cleo", "ben")])
def test_who_follow_or_blocked_somebody(ids, ask, one, other):
    assert ask(ids["dan"]) == {ids[one], ids[other]}
    assert ask(ids["dan"], among=[ids[one], ids["dan"]]) == {ids[one]}
    assert ask(ids["dan"], among=[]) == set()
    assert ask(ids[one]) == set()


def test_whom_somebody_has_blocked(ids):
    assert blocked_by(ids["cleo"]) == {ids["dan"]}
    assert blocked_by(ids["ann"]) == blocked_by(ids["dan"]) == set()


@pytest.mark.parametrize("ask", [who_follow, who_blocked, blocked_by])
def test_each_question_is_one_query(ids, ask, django_assert_num_queries):
    with django_assert_num_queries(1):
        ask(ids["dan"])
