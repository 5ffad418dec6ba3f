"""The count of independent people, against trying every set."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.social.domain.shield import is_marked, most_independent


def are_independent(one: str, other: str, inviter_of: dict[str, str | None]) -> bool:
    """The definition, word for word."""
    invited_one_another = inviter_of[one] == other or inviter_of[other] == one
    share_an_inviter = inviter_of[one] is not None and inviter_of[one] == inviter_of[other]
    return not invited_one_another and not share_an_inviter


def largest_set(inviter_of: dict[str, str | None]) -> int:
    return max(
        size
        for size in range(len(inviter_of) + 1)
        for people in combinations(inviter_of, size)
        if all(are_independent(one, other, inviter_of) for one, other in combinations(people, 2))
    )


@st.composite
def blockers(draw: st.DrawFn) -> dict[str, str | None]:
    """Up to ten of up to fifteen people, of whom each was invited by one who came before, or by nobody; in any order."""
    everybody: dict[str, str | None] = {}
    for number in range(draw(st.integers(0, 15))):
        everybody[f"p{number}"] = draw(st.sampled_from([None, *everybody]))
    some = draw(st.lists(st.sampled_from(sorted(everybody)), unique=True, max_size=10)) if everybody else []
    return {person: everybody[person] for person in some}


@given(blockers())
def test_count_is_that_of_the_largest_independent_set(inviter_of):
    assert most_independent(inviter_of) == largest_set(inviter_of)


@given(blockers())
def test_count_does_not_hang_on_the_order(inviter_of):
    assert most_independent(dict(reversed(inviter_of.items()))) == most_independent(inviter_of)


@given(blockers())
def test_one_blocker_less_never_counts_more_and_at_most_one_less(inviter_of):
    whole = most_independent(inviter_of)
    for person in inviter_of:
        rest = {other: inviter for other, inviter in inviter_of.items() if other != person}
        assert whole - 1 <= most_independent(rest) <= whole


@given(blockers(), st.integers(1, 20))
def test_a_crowd_let_in_by_one_person_counts_as_at_most_one_more(inviter_of, size):
    crowd = {f"sock{number}": "puppeteer" for number in range(size)}
    assert most_independent({**inviter_of, **crowd}) == most_independent(inviter_of) + 1


@pytest.mark.parametrize(
    ("inviter_of", "count"),
    [
        ({}, 0),
        ({"a": None, "b": None, "c": None}, 3),
        ({"a": "x", "b": "x", "c": None}, 2),  # share an inviter
        ({"a": None, "b": "a", "c": None}, 2),  # one invited another
        ({"a": "x", "b": "a", "c": "b", "d": "c", "e": "d"}, 3),  # a chain: every second one
        ({"a": None, "b": "a", "c": "a", "d": "b", "e": "c"}, 3),  # the middle ones would stand in the way: a, d and e
        ({"a": "b", "b": "a"}, 1),  # data that cannot be
    ],
)
def test_count_by_example(inviter_of, count):
    assert most_independent(inviter_of) == count
    assert is_marked(inviter_of) is (count >= 3)
