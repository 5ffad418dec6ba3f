"""A whole Salon whose engine has two threads: who hears whom across them, over a kill and an upgrade, and after a mute and a removal."""

import asyncio
import json
import os
import re
import signal
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from salon.config.environment import derived_secret
from salon.demo.client import Api, SoundSession, Whep, Whip
from tests.e2e.people import Person, sign_up
from tests.e2e.server import Server
from tests.e2e.test_stage_hostile_client import to_the_stage
from tests.relay.engine_peers import HEARD_RMS, RATE_HZ, Ear, Tone, loudest_hz, rms

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TONES_HZ = {"ada": 620.0, "ben": 930.0}
LISTENERS = ["ada", "ben", "dan", "eve", "fay"]
"""In the order in which they come: each on the thread where fewer of the room listen."""
THREADS_SESSIONS = [5, 2]
"""Both speak on the first thread, where three listen."""
EVERYBODY = {who: TONES_HZ.keys() - {who} for who in LISTENERS}
_WINDOW_SECS = 1.0
_WITHIN_SECS = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(SALON_MEDIA_THREADS="2", SALON_MEDIA_LISTENERS_AT_HOME="0") as server:
        yield server


@dataclass
class Conversation:
    """ada hosts and speaks, ben speaks, the others listen; eve has an account, dan and fay are visitors."""

    server: Server
    room: str
    host: Api
    people: dict[str, Person]
    sounds: list[SoundSession]
    ears: dict[str, list[Ear]]
    """By who listens, one for each slot."""

    async def heard(self) -> dict[str, set[str]]:
        """Whose tone is in what each of them hears for a while from now on."""
        begins = {who: [len(ear.samples) for ear in ears] for who, ears in self.ears.items()}
        await asyncio.sleep(_WINDOW_SECS)
        return {
            who: {name for ear, begin in zip(ears, begins[who], strict=True) for name in voices(ear.samples[begin:])}
            for who, ears in self.ears.items()
        }

    async def until_heard(self, expected: dict[str, set[str]]) -> None:
        """Wait until everybody hears whom they should, and nobody else; it must stay so."""
        heard: dict[str, set[str]] = {}
        try:
            async with asyncio.timeout(_WITHIN_SECS):
                while heard != expected:
                    heard = await self.heard()
        except TimeoutError:
            raise AssertionError(f"heard: {heard}") from None
        assert await self.heard() == expected

    async def sessions(self) -> dict[str, bool]:
        """Each of the room's sessions, and whether it is connected, as the engine has it; waits while media's control port is away."""
        secret = derived_secret((self.server.data_dir / "secret-key").read_text().strip(), "internal")
        url = f"http://127.0.0.1:{self.server.port + 2}/truth?room={self.room}"
        body = await asked(urllib.request.Request(url, headers={"X-Salon-Internal": secret}))
        return {session["session"]: session["connected"] for session in json.loads(body)["sessions"]}

    async def by_thread(self, figure: str) -> list[int]:
        """A figure of the operator's page for each of the engine's threads."""
        page = await asked(urllib.request.Request(f"http://127.0.0.1:{self.server.port + 3}/metrics"))
        return [int(value) for value in re.findall(rf'^salon_media_thread_{figure}{{thread="\d+"}} (\d+)$', page, re.MULTILINE)]


def voices(samples: np.ndarray) -> Iterator[str]:
    """Of the speakers, whose tone it is, if there is sound."""
    if len(samples) >= RATE_HZ // 4 and rms(samples) > HEARD_RMS:
        loudest = loudest_hz(samples)
        yield next((name for name, hz in TONES_HZ.items() if abs(hz - loudest) < 5), f"{loudest:.0f} Hz")


async def asked(request: urllib.request.Request) -> str:
    def ask() -> str:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read().decode())

    async with asyncio.timeout(_WITHIN_SECS):
        while True:
            try:
                return await asyncio.to_thread(ask)
            except OSError:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def conversation(server: Server, name: str) -> AsyncIterator[Conversation]:
    """name: ends the handles, so that each conversation has people of its own."""
    people = {who: await sign_up(server.origin, f"{who}_{name}") for who in ("ada", "ben", "eve")}
    async with AsyncExitStack() as ending:
        apis: dict[str, Any] = {}
        for who in LISTENERS:
            api = people[who].api(server.origin) if who in people else Api(server.origin)
            apis[who] = await ending.enter_async_context(api)
        room = (await apis["ada"].post("/api/v1/rooms", {"title": f"On two threads: {name}", "language": "en"}))["id"]
        sounds: list[SoundSession] = []
        ears: dict[str, list[Ear]] = {}
        for who in LISTENERS:
            listening = Whep(apis[who], room, slots=2)
            await listening.connect()
            ending.push_async_callback(listening.close)
            sounds.append(listening)
            ears[who] = [Ear(track) for track in listening.tracks]
        await to_the_stage(apis["ada"], apis["ben"], people["ben"], room)
        for who, hz in TONES_HZ.items():
            speaking = Whip(apis[who], room, Tone(hz))
            await speaking.connect()
            ending.push_async_callback(speaking.close)
            sounds.append(speaking)
        yield Conversation(server, room, apis["ada"], people, sounds, ears)


async def test_sessions_on_both_threads_hear_each_other_and_outlive_a_kill_and_an_upgrade(server: Server) -> None:
    async with conversation(server, "lasting") as talk:
        assert await talk.by_thread("sessions") == THREADS_SESSIONS
        await talk.until_heard(EVERYBODY)
        before = await talk.sessions()
        assert (len(before), set(before.values())) == (sum(THREADS_SESSIONS), {True})

        for take_away in (kill, restart):
            process = server.process_of("media")
            await take_away(server)
            await talk.until_heard(EVERYBODY)
            assert server.process_of("media") != process
            assert await talk.sessions() == before
            assert await talk.by_thread("sessions") == THREADS_SESSIONS
            assert all(sent > 0 for sent in await talk.by_thread("packets_out_total"))
        assert all(sound.is_connected for sound in talk.sounds)


async def kill(server: Server) -> None:
    os.kill(server.process_of("media"), signal.SIGKILL)


async def restart(server: Server) -> None:
    said = await asyncio.to_thread(server.salon, "restart", "media")
    assert said.startswith("media was handed over to a new process; sound was away for ")


async def test_mutes_and_removals_hold_on_whichever_thread_a_session_is(server: Server) -> None:
    async with conversation(server, "ordered") as talk:
        ben, eve = talk.people["ben"], talk.people["eve"]
        await talk.until_heard(EVERYBODY)

        await talk.host.command(talk.room, "mute_speaker", person=ben.id)
        await talk.until_heard({who: heard - {"ben"} for who, heard in EVERYBODY.items()})

        async with ben.api(server.origin) as speaker:
            await speaker.command(talk.room, "unmute")
        await talk.until_heard(EVERYBODY)

        # She listens on the thread on which nobody speaks.
        await talk.host.command(talk.room, "remove_person", person=eve.id)
        await talk.until_heard(EVERYBODY | {"eve": set()})
        assert await talk.by_thread("sessions") == [5, 1]

        # He listens there, and speaks on the other one.
        await talk.host.command(talk.room, "remove_person", person=ben.id)
        await talk.until_heard({"ada": set(), "ben": set(), "dan": {"ada"}, "eve": set(), "fay": {"ada"}})
        assert await talk.by_thread("sessions") == [4, 0]
        assert all((await talk.sessions()).values())
