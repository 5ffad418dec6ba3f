"""The engine's truth about a session as JSON."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salon.relay._engine import SessionTruth

_FIELDS = (
    "session", "room", "person", "direction", "connected", "may_be_heard",
    "last_in_secs", "last_out_secs", "packets_in", "packets_out", "packets_dropped", "transport", "lost_share", "round_trip_secs",
)  # fmt: skip


def truth_of(session: "SessionTruth") -> dict[str, Any]:
    return {name: getattr(session, name) for name in _FIELDS}
