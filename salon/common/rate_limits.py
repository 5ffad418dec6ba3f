"""How fast one person, or one address, may act, counted in each web process's memory.

A limit here keeps one client from being a load; it is not a promise that must hold exactly, and a shared counter would cost every
action another write. With n processes somebody lucky gets n times as much. What must hold is counted in salon/accounts/rate_limits.py.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from salon.common.errors import TooManyRequests

# Who has been quiet longest is forgotten first; their bucket was full again long ago.
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """A token bucket for each id: `burst` at once, `per_sec` on the long run. clock: monotonic seconds."""

    def __init__(self, *, per_sec: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_sec = per_sec
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Raises TooManyRequests, with the seconds until one more is free."""
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(key, _Bucket(float(self._burst), now))
            self._buckets.move_to_end(key)
            if len(self._buckets) > _REMEMBERED:
                self._buckets.popitem(last=False)
            bucket.tokens = min(float(self._burst), bucket.tokens + (now - bucket.at) * self._per_sec)
            bucket.at = now
            if bucket.tokens < 1:
                raise TooManyRequests(retry_after_secs=ceil((1 - bucket.tokens) / self._per_sec))
            bucket.tokens -= 1

    def forget_all(self) -> None:
        with self._lock:
            self._buckets.clear()
