"""How many values JSON from outside may hold, however they lie in each other."""

import pytest

from salon.common.json_sizes import MOST_VALUES, holds_too_many_values


def nested(depth: int) -> object:
    """As many values as `depth`, each in the one before."""
    value: object = []
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


@pytest.mark.parametrize(
    "many",
    [
        lambda count: [0] * count,
        lambda count: {str(number): 0 for number in range(count)},
        lambda count: {"people": [0] * (count - 1)},
        lambda count: [{"people": {"a": [0] * (count - 3)}}],
        nested,
    ],
)
def test_values_are_counted_at_every_depth(many):
    assert not holds_too_many_values(many(MOST_VALUES))
    assert holds_too_many_values(many(MOST_VALUES + 1))


@pytest.mark.parametrize("value", [None, True, 1.5, "a" * 100_000, [], {}])
def test_length_of_a_text_counts_for_nothing(value):
    assert not holds_too_many_values(value)
