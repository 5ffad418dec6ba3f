"""Reports of clients become rows, and rows are forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from salon.common.sound_quality import QualityReport
from salon.config.environment import environment
from salon.quality.domain.steps import DELAY_MS, JITTER_MS, ROUND_TRIP_MS, SHARE, Scale
from salon.quality.models import SoundQuality

WINDOW = timedelta(minutes=10)
# A session's last report is sent as it ends, and may be overtaken by the word of its end.
_ENDED_WITHIN = timedelta(minutes=2)

# Who is not the session's owner joins with nothing. The worst steps: a report that is kept twice changes only the count.
_KEEP = """
    WITH told AS (
        SELECT * FROM unnest(
            %(sessions)s::text[], %(owners)s::text[], %(transports)s::text[], %(lost)s::smallint[], %(concealed)s::smallint[],
            %(jitter)s::smallint[], %(delay)s::smallint[], %(round_trip)s::smallint[]
        ) WITH ORDINALITY AS told (session, owner, transport, lost, concealed, jitter, delay, round_trip, number)
    )
    INSERT INTO quality_soundquality AS kept
        (person_id, room_id, direction, at, reports, transport, lost, concealed, jitter, delay, round_trip)
    SELECT session.person_id, session.room_id, session.direction, %(at)s, count(*),
        COALESCE((array_agg(told.transport ORDER BY told.number DESC) FILTER (WHERE told.transport <> ''))[1], ''),
        max(told.lost), max(told.concealed), max(told.jitter), max(told.delay), max(told.round_trip)
    FROM told
    JOIN rooms_mediasession AS session ON session.id = told.session AND session.person_id = told.owner
    WHERE session.ended_at IS NULL OR session.ended_at > %(ended_after)s
    GROUP BY session.person_id, session.room_id, session.direction
    ON CONFLICT (person_id, room_id, direction, at) DO UPDATE SET
        reports = LEAST(kept.reports + EXCLUDED.reports, 32767),
        transport = CASE WHEN EXCLUDED.transport = '' THEN kept.transport ELSE EXCLUDED.transport END,
        lost = GREATEST(kept.lost, EXCLUDED.lost),
        concealed = GREATEST(kept.concealed, EXCLUDED.concealed),
        jitter = GREATEST(kept.jitter, EXCLUDED.jitter),
        delay = GREATEST(kept.delay, EXCLUDED.delay),
        round_trip = GREATEST(kept.round_trip, EXCLUDED.round_trip)
"""


def keep_reports(reports: Sequence[QualityReport], now: datetime | None = None) -> int:
    """Keep what people said of sessions of their own that are live, or ended a moment ago; the rest is dropped. Returns how many rows."""
    if environment().quality_days == 0 or not reports:
        return 0
    now = now or timezone.now()
    told: dict[str, Any] = {
        "sessions": [report["session"] for report in reports],
        "owners": [report["owner"] for report in reports],
        "transports": [report["transport"] or "" for report in reports],
        "lost": _steps(SHARE, [report["lost_share"] for report in reports]),
        "concealed": _steps(SHARE, [report["concealed_share"] for report in reports]),
        "jitter": _steps(JITTER_MS, [report["jitter_ms"] for report in reports]),
        "delay": _steps(DELAY_MS, [report["delay_ms"] for report in reports]),
        "round_trip": _steps(ROUND_TRIP_MS, [report["round_trip_ms"] for report in reports]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {**told, "at": window_of(now), "ended_after": now - _ENDED_WITHIN})
        return int(cursor.rowcount)


def forget_old_quality(now: datetime | None = None) -> int:
    """Returns how many rows."""
    before = (now or timezone.now()) - timedelta(days=environment().quality_days)
    return SoundQuality.objects.filter(at__lt=before).delete()[0]


def window_of(now: datetime) -> datetime:
    """The beginning of the ten minutes that `now` is in."""
    return now - timedelta(seconds=now.timestamp() % WINDOW.total_seconds())


def _steps(scale: Scale, values: Sequence[float | None]) -> list[int | None]:
    return [None if value is None else scale.step_of(value) for value in values]
