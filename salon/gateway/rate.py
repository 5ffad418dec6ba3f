"""Token bucket: so many a second on the long run, so many at once."""


class TokenBucket:
    def __init__(self, *, per_sec: float, burst: float, now: float) -> None:
        self._per_sec = per_sec
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """now: monotonic seconds. False when none is left."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_sec)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
