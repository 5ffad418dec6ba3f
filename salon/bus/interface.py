"""What every bus promises, and the two things a subscription yields."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class BusUnavailable(Exception):
    """The bus cannot take a message now. Try again later: the connection is being made anew."""


@dataclass(frozen=True, slots=True)
class Message:
    subject: str
    payload: bytes
    """JSON, UTF-8, as it was published: can be passed on without parsing it."""

    def parsed(self) -> Any:
        return json.loads(self.payload)


@dataclass(frozen=True, slots=True)
class MessagesLost:
    """Between the item before and the item after, messages may be missing: ask again for whatever they told.

    It follows every connection that was made after the subscription, and a buffer that ran over.
    """


class Subscription(Protocol):
    """Messages of one pattern in the order they were published by one publisher. One reader."""

    def __aiter__(self) -> AsyncIterator[Message | MessagesLost]: ...
    async def __anext__(self) -> Message | MessagesLost: ...
    async def close(self) -> None: ...


class Bus(Protocol):
    @property
    def is_connected(self) -> bool: ...

    async def publish(self, subject: str, message: Mapping[str, object]) -> None:
        """Raises BusUnavailable; the message is then lost."""

    async def publish_all(self, messages: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        """Several (subject, message), in this order; with PostgreSQL in one statement, where identical ones may be one.

        Raises BusUnavailable; any of them may then be lost.
        """

    async def subscribe(self, pattern: str) -> Subscription:
        """pattern: a subject, or a prefix that ends in `.>` as in NATS: `stream.>` takes `stream.room/ID`.

        While the bus is connected, what is published from the return on arrives; while it is away, `MessagesLost`
        comes first, when it is back.
        """

    async def close(self) -> None:
        """End all subscriptions: their readers' loops stop."""


def encoded(message: Mapping[str, object]) -> bytes:
    """Compact JSON without newlines."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def matches(pattern: str, subject: str) -> bool:
    """Whether a subscription to `pattern` takes `subject`."""
    if pattern.endswith(".>"):
        return subject.startswith(pattern[:-1]) and len(subject) > len(pattern) - 1
    return subject == pattern
