"""How long to wait before connecting again."""

import random
from collections.abc import Iterator

FIRST_SECS = 0.1
LONGEST_SECS = 5.0


def delays() -> Iterator[float]:
    """Seconds, doubling, each taken at random from its upper half so that processes that fell together do not return together."""
    longest = FIRST_SECS
    while True:
        yield random.uniform(longest / 2, longest)  # noqa: S311  (spreads load, keeps no secret)
        longest = min(longest * 2, LONGEST_SECS)
