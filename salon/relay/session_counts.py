"""How sessions came and went since this process started, for operators."""

from collections import Counter

from salon.common.metrics import Labels

DIRECTIONS = ("listen", "speak")
REASONS = ("deleted", "taken_over", "removed", "left_stage", "room_ended", "timed_out", "peer_closed", "internal")
"""The engine's words (docs/subsystems/media.md, "Ends"). What it may learn to say later counts as well."""


class SessionCounts:
    """A handshake fails when its session ends, for a reason of its own or the network's, before it has connected."""

    def __init__(self) -> None:
        self._handshakes: Counter[tuple[str, str]] = Counter()
        self._closed: Counter[str] = Counter()
        self.restored = 0
        """Taken up from the process before."""

    def connected(self, direction: str) -> None:
        self._handshakes[direction, "finished"] += 1

    def closed(self, direction: str, reason: str, *, was_connected: bool) -> None:
        self._closed[reason] += 1
        if not was_connected and reason in ("timed_out", "peer_closed", "internal"):
            self._handshakes[direction, "failed"] += 1

    def handshakes(self) -> dict[Labels, float]:
        return {
            (("direction", direction), ("outcome", outcome)): self._handshakes[direction, outcome]
            for direction in DIRECTIONS
            for outcome in ("finished", "failed")
        }

    def closings(self) -> dict[Labels, float]:
        return {(("reason", reason),): self._closed[reason] for reason in (*REASONS, *sorted(self._closed.keys() - set(REASONS)))}
