"""Dropping events that nobody will ask for again."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

# A client that was away longer takes a snapshot, which costs less than a long replay.
KEPT_FOR = timedelta(hours=1)
KEPT_AT_MOST = 500


def trim_events(now: datetime | None = None) -> int:
    """Drop events older than an hour, and of each stream all but the newest 500. Returns how many were dropped."""
    before = (now or timezone.now()) - KEPT_FOR
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM streams_streamevent AS event USING streams_stream AS stream"
            " WHERE event.stream_id = stream.name AND (event.at < %s OR event.seq <= stream.seq - %s)",
            [before, KEPT_AT_MOST],
        )
        return int(cursor.rowcount)
