"""What somebody who begins or resumes watching gets: missed events, or the state with the number it is true at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from salon.streams import names
from salon.streams.errors import StreamNotFound
from salon.streams.events import EventFrame, Json, events_after, newest_seq
from salon.streams.kinds import StreamKind, Watcher, kind_named


@dataclass(frozen=True, slots=True)
class Snapshot:
    seq: int
    state: Json
    tally: Json | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    seq: int
    events: list[EventFrame]
    tally: Json | None = None


def open_stream(watcher: Watcher, watched_name: str, after: int | None) -> Snapshot | Missed:
    """after: the number last applied by a client that comes back, else None. Raises StreamNotFound or the app's own `not_found`."""
    kind, key = _resolve(watcher, watched_name)
    name = f"{kind.name}/{key}" if key else kind.name
    with one_view_of_the_database():
        kind.admit(watcher, key)
        seq = newest_seq(name)
        # Events are stored for everybody alike, and what one person may see can have changed since their last one: never resumed from.
        own_state = kind.own_state(watcher, key)
        if own_state is not None:
            return Snapshot(seq, own_state)
        events = events_after(name, after) if after is not None else None
        tally = kind.tally(key) if kind.tally else None
        return Snapshot(seq, kind.state(key), tally) if events is None else Missed(seq, events, tally)


@contextmanager
def one_view_of_the_database() -> Iterator[None]:
    """A transaction whose every query sees the same commits (PostgreSQL's REPEATABLE READ; read-only, so it never has to be retried).

    An event and the change it tells are committed together, so one view holds both or neither: the number read here is exactly
    the number at which the state read here is true. Locking the stream's row would prove the same, but every reader would then
    hold up the room's commands.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _resolve(watcher: Watcher, watched_name: str) -> tuple[StreamKind, str]:
    kind_name, key = names.parse(watched_name)
    kind = kind_named(kind_name)
    if kind is None:
        raise StreamNotFound
    if kind_name == names.PERSON:
        # Nobody names another person's stream: there is only one's own.
        if watcher.person is None or key not in (names.OWN, watcher.person):
            raise StreamNotFound
        key = watcher.person
    return kind, key
