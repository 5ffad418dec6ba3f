"""Times on the wire: RFC 3339 in UTC, as docs/protocol.md section 1 says."""

from datetime import UTC, datetime


def rfc3339(time: datetime) -> str:
    """`2026-11-23T05:00:00.123456Z`, in microseconds: what the database keeps, so that a time reads the same wherever it comes from."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
