"""Shapes on the wire; docs/protocol.md section 3."""

from datetime import datetime

from typing_extensions import TypedDict  # pydantic reads no others before Python 3.12

Range = tuple[float, float | None]
"""From, and to; null: open."""


class OwnQuality(TypedDict):
    """Ten minutes in one room. Of each measure the worst step that was reported."""

    room: str
    at: datetime
    direction: str
    reports: int
    transport: str | None
    lost_share: Range | None
    concealed_share: Range | None
    jitter_ms: Range | None
    delay_ms: Range | None
    round_trip_ms: Range | None


class OwnQualityPage(TypedDict):
    quality: list[OwnQuality]
