"""How fast one person may write, vote and react; in all rooms together. Nobody is exempt: a limit is about load, not about manners."""

from salon.accounts.callers import Caller
from salon.accounts.errors import SignInRequired
from salon.common.rate_limits import RateLimit

# A message a second is fast talk; five at once is a thought cut into pieces.
MESSAGES = RateLimit(per_sec=1, burst=5)
QUESTIONS = RateLimit(per_sec=1 / 10, burst=3)
VOTES = RateLimit(per_sec=2, burst=10)
# Applause is quick; beyond this it is a stuck key.
REACTIONS = RateLimit(per_sec=2, burst=6)


def take(limit: RateLimit, caller: Caller) -> None:
    """Raises TooManyRequests; SignInRequired for a visitor, who gives no command."""
    if caller.person is None:
        raise SignInRequired
    limit.take(caller.person.id)
