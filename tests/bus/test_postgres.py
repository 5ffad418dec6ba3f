"""The bus on a PostgreSQL behind a network that swallows everything, which a Unix socket never does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from salon.bus import BusUnavailable, MessagesLost, notification
from salon.bus import postgres as postgres_bus
from salon.bus.postgres import PostgresBus
from salon.cli.postgres import PrivateCluster, database_url

SECS = 30
ROW_LONG: dict[str, object] = {"text": "x" * 20_000}
"""Longer than a notification: it goes through the table."""


class Network:
    """A TCP way to the cluster's socket that can swallow what comes from the clients, and take no new ones."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self.passes = asyncio.Event()
        self.passes.set()
        self.port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Network"]:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def swallow(self) -> None:
        self.passes.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._socket)
        for source, sink in ((reader, to_server), (from_server, writer)):
            self._tasks.add(asyncio.create_task(self._carry(source, sink)))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self.passes.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@pytest.fixture
async def network(cluster: PrivateCluster) -> AsyncIterator[Network]:
    folder = conninfo_to_dict(database_url(Path(cluster.folder)))["host"]
    async with Network(f"{folder}/.s.PGSQL.5432").running() as network:
        yield network


@pytest.fixture
async def bus(network: Network, cluster: PrivateCluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresBus]:
    monkeypatch.setattr(postgres_bus, "_STATEMENT_SECS", 0.5)
    url = make_conninfo(database_url(Path(cluster.folder)), host="127.0.0.1", port=network.port)
    bus = await PostgresBus.open(url)
    assert bus.is_connected
    yield bus
    await bus.close()


async def test_publishing_into_a_network_that_swallows_everything_fails_and_works_again(bus: PostgresBus, network: Network) -> None:
    await bus.publish("roster", {"n": 1})
    network.swallow()
    async with asyncio.timeout(SECS):
        with pytest.raises(BusUnavailable):
            await bus.publish("roster", ROW_LONG)
    network.passes.set()
    await bus.publish("roster", ROW_LONG)


async def test_long_message_that_cannot_be_fetched_is_told_as_lost(bus: PostgresBus, network: Network) -> None:
    subscription = await bus.subscribe("roster")
    await bus.publish("roster", {"n": 1})
    await anext(subscription)
    network.swallow()
    async with asyncio.timeout(SECS):
        await bus._receive(notification.row_payload("roster", 1))
        assert await anext(subscription) == MessagesLost()
    network.passes.set()


async def test_connection_gives_up_what_is_not_acknowledged(bus: PostgresBus) -> None:
    assert conninfo_to_dict(bus._database_url)["tcp_user_timeout"] == "10000"
