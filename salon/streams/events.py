"""Numbered events: emit them in the transaction that makes them true, read them again after a drop.

An event's number is taken by a row lock that is held until the commit, so numbers have no gaps, and the order of numbers
is the order of commits: whoever has read number n has read everything below it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from typing_extensions import TypedDict

from salon.bus import publish_all_on_commit
from salon.common.prepared import prepared_cursor
from salon.common.times import rfc3339
from salon.streams.models import Stream, StreamEvent
from salon.streams.names import watched_name

Json = dict[str, object]

# PostgreSQL takes the row locks in the order of the names; the ORM's bulk update promises no order. Then each event is stored under its
# stream's new number less how many of the stream's events come behind it.
_NUMBER_AND_STORE = """
WITH numbered AS (
    INSERT INTO streams_stream AS stream (name, seq)
    SELECT name, taken FROM unnest(%(names)s::text[], %(counts)s::bigint[]) AS wanted (name, taken)
    ON CONFLICT (name) DO UPDATE SET seq = stream.seq + excluded.seq
    RETURNING name, seq
), stored AS (
    INSERT INTO streams_streamevent (stream_id, seq, kind, data, at)
    SELECT event.stream, numbered.seq - event.behind, event.kind, event.data, %(at)s
    FROM jsonb_to_recordset(%(events)s::jsonb) AS event (stream text, behind bigint, kind text, data jsonb)
    JOIN numbered ON numbered.name = event.stream
)
SELECT name, seq FROM numbered
"""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """people: the ids of those whom it is about, for streams of which one person may see what another may not.

    They travel on the bus beside the event's data, for the gateway alone, and are not stored.
    """

    stream: str
    kind: str
    data: Mapping[str, object]
    people: Sequence[str] | None = None


class EventFrame(TypedDict):
    """An event as the gateway sends it; docs/protocol.md section 6."""

    type: str
    stream: str
    seq: int
    kind: str
    data: Json
    at: str


def emit(stream: str, kind: str, data: Mapping[str, object]) -> int:
    """Number, store and, on commit, publish one event. Returns its number. Inside the caller's transaction."""
    return emit_all([NewEvent(stream, kind, data)])[stream]


def emit_all(events: Sequence[NewEvent]) -> dict[str, int]:
    """`emit` for several at once; the newest number of each stream.

    A transaction calls this once, after everything else: it locks streams in the order of their names, and two transactions
    that lock in one order never wait for each other in a circle.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("events are emitted inside the transaction that makes them true")
    if not events:
        return {}
    at = timezone.now()
    seqs = _number_and_store(events, at)
    publish_all_on_commit([_said(event, seq, at) for event, seq in zip(events, seqs, strict=True)])
    return dict(zip((event.stream for event in events), seqs, strict=True))


def redact(stream: str, seq: int, **fields: object) -> None:
    """Overwrite fields of a stored event: what was taken back shall not be told once more to whoever resumes from before it.

    In the transaction that tells the taking back, after `emit_all`, whose lock keeps others away from the stream.
    """
    event = StreamEvent.objects.filter(stream=stream, seq=seq).first()
    if event is not None:
        event.data = {**event.data, **fields}
        event.save(update_fields=["data"])


def newest_seq(stream: str) -> int:
    """0 for a stream without events."""
    return Stream.objects.filter(name=stream).values_list("seq", flat=True).first() or 0


def events_after(stream: str, seq: int) -> list[EventFrame] | None:
    """The events above `seq`, oldest first; None where some of them are no longer stored, or `seq` never was a number of this stream."""
    newest = newest_seq(stream)
    if seq > newest:
        return None
    rows = list(StreamEvent.objects.filter(stream=stream, seq__gt=seq).order_by("seq"))
    return [frame_of(row) for row in rows] if len(rows) == newest - seq else None


def frame_of(event: StreamEvent) -> EventFrame:
    return _frame(event.stream_id, event.seq, event.kind, event.data, event.at)


def _frame(stream: str, seq: int, kind: str, data: Mapping[str, object], at: datetime) -> EventFrame:
    return {"type": "event", "stream": watched_name(stream), "seq": seq, "kind": kind, "data": {**data}, "at": rfc3339(at)}


def _said(event: NewEvent, seq: int, at: datetime) -> tuple[str, dict[str, object]]:
    """Subject and message on the bus."""
    people = {} if event.people is None else {"people": sorted(set(event.people))}
    return f"stream.{event.stream}", {**_frame(event.stream, seq, event.kind, event.data, at), **people}


def _number_and_store(events: Sequence[NewEvent], at: datetime) -> list[int]:
    """Raise each stream's number by the count of its events, which take the numbers in their order. The streams' rows stay locked."""
    counts = Counter(event.stream for event in events)
    names = sorted(counts)
    left = counts.copy()
    behind = []
    for event in events:
        left[event.stream] -= 1
        behind.append(left[event.stream])
    stored = [
        {"stream": event.stream, "behind": number, "kind": event.kind, "data": event.data}
        for event, number in zip(events, behind, strict=True)
    ]
    values: dict[str, Any] = {"names": names, "counts": [counts[name] for name in names], "events": json.dumps(stored), "at": at}
    with prepared_cursor() as cursor:
        cursor.execute(_NUMBER_AND_STORE, values)
        newest = dict(cursor.fetchall())
    return [newest[event.stream] - number for event, number in zip(events, behind, strict=True)]
