"""The two buses, each on its real server, behind one fixture: every test here runs twice."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from salon.bus import Bus
from salon.bus.nats import NatsBus
from salon.bus.postgres import PostgresBus
from salon.cli.postgres import PrivateCluster, database_url
from tests.fakes.nats_server import NatsServer


class BusServer(Protocol):
    async def open(self) -> Bus: ...
    async def interrupt(self) -> None:
        """Cut every connection; new ones can be made at once."""


@dataclass
class PostgresServer:
    url: str

    async def open(self) -> Bus:
        return await PostgresBus.open(self.url)

    async def interrupt(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            # Of this database alone: connections that other tests keep to theirs are none of the bus.
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
            )


@dataclass
class NatsBusServer:
    server: NatsServer

    async def open(self) -> Bus:
        return await NatsBus.open(self.server.url)

    async def interrupt(self) -> None:
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.server.start)


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["postgresql", "nats"])
def bus_server(request: pytest.FixtureRequest) -> BusServer:
    if request.param == "nats":
        return NatsBusServer(request.getfixturevalue("nats_server"))
    cluster: PrivateCluster = request.getfixturevalue("cluster")
    return PostgresServer(database_url(Path(cluster.folder)))


@pytest.fixture
async def bus(bus_server: BusServer) -> AsyncIterator[Bus]:
    bus = await bus_server.open()
    yield bus
    await bus.close()


@pytest.fixture
async def other_bus(bus_server: BusServer) -> AsyncIterator[Bus]:
    """The same bus, as another process has it."""
    bus = await bus_server.open()
    yield bus
    await bus.close()
