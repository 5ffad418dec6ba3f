"""Kinds of streams: who may watch one, and its state now. Apps register theirs when they are loaded; streams know none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from salon.streams.events import EventFrame, Json, StoredEvent


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who wants to watch: at most one of the ids is set."""

    person: str | None
    visitor: str | None


class View(Protocol):
    """How a stream looks to one watcher to whom it is not what it is to everybody.

    The same promise holds within it: its snapshot at one number, and its events after that, make its snapshot at a later number.
    """

    def state(self, key: str) -> Json: ...

    def event(self, event: StoredEvent) -> EventFrame:
        """What the watcher gets in its place, under the same number."""
        ...


def _the_same_for_everybody(watcher: Watcher) -> View | None:
    return None


@dataclass(frozen=True, slots=True)
class StreamKind:
    """name: the part before the slash. admit: raises the app's `not_found` where the stream of this key is not for the watcher.

    state: the snapshot, from the database alone; it runs in the transaction that read the stream's number.
    view: the watcher's own, where they have one, in the same transaction.
    """

    name: str
    admit: Callable[[Watcher, str], None]
    state: Callable[[str], Json]
    view: Callable[[Watcher], View | None] = _the_same_for_everybody


_KINDS: dict[str, StreamKind] = {}


def register(kind: StreamKind) -> None:
    if kind.name in _KINDS:
        raise ValueError(f"the stream kind {kind.name!r} is registered twice")
    _KINDS[kind.name] = kind


def kind_named(name: str) -> StreamKind | None:
    return _KINDS.get(name)
