"""A whole gateway on a real port, with a fake web behind it and a fake bus beside it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from salon.common.ids import new_id
from salon.common.signing import Ticket, sign_ticket
from salon.config.environment import Environment, environment
from salon.gateway.app import FRONT_DOOR, FrontDoor, make_app
from salon.gateway.run import make_runner
from tests.fakes.bus import FakeBus
from tests.fakes.web import FakeWeb

SECS = 10


@dataclass
class Running:
    """One gateway process, as it looks from outside and, for what cannot be seen there, from inside."""

    url: str
    door: FrontDoor
    bus: FakeBus
    web: FakeWeb
    settings: Environment


class Peer:
    """A client's end of one socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._id = 0

    async def say(self, **message: Any) -> int:
        self._id += 1
        await self.socket.send_json({"id": self._id, **message})
        return self._id

    async def hear(self) -> dict[str, Any]:
        """The next frame but those that come beside the others."""
        while (frame := await self.hear_any())["type"] in ("presence", "tally", "reactions"):
            pass
        return frame

    async def hear_any(self) -> dict[str, Any]:
        async with asyncio.timeout(SECS):
            received = await self.socket.receive()
        assert received.type is aiohttp.WSMsgType.TEXT, received
        return dict(json.loads(received.data))

    async def ask(self, **message: Any) -> dict[str, Any]:
        id_ = await self.say(**message)
        answer = await self.hear()
        assert answer["reply_to"] == id_
        return answer

    async def close_code(self) -> int | None:
        """Of the server's goodbye; what comes before it is skipped."""
        async with asyncio.timeout(SECS):
            async for _ in self.socket:
                pass
        return self.socket.close_code


def ticket(settings: Environment, person: str | None = None, *, visitor: str | None = None, expires_in: float = 60) -> str:
    claims: Ticket = {
        "id": new_id(), "person": person, "visitor": visitor, "language": "en", "expires": int(time.time() + expires_in),
    }  # fmt: skip
    return sign_ticket(claims, settings.secret_key)


@pytest.fixture
def client_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "client"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Salon</title>")
    (folder / "service-worker.js").write_text("// worker")
    (folder / "assets" / "app-3f2a.js").write_text("console.log(1)")
    (folder / "assets" / "app-3f2a.js.br").write_bytes(b"brotli")
    (folder / "manifest.webmanifest").write_text("{}")
    (tmp_path / "secret.txt").write_text("not the client's")
    return folder


@pytest.fixture
async def fake_web() -> AsyncIterator[FakeWeb]:
    async with FakeWeb().running() as fake:
        yield fake


@pytest.fixture
async def gateway(fake_web: FakeWeb, client_folder: Path, unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[Running]:
    settings = replace(
        environment(),
        port=unused_tcp_port_factory(),
        web_port=fake_web.port,
        media_control_port=unused_tcp_port_factory(),
        public_url="http://salon.test",
    )
    bus = FakeBus()
    app = make_app(settings, bus, most_sockets=20, client_folder=client_folder)
    runner = make_runner(app, stop_secs=0, lingering_secs=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.port).start()
    yield Running(f"http://127.0.0.1:{settings.port}", app[FRONT_DOOR], bus, fake_web, settings)
    await runner.cleanup()


@pytest.fixture
async def http(gateway: Running) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(gateway.url) as session:
        yield session


Connect = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def connect_silently(gateway: Running, http: aiohttp.ClientSession) -> AsyncIterator[Connect]:
    """Open a socket and say nothing."""
    async with AsyncExitStack() as sockets:

        async def connect(**options: Any) -> Peer:
            socket = await sockets.enter_async_context(http.ws_connect("/ws", protocols=("salon.v1",), **options))
            return Peer(socket)

        yield connect


@pytest.fixture
def connect(gateway: Running, connect_silently: Connect) -> Connect:
    """Open a socket as somebody: `await connect(person="…")` or `visitor="…"`."""

    async def connect(person: str | None = None, *, visitor: str | None = None) -> Peer:
        peer = await connect_silently()
        welcome = await peer.ask(type="hello", ticket=ticket(gateway.settings, person, visitor=visitor))
        assert welcome["type"] == "welcome"
        return peer

    return connect
