"""A peer's NAT takes another port in the middle: sound goes to the new one once the peer has answered there, as full ICE agents do."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from salon.relay._engine import Speaker
from tests.relay.engine_browser import connect, until_heard
from tests.relay.engine_peers import Room, room_of, start_engine

PORT = 18741


class Nat(asyncio.DatagramProtocol):
    """What the peer sends comes to the engine from `outside`, which can be taken anew."""

    def __init__(self) -> None:
        self.peer: tuple[str, int] | None = None
        self.outside: asyncio.DatagramTransport | None = None

    async def open(self) -> int:
        loop = asyncio.get_running_loop()
        self._inside, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        await self.rebind()
        return int(self._inside.get_extra_info("sockname")[1])

    async def rebind(self) -> None:
        if self.outside:
            self.outside.close()
        loop = asyncio.get_running_loop()
        self.outside, _ = await loop.create_datagram_endpoint(lambda: _Outside(self), remote_addr=("127.0.0.1", PORT))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.peer = addr
        if self.outside:
            self.outside.sendto(data)

    def to_peer(self, data: bytes) -> None:
        if self.peer:
            self._inside.sendto(data, self.peer)


class _Outside(asyncio.DatagramProtocol):
    def __init__(self, nat: Nat) -> None:
        self._nat = nat

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._nat.to_peer(data)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with room_of(start_engine(PORT)) as room:
        yield room


async def test_browser_behind_a_nat_that_takes_another_port_hears_on(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    nat = Nat()
    port = await nat.open()

    def through_the_nat(answer: str) -> str:
        lines = [line for line in answer.splitlines() if not (line.startswith("a=candidate") and " tcp " in line.lower())]
        return re.sub(rf"(a=candidate:.* ){PORT}( typ host)", rf"\g<1>{port}\2", "\r\n".join(lines) + "\r\n")

    await connect(room, page, "listen-bob", "bob", slots=1, edit=through_the_nat)
    async with asyncio.timeout(20):
        await until_heard(page)
        await nat.rebind()
        await asyncio.sleep(0.5)  # what was on its way has been played: from here on it is the new port's
        # The browser's next check comes within 2.5 s; the engine asks there, the browser answers.
        await until_heard(page, more_than=await until_heard(page, more_than=0) + 0.01)
