"""The bus on PostgreSQL LISTEN and NOTIFY: one channel, one connection that listens, one that publishes.

Two connections, because a connection that waits for notifications cannot run a statement meanwhile.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Self

import psycopg
from psycopg.conninfo import make_conninfo

from salon.bus import notification
from salon.bus.backoff import delays
from salon.bus.buffer import BufferedSubscription
from salon.bus.interface import BusUnavailable, Message, encoded

logger = logging.getLogger(__name__)

# A peer that vanished without a word (a cable, a firewall) is noticed after about 20 s. Keepalives are not sent while a statement waits
# to be acknowledged: that is the user timeout's (ms, tcp(7)). Both are ignored on Unix sockets.
_CONNECT: dict[str, Any] = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 10_000,
}  # fmt: skip
# A statement of the bus takes milliseconds. Whoever publishes would rather hear that it failed than wait. Where not even the request to
# cancel gets through, psycopg waits another 5 s for each of it and its answer.
_STATEMENT_SECS = 5.0


class PostgresBus:
    def __init__(self, database_url: str) -> None:
        self._database_url = make_conninfo(database_url, **_CONNECT)
        self._subscriptions: list[BufferedSubscription] = []
        self._first_attempt = asyncio.Event()
        self._connected = False
        self._publisher: psycopg.AsyncConnection[Any] | None = None
        self._publishing = asyncio.Lock()
        self._listener = asyncio.create_task(self._listen_forever(), name="bus-listener")

    @classmethod
    async def open(cls, database_url: str) -> Self:
        """Returns when the first attempt to connect has succeeded or failed; failures are repeated in the background."""
        bus = cls(database_url)
        await bus._first_attempt.wait()
        return bus

    @property
    def is_connected(self) -> bool:
        return self._connected

    async def subscribe(self, pattern: str) -> BufferedSubscription:
        subscription = BufferedSubscription(pattern, on_close=self._forget)
        self._subscriptions.append(subscription)
        return subscription

    async def publish(self, subject: str, message: Mapping[str, object]) -> None:
        await self.publish_all([(subject, message)])

    async def publish_all(self, messages: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        bodies = [(subject, encoded(message)) for subject, message in messages]
        if not bodies:
            return
        async with self._publishing:
            try:
                await self._notify_anew(bodies)
            except (psycopg.Error, TimeoutError) as error:
                await self._drop_publisher()
                raise BusUnavailable(str(error)) from error

    async def _notify_anew(self, bodies: Sequence[tuple[str, bytes]]) -> None:
        """An idle connection is found dead only by using it: once more on a new one before giving up. One that hangs has had its time."""
        async with asyncio.timeout(_STATEMENT_SECS):
            try:
                await self._notify(bodies)
            except psycopg.Error:
                await self._drop_publisher()
                await self._notify(bodies)

    async def close(self) -> None:
        self._listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listener
        async with self._publishing:
            await self._drop_publisher()
        for subscription in self._subscriptions:
            subscription.finish()
        self._subscriptions.clear()

    async def _listen_forever(self) -> None:
        pauses = delays()
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._database_url, autocommit=True) as connection:
                    await connection.execute(f"listen {notification.CHANNEL}")
                    pauses = delays()
                    self._announce_connection()
                    async for notified in connection.notifies():
                        await self._receive(notified.payload)
            except psycopg.Error as error:
                self._log_loss(error)
            finally:
                self._connected = False
                self._first_attempt.set()
            await asyncio.sleep(next(pauses))

    def _log_loss(self, error: psycopg.Error) -> None:
        """Once for each loss. A start before PostgreSQL's is none; the health check tells of one that never comes."""
        if self._connected:
            # The error's text may carry the address of the database: its kind says enough.
            logger.warning("The bus has lost PostgreSQL.", extra={"action": "bus_disconnected", "kind": type(error).__name__})

    def _announce_connection(self) -> None:
        self._connected = True
        self._first_attempt.set()
        for subscription in self._subscriptions:
            subscription.report_loss()

    async def _receive(self, payload: str) -> None:
        try:
            subject, body = notification.read_payload(payload)
        except ValueError:
            logger.warning("Something that is not Salon notifies on Salon's channel.", extra={"action": "bus_foreign_notification"})
            return
        if isinstance(body, bytes):
            self._deliver(Message(subject, body))
        elif any(subscription.takes(subject) for subscription in self._subscriptions):
            await self._receive_row(subject, body)

    async def _receive_row(self, subject: str, row: int) -> None:
        try:
            body = await self._fetch(row)
        except (psycopg.Error, TimeoutError):
            body = None
        if body is None:
            for subscription in self._subscriptions:
                if subscription.takes(subject):
                    subscription.report_loss()
        else:
            self._deliver(Message(subject, body))

    def _deliver(self, message: Message) -> None:
        for subscription in self._subscriptions:
            subscription.offer(message)

    async def _fetch(self, row: int) -> bytes | None:
        async with self._publishing:
            try:
                async with asyncio.timeout(_STATEMENT_SECS):
                    found = await (await (await self._connection()).execute(notification.SELECT, [row])).fetchone()
            except TimeoutError:
                await self._drop_publisher()
                raise
        return found[0].encode() if found else None

    async def _notify(self, bodies: Sequence[tuple[str, bytes]]) -> None:
        connection = await self._connection()
        payloads = [notification.inline_payload(subject, body) for subject, body in bodies]
        if None not in payloads:
            await connection.execute(notification.NOTIFY_ALL, [payloads])
            return
        async with connection.transaction():
            exists = await (await connection.execute(notification.TABLE_EXISTS)).fetchone()
            if not (exists and exists[0]):
                await connection.execute(notification.CREATE_TABLE)
            await connection.execute(notification.TRIM)
            for at, (subject, body) in enumerate(bodies):
                if payloads[at] is None:
                    inserted = await (await connection.execute(notification.INSERT, [body.decode()])).fetchone()
                    assert inserted is not None  # noqa: S101  ("returning" returns)
                    payloads[at] = notification.row_payload(subject, inserted[0])
            await connection.execute(notification.NOTIFY_ALL, [payloads])

    async def _connection(self) -> psycopg.AsyncConnection[Any]:
        if self._publisher is None or self._publisher.closed:
            self._publisher = await psycopg.AsyncConnection.connect(self._database_url, autocommit=True)
        return self._publisher

    async def _drop_publisher(self) -> None:
        if self._publisher is not None:
            await self._publisher.close()
            self._publisher = None

    async def _forget(self, subscription: BufferedSubscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
