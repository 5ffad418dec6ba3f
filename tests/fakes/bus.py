"""The bus within one process, for tests of its users: salon.bus.Bus without a server."""

from collections.abc import Mapping, Sequence

from salon.bus.buffer import BufferedSubscription
from salon.bus.interface import BusUnavailable, Message, encoded


class FakeBus:
    def __init__(self) -> None:
        self.is_connected = True
        self.published: list[tuple[str, Mapping[str, object]]] = []
        self._subscriptions: list[BufferedSubscription] = []

    async def publish(self, subject: str, message: Mapping[str, object]) -> None:
        if not self.is_connected:
            raise BusUnavailable
        self.published.append((subject, message))
        for subscription in self._subscriptions:
            subscription.offer(Message(subject, encoded(message)))

    async def publish_all(self, messages: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        for subject, message in messages:
            await self.publish(subject, message)

    async def subscribe(self, pattern: str) -> BufferedSubscription:
        subscription = BufferedSubscription(pattern, on_close=self._forget)
        self._subscriptions.append(subscription)
        return subscription

    async def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.finish()

    def disconnect(self) -> None:
        """What others publish from now on is lost."""
        self.is_connected = False

    def reconnect(self) -> None:
        self.is_connected = True
        for subscription in self._subscriptions:
            subscription.report_loss()

    async def _forget(self, subscription: BufferedSubscription) -> None:
        self._subscriptions.remove(subscription)
