"""What a client says of the sound it really gets, as it passes from process to process; docs/protocol.md section 6, "Sound quality".

The gateway parses it, the media process counts it, the worker keeps it in coarse steps.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

SUBJECT = "quality"
"""On the bus: {"reports": [QualityReport…]}."""

SHARE_BOUNDS = (0.005, 0.02, 0.05, 0.1, 0.2)
"""Of 1. Below the first nobody hears a difference; from 10 % on words are lost, and from 20 % on sense."""


class QualityReport(TypedDict):
    """Over `period_secs`. A share is 0..1; None: unknown, or nothing to measure."""

    session: str
    owner: str
    """The id of the person, or visitor, who reports: whether the session is theirs is for the reader to look up."""
    period_secs: float
    packets: int
    lost_share: float | None
    jitter_ms: float | None
    concealed_share: float | None
    delay_ms: float | None
    round_trip_ms: float | None
    transport: str | None


def reports_of(message: Mapping[str, Any]) -> list[QualityReport]:
    """Those of one message on `SUBJECT`."""
    reports: list[QualityReport] = message["reports"]
    return reports
