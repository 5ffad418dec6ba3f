"""Which processes without a port of their own have said lately that they work."""

SILENCE_SECS = 15.0
"""They say it every 5 s (salon/bus/alive.py); two may be lost."""


class Heartbeats:
    def __init__(self) -> None:
        self._heard: dict[str, dict[str, float]] = {}

    def hear(self, part: str, node: str, now: float) -> None:
        """now: monotonic seconds."""
        self._heard.setdefault(part, {})[node] = now

    def is_alive(self, part: str, now: float) -> bool:
        return any(now - at <= SILENCE_SECS for at in self._heard.get(part, {}).values())
