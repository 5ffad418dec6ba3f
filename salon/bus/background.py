"""Publishing to NATS from threads: one event loop in one background thread for each process."""

import asyncio
import atexit
import logging
import os
import threading
from collections import deque
from functools import cache

import nats.errors

from salon.bus.interface import BusUnavailable
from salon.bus.nats import NatsBus

logger = logging.getLogger(__name__)

LONGEST_QUEUE = 10_000
"""Messages kept while NATS is away. Gateways notice a gap only at a stream's next event, so these must not be lost lightly."""
EXIT_SECS = 2.0
RETRY_SECS = 0.1


def background_publisher(url: str) -> "BackgroundPublisher":
    # Keyed by process: a web server may fork after one was made, and a fork inherits no threads.
    return _publisher_of_process(url, os.getpid())


@cache
def _publisher_of_process(url: str, pid: int) -> "BackgroundPublisher":
    return BackgroundPublisher(url)


class BackgroundPublisher:
    """Publishes in the order of calls; keeps what NATS cannot take now."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._queue: deque[tuple[str, bytes]] = deque()
        self._loop = asyncio.new_event_loop()
        # Both belong to the loop's thread.
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        threading.Thread(target=self._run, name="bus-publisher", daemon=True).start()
        atexit.register(self.wait_until_drained, EXIT_SECS)

    def publish(self, subject: str, body: bytes) -> None:
        """Returns at once."""
        self._loop.call_soon_threadsafe(self._enqueue, subject, body)

    def wait_until_drained(self, timeout_secs: float) -> bool:
        """Whether NATS has, in time, everything that was published before this call."""
        waiting = asyncio.run_coroutine_threadsafe(self._drained.wait(), self._loop)
        try:
            return waiting.result(timeout_secs)
        except TimeoutError:
            waiting.cancel()
            return False

    def _enqueue(self, subject: str, body: bytes) -> None:
        if len(self._queue) >= LONGEST_QUEUE:
            self._queue.popleft()
            logger.error("NATS has been away too long: an event is dropped.", extra={"action": "bus_message_dropped"})
        self._queue.append((subject, body))
        self._drained.clear()
        self._filled.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._publish_forever())

    async def _publish_forever(self) -> None:
        bus = await NatsBus.open(self._url)
        while True:
            await self._filled.wait()
            await bus.wait_until_connected()
            try:
                while self._queue:
                    await bus.publish_encoded(*self._queue[0])
                    self._queue.popleft()
                await bus.flush()
            except (BusUnavailable, nats.errors.Error, OSError):
                # What the client had buffered it sends by itself when it is back; the rest is still in the queue.
                await asyncio.sleep(RETRY_SECS)
                continue
            if not self._queue:
                self._filled.clear()
                self._drained.set()
