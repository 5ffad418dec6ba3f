import pytest

from salon.common import rate_limits
from salon.common.errors import TooManyRequests
from salon.common.rate_limits import RateLimit


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_rate_limit_lets_a_burst_through_and_then_its_rate():
    clock = Clock()
    limit = RateLimit(per_sec=2, burst=3, clock=clock)
    for _ in range(3):
        limit.take("ann")
    with pytest.raises(TooManyRequests) as refused:
        limit.take("ann")
    assert refused.value.retry_after_secs == 1
    clock.now = 0.5
    limit.take("ann")
    with pytest.raises(TooManyRequests):
        limit.take("ann")


def test_rate_limit_counts_each_person_apart():
    limit = RateLimit(per_sec=1, burst=1, clock=Clock())
    limit.take("ann")
    limit.take("ben")


def test_rate_limit_tells_how_long_to_wait():
    limit = RateLimit(per_sec=1 / 20, burst=1, clock=Clock())
    limit.take("ann")
    with pytest.raises(TooManyRequests) as refused:
        limit.take("ann")
    assert refused.value.retry_after_secs == 20


def test_rate_limit_forgets_who_has_been_quiet_longest(monkeypatch):
    monkeypatch.setattr(rate_limits, "_REMEMBERED", 2)
    limit = RateLimit(per_sec=1, burst=1, clock=Clock())
    for person in ("ann", "ben", "cleo"):
        limit.take(person)
    limit.take("ann")
    with pytest.raises(TooManyRequests):
        limit.take("cleo")
