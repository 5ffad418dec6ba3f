"""Kinds of streams: who may watch one, and its state now. Apps register theirs when they are loaded; streams know none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from salon.streams.events import Json


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who wants to watch: at most one of the ids is set."""

    person: str | None
    visitor: str | None


def _same_for_everybody(watcher: Watcher, key: str) -> Json | None:
    return None


@dataclass(frozen=True, slots=True)
class StreamKind:
    """name: the part before the slash. admit: raises the app's `not_found` where the stream of this key is not for the watcher.

    state: the snapshot, from the database alone; it runs in the transaction that read the stream's number.
    own_state: in its place, for a watcher to whom the stream is not what it is to everybody; None to whom it is.
    tally: what holds beside the state and has no number, for the gateway to send along; read in the same transaction.
    """

    name: str
    admit: Callable[[Watcher, str], None]
    state: Callable[[str], Json]
    own_state: Callable[[Watcher, str], Json | None] = _same_for_everybody
    tally: Callable[[str], Json] | None = None


_KINDS: dict[str, StreamKind] = {}


def register(kind: StreamKind) -> None:
    if kind.name in _KINDS:
        raise ValueError(f"the stream kind {kind.name!r} is registered twice")
    _KINDS[kind.name] = kind


def kind_named(name: str) -> StreamKind | None:
    return _KINDS.get(name)
