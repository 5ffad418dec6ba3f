"""What Django publishes is heard when, and only when, its transaction commits; on both buses."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction

from salon.bus import Bus, Message, publish_on_commit, transactional
from salon.bus.background import background_publisher
from salon.bus.nats import NatsBus
from salon.bus.postgres import PostgresBus
from salon.config.environment import environment
from tests.fakes.nats_server import NatsServer

SECS = 10


@pytest.fixture(params=["postgresql", "nats"])
def open_bus(request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """How another process opens the bus that Django publishes on."""
    if request.param == "nats":
        server: NatsServer = request.getfixturevalue("nats_server")
        settings = replace(environment(), nats_url=server.url)
        monkeypatch.setattr(transactional, "environment", lambda: settings)
        return lambda: NatsBus.open(server.url)
    database = connection.settings_dict
    return lambda: PostgresBus.open(f"host={database['HOST']} user={database['USER']} dbname={database['NAME']}")


def heard(open_bus: Callable[[], Any], publish: Callable[[], None], count: int) -> list[Any]:
    """The first `count` messages that arrive while `publish` runs, in a thread as Django's views do."""

    def in_thread() -> None:
        try:
            publish()
        finally:
            connection.close()

    async def listen() -> list[Any]:
        bus: Bus = await open_bus()
        subscription = await bus.subscribe("stream.>")
        await asyncio.to_thread(in_thread)
        messages = []
        async with asyncio.timeout(SECS):
            for _ in range(count):
                item = await anext(subscription)
                assert isinstance(item, Message)
                messages.append(item.parsed())
        await bus.close()
        return messages

    return asyncio.run(listen())


def test_rolled_back_message_is_never_heard(open_bus: Callable[[], Any]) -> None:
    def publish() -> None:
        with transaction.atomic():
            publish_on_commit("stream.a", {"n": "rolled back"})
            transaction.set_rollback(True)
        with transaction.atomic():
            publish_on_commit("stream.a", {"n": "committed"})

    assert heard(open_bus, publish, 1) == [{"n": "committed"}]


def test_message_waits_for_its_commit(open_bus: Callable[[], Any]) -> None:
    def publish() -> None:
        with transaction.atomic():
            publish_on_commit("stream.a", {"n": "second"})
            # Another connection publishes and commits while the first transaction is open.
            other = threading.Thread(target=publish_alone)
            other.start()
            other.join()

    def publish_alone() -> None:
        publish_on_commit("stream.a", {"n": "first"})
        connection.close()

    assert heard(open_bus, publish, 2) == [{"n": "first"}, {"n": "second"}]


def test_outside_a_transaction_it_goes_at_once(open_bus: Callable[[], Any]) -> None:
    assert heard(open_bus, lambda: publish_on_commit("stream.a", {"n": 1}), 1) == [{"n": 1}]


def test_order_of_one_transaction_is_kept_for_long_and_short_messages(open_bus: Callable[[], Any]) -> None:
    def publish() -> None:
        with transaction.atomic():
            for number, length in enumerate((10, 20_000, 10, 20_000)):
                publish_on_commit("stream.a", {"n": number, "text": "x" * length})

    assert [message["n"] for message in heard(open_bus, publish, 4)] == [0, 1, 2, 3]


def test_background_publisher_keeps_messages_while_nats_is_away(nats_server: NatsServer) -> None:
    async def listen() -> list[Any]:
        publisher = background_publisher(nats_server.url)
        publisher.publish("stream.warm", b"{}")
        assert await asyncio.to_thread(publisher.wait_until_drained, SECS)
        await asyncio.to_thread(nats_server.stop)
        await asyncio.to_thread(nats_server.start)
        bus = await NatsBus.open(nats_server.url)
        subscription = await bus.subscribe("stream.kept")
        publisher.publish("stream.kept", b'{"n":1}')
        publisher.publish("stream.kept", b'{"n":2}')
        async with asyncio.timeout(SECS):
            items = [await anext(subscription), await anext(subscription)]
        await bus.close()
        return [item.parsed() for item in items if isinstance(item, Message)]

    assert asyncio.run(listen()) == [{"n": 1}, {"n": 2}]
