"""Numbered events: emit them in the transaction that makes them true, read them again after a drop.

An event's number is taken by a row lock that is held until the commit, so numbers have no gaps, and the order of numbers
is the order of commits: whoever has read number n has read everything below it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone
from typing_extensions import TypedDict

from salon.bus import publish_all_on_commit
from salon.common.times import rfc3339
from salon.streams.models import Stream, StreamEvent
from salon.streams.names import watched_name

Json = dict[str, object]


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
    newest = _take_numbers(Counter(event.stream for event in events))
    seqs = dict(newest)
    at = timezone.now()
    rows: list[StreamEvent] = []
    for event in reversed(events):
        rows.append(StreamEvent(stream_id=event.stream, seq=seqs[event.stream], kind=event.kind, data=event.data, at=at))
        seqs[event.stream] -= 1
    rows.reverse()
    StreamEvent.objects.bulk_create(rows)
    publish_all_on_commit([_said(event, row) for event, row in zip(events, rows, strict=True)])
    return newest


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
    at: datetime = event.at
    return {
        "type": "event",
        "stream": watched_name(event.stream_id),
        "seq": event.seq,
        "kind": event.kind,
        "data": event.data,
        "at": rfc3339(at),
    }


def _said(event: NewEvent, row: StreamEvent) -> tuple[str, dict[str, object]]:
    """Subject and message on the bus."""
    people = {} if event.people is None else {"people": sorted(set(event.people))}
    return f"stream.{row.stream_id}", {**frame_of(row), **people}


def _take_numbers(counts: Mapping[str, int]) -> dict[str, int]:
    """Raise each stream's number by its count and keep the rows locked until the commit."""
    if not counts:
        return {}
    names = sorted(counts)
    # PostgreSQL takes the row locks of VALUES in their order; the ORM's bulk update promises no order.
    values = ", ".join(["(%s, %s)"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO streams_stream AS stream (name, seq) VALUES {values}"  # noqa: S608  (placeholders only)
            " ON CONFLICT (name) DO UPDATE SET seq = stream.seq + excluded.seq RETURNING name, seq",
            [value for name in names for value in (name, counts[name])],
        )
        return dict(cursor.fetchall())
