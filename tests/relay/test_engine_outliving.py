"""The engine's process is killed, and another goes on: aiortc hears the difference, and does nothing about it."""

import asyncio
import json
import os
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from salon.relay.book import new_memory
from tests.relay.engine_browser import connect, restart_ice, selected_pair, until_heard, without_udp
from tests.relay.engine_peers import HEARD_RMS, Ear, Room, loudest_hz, rms

ROOT = Path(__file__).parents[2]
ADA = ["ada", 7, False]


class EngineProcess:
    """threads: as many sockets are held for it."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.ports = [self._bound() for _ in range(threads)]
        self.book = new_memory()
        self.emptied: str | None = None

    def _bound(self) -> socket.socket:
        port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        port.bind(self.listener.getsockname())
        return port

    async def start(self) -> list[list[str]]:
        """(session, tag) of those that came back."""
        sockets, listener = [port.fileno() for port in self.ports[: self.threads]], self.listener.fileno()
        given = {"sockets": sockets, "listener": listener, "book": self.book, "threads": self.threads}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.relay.engine_process", json.dumps(given),
            cwd=ROOT, pass_fds=(*sockets, listener, self.book), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        began = await self._answer()
        self.emptied = began["emptied"]
        return sorted(began["restored"])

    async def ask(self, do: str, **more: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        return await self._answer()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    def let_go(self) -> None:
        for held in (*self.ports, self.listener):
            held.close()
        os.close(self.book)

    async def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(await self.process.stdout.readline()))


class KilledRoom(Room):
    """Peers of an engine elsewhere."""

    def __init__(self, process: EngineProcess) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.process = process

    async def open(self, session: str, person: str, direction: str, offer: str) -> str:
        about = {"session": session, "room": "room", "person": person, "direction": direction, "tag": f"about {person}"}
        return str((await self.process.ask("open", offer=offer, **about))["answer"])

    async def until_connected(self, session: str) -> None:
        while session not in (await self.process.ask("events", secs=1.0))["sessions"]:
            pass


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
async def room(threads: int) -> AsyncIterator[KilledRoom]:
    process = EngineProcess(threads)
    await process.start()
    room = KilledRoom(process)
    yield room
    for peer in room.peers:
        await peer.close()
    await process.kill()
    process.let_go()


async def hears_ada(ear: Ear) -> None:
    await ear.hear(0.3)
    heard = await ear.hear(0.7)
    assert rms(heard) > HEARD_RMS
    assert loudest_hz(heard) == pytest.approx(620, abs=3)


async def test_sound_goes_on_after_each_kill(room: KilledRoom) -> None:
    await room.process.ask("stage", speakers=[ADA])
    await room.speak("ada", 620)
    [ear] = await room.listen("bob")
    await hears_ada(ear)

    for _ in range(2):
        await room.process.kill()
        assert await room.process.start() == [["listen-bob", "about bob"], ["speak-ada", "about ada"]]
        await room.process.ask("stage", speakers=[ADA])
        await room.process.ask("release")
        await hears_ada(ear)

    assert [peer.connectionState for peer in room.peers] == ["connected", "connected"]


@pytest.mark.parametrize("threads", [2])
async def test_room_on_two_threads_is_shared_again_and_removal_holds(room: KilledRoom) -> None:
    process = room.process
    await process.ask("stage", speakers=[ADA])
    await room.speak("ada", 620)
    ears = [(await room.listen(person))[0] for person in ("bob", "eve", "ida")]
    await process.kill()
    assert len(await process.start()) == 4
    await process.ask("stage", speakers=[ADA])
    await process.ask("release")

    await asyncio.gather(*map(hears_ada, ears))
    stats = await process.ask("stats")
    assert ([sessions for sessions, _ in stats["threads"]], stats["rooms"]) == ([3, 1], 1)
    assert all(sent > 0 for _, sent in stats["threads"])

    assert await process.ask("close_person", person="ada") == {"closed": 1}
    silent = await process.ask("stats")
    while (await process.ask("stats"))["packets_in"] < silent["packets_in"] + 10:  # she goes on sending
        pass
    assert (await process.ask("stats"))["threads"] == silent["threads"]
    await process.kill()
    assert [session for session, _ in await process.start()] == ["listen-bob", "listen-eve", "listen-ida"]


@pytest.mark.parametrize("threads", [2])
async def test_more_threads_go_on_with_the_sessions_and_fewer_begin_anew(room: KilledRoom) -> None:
    process = room.process
    await process.ask("stage", speakers=[ADA])
    await room.speak("ada", 620)
    ears = [(await room.listen(person))[0] for person in ("bob", "eve")]

    await process.kill()
    process.threads = 3
    process.ports.append(process._bound())
    assert (len(await process.start()), process.emptied) == (3, None)
    await process.ask("stage", speakers=[ADA])
    await process.ask("release")
    await asyncio.gather(*map(hears_ada, ears))
    assert Counter(sessions for sessions, _ in (await process.ask("stats"))["threads"]) == {2: 1, 1: 1, 0: 1}

    await process.kill()
    process.threads = 1
    assert (await process.start(), process.emptied) == ([], "The engine ran 3 threads and runs 1 now.")


async def test_browser_over_tcp_comes_back_by_itself(room: KilledRoom, page: Page) -> None:
    process = room.process
    await process.ask("stage", speakers=[ADA])
    await room.speak("ada", 620)
    await connect(room, page, "listen-bob", "bob", slots=1, edit=without_udp)
    await until_heard(page)
    await succeed_killed(process)
    await hears_more(page)
    assert (await process.ask("truth"))["connected"] == {"listen-bob": "tcp", "speak-ada": "udp"}
    assert (await selected_pair(page) or {})["protocol"] == "tcp"


async def test_browser_over_tcp_comes_back_by_an_ice_restart(room: KilledRoom, page: Page) -> None:
    process = room.process
    await process.ask("stage", speakers=[ADA])
    await room.speak("ada", 620)
    await connect(room, page, "listen-bob", "bob", slots=1, edit=without_udp)
    await until_heard(page)

    async def ask(fragment: str) -> str:
        return str((await process.ask("restart_ice", session="listen-bob", fragment=fragment))["fragment"])

    await succeed_killed(process)
    await restart_ice(page, ask)
    await hears_more(page)
    # The new credentials are those that outlive the next one.
    await succeed_killed(process)
    await hears_more(page)
    assert (await process.ask("truth"))["connected"] == {"listen-bob": "tcp", "speak-ada": "udp"}


async def succeed_killed(process: EngineProcess) -> None:
    await process.kill()
    assert await process.start() == [["listen-bob", "about bob"], ["speak-ada", "about ada"]]
    await process.ask("stage", speakers=[ADA])
    await process.ask("release")


async def hears_more(page: Page) -> None:
    async with asyncio.timeout(20):
        # Once what had come before the kill has been played.
        await asyncio.sleep(0.5)
        await until_heard(page, more_than=await until_heard(page, more_than=0) + 0.01)


async def test_connection_is_not_refused_while_there_is_no_process(room: KilledRoom) -> None:
    await room.process.kill()

    reader, writer = await asyncio.open_connection(*room.process.listener.getsockname())
    writer.write(b"\0\x05hello")
    await room.process.start()

    assert await reader.read() == b"", "the successor has taken it in, and closes what does not begin with a check"
    writer.close()


async def test_book_is_begun_anew_after_two_starts_that_came_to_nothing(room: KilledRoom) -> None:
    await room.listen("bob")

    counts = []
    for _ in range(3):
        await room.process.kill()
        counts.append(len(await room.process.start()))

    assert counts == [1, 1, 0]
