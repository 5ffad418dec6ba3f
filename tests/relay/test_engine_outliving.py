"""The engine's process is killed, and another goes on: aiortc hears the difference, and does nothing about it."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCSessionDescription

from salon.relay.book import new_memory
from tests.relay.engine_peers import HEARD_RMS, Ear, Room, loudest_hz, rms

ROOT = Path(__file__).parents[2]
ADA = ["ada", 7, False]


class EngineProcess:
    def __init__(self) -> None:
        self.port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port.bind(("127.0.0.1", 0))
        self.book = new_memory()

    async def start(self) -> list[list[str]]:
        """(session, tag) of those that came back."""
        descriptors = (self.port.fileno(), self.book)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.relay.engine_process", *map(str, descriptors),
            cwd=ROOT, pass_fds=descriptors, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return sorted((await self._answer())["restored"])

    async def ask(self, do: str, **more: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        return await self._answer()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(await self.process.stdout.readline()))


class KilledRoom(Room):
    """Peers of an engine elsewhere."""

    def __init__(self, process: EngineProcess) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.process = process

    async def _connect(self, peer: Any, session: str, person: str, direction: str) -> None:
        await peer.setLocalDescription(await peer.createOffer())
        about = {"session": session, "room": "room", "person": person, "direction": direction, "tag": f"about {person}"}
        opened = await self.process.ask("open", offer=peer.localDescription.sdp, **about)
        await peer.setRemoteDescription(RTCSessionDescription(opened["answer"], "answer"))
        while session not in (await self.process.ask("events", secs=1.0))["sessions"]:
            pass


@pytest.fixture
async def room() -> AsyncIterator[KilledRoom]:
    process = EngineProcess()
    await process.start()
    room = KilledRoom(process)
    yield room
    for peer in room.peers:
        await peer.close()
    await process.kill()
    process.port.close()
    os.close(process.book)


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


async def test_book_is_begun_anew_after_two_starts_that_came_to_nothing(room: KilledRoom) -> None:
    await room.listen("bob")

    counts = []
    for _ in range(3):
        await room.process.kill()
        counts.append(len(await room.process.start()))

    assert counts == [1, 1, 0]
