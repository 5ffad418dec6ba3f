"""The buffer between a bus and one reader: bounded, and honest about what it dropped."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

from salon.bus.interface import Message, MessagesLost, matches

LONGEST_BUFFER = 10_000
"""Messages. A reader this far behind would rather have the present than the past."""


class BufferedSubscription:
    """A Subscription that a bus fills by `offer`."""

    def __init__(self, pattern: str, *, limit: int = LONGEST_BUFFER, on_close: Callable[["BufferedSubscription"], Awaitable[None]]) -> None:
        self.pattern = pattern
        self._limit = limit
        self._on_close = on_close
        self._items: deque[Message | MessagesLost] = deque()
        self._filled = asyncio.Event()
        self._closed = False

    def takes(self, subject: str) -> bool:
        return matches(self.pattern, subject)

    def offer(self, message: Message) -> None:
        if not self.takes(message.subject):
            return
        if len(self._items) >= self._limit:
            self._items.clear()
            self._items.append(MessagesLost())
        self._items.append(message)
        self._filled.set()

    def report_loss(self) -> None:
        if not self._items or not isinstance(self._items[-1], MessagesLost):
            self._items.append(MessagesLost())
        self._filled.set()

    def finish(self) -> None:
        """The bus is closing: what is buffered can still be read, then the loop ends."""
        self._closed = True
        self._filled.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message | MessagesLost:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        return self._items.popleft()

    async def close(self) -> None:
        await self._on_close(self)
        self.finish()
