"""The bus on NATS, for installations of more than one machine."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Self

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Registration

from salon.bus.buffer import BufferedSubscription
from salon.bus.interface import BusUnavailable, Message, encoded

logger = logging.getLogger(__name__)

RECONNECT_WAIT_SECS = 1
PING_INTERVAL_SECS = 10
"""Two unanswered pings, 20 s, and the connection counts as gone."""


class NatsBus:
    def __init__(self) -> None:
        self._client = Client()
        self._subscriptions: dict[BufferedSubscription, Registration | None] = {}
        self._first_attempt = asyncio.Event()
        self._connected = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str) -> Self:
        """Returns when the first attempt to connect has succeeded or failed; failures are repeated in the background."""
        bus = cls()
        bus._connecting = asyncio.create_task(bus._connect(url), name="bus-connect")
        await bus._first_attempt.wait()
        return bus

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected

    async def wait_until_connected(self) -> None:
        await self._connected.wait()

    async def subscribe(self, pattern: str) -> BufferedSubscription:
        subscription = BufferedSubscription(pattern, on_close=self._forget)
        self._subscriptions[subscription] = None
        if self.is_connected:
            await self._register(subscription)
            with contextlib.suppress(nats.errors.Error):  # The connection went meanwhile: MessagesLost will follow.
                await self.flush()
        return subscription

    async def publish(self, subject: str, message: Mapping[str, object]) -> None:
        await self.publish_encoded(subject, encoded(message))

    async def publish_all(self, messages: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        for subject, message in messages:
            await self.publish(subject, message)

    async def publish_encoded(self, subject: str, body: bytes) -> None:
        """Raises BusUnavailable."""
        if not self.is_connected:
            raise BusUnavailable("not connected to NATS")
        try:
            await self._client.publish(subject, body)
        except nats.errors.Error as error:
            raise BusUnavailable(str(error)) from error

    async def flush(self) -> None:
        """Wait until the server has everything sent so far. Raises nats.errors.Error."""
        # nats-py puts a flush's PING in front of what waits to be sent, so that its PONG proves nothing about that.
        # The second PING is on the wire after it.
        await self._client.flush()
        await self._client.flush()

    async def close(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        self._connected.clear()
        await self._client.close()
        for subscription in self._subscriptions:
            subscription.finish()
        self._subscriptions.clear()

    async def _connect(self, url: str) -> None:
        # max_reconnect_attempts=-1: for ever, the first connection included.
        await self._client.connect(
            url,
            name="salon",
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_SECS,
            ping_interval=PING_INTERVAL_SECS,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_connected,
        )
        await self._on_connected()

    async def _register(self, subscription: BufferedSubscription) -> None:
        async def receive(message: Msg) -> None:
            subscription.offer(Message(message.subject, message.data))

        with contextlib.suppress(nats.errors.Error):
            self._subscriptions[subscription] = await self._client.subscribe(subscription.pattern, cb=receive)

    async def _on_connected(self) -> None:
        # The client renews by itself what was registered before; what was asked for while it was away is registered here.
        for subscription, registration in list(self._subscriptions.items()):
            if registration is None:
                await self._register(subscription)
            subscription.report_loss()
        self._connected.set()
        self._first_attempt.set()

    async def _on_disconnected(self) -> None:
        if self._connected.is_set():
            logger.warning("The bus has lost NATS.", extra={"action": "bus_disconnected"})
        self._connected.clear()

    async def _on_error(self, error: Exception) -> None:
        self._first_attempt.set()
        logger.debug("The bus has trouble with NATS.", extra={"action": "bus_error", "kind": type(error).__name__})
        if isinstance(error, nats.errors.SlowConsumerError):
            for subscription in self._subscriptions:
                subscription.report_loss()

    async def _forget(self, subscription: BufferedSubscription) -> None:
        registration = self._subscriptions.pop(subscription, None)
        if registration is not None:
            with contextlib.suppress(nats.errors.Error):
                await registration.unsubscribe()
