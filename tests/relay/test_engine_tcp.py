"""Sound where no UDP gets through: Chromium and the engine over TCP."""

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from salon.relay._engine import Speaker
from tests.relay.engine_browser import SHELL, connect, open_page, selected_pair, until_heard, without_udp, write_tone
from tests.relay.engine_peers import HEARD_RMS, Room, loudest_hz, rms, room_of, start_engine

PORT = 18711
SOUND_WITHIN_SECS = 5
"""What somebody waits for at most whose network lets no UDP out."""


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with room_of(start_engine(PORT)) as room:
        yield room


async def test_chromium_speaks_over_tcp(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await connect(room, page, "speak-ada", "ada", slots=0, edit=without_udp)
    assert await selected_pair(page) == {"protocol": "tcp", "port": PORT}
    [ear] = await room.listen("bob")
    await ear.hear(0.5)
    heard = await ear.hear(1.0)
    assert rms(heard) > HEARD_RMS
    assert loudest_hz(heard) == pytest.approx(440, abs=3)


async def test_chromium_listens_over_tcp_until_it_is_removed(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    await connect(room, page, "listen-bob", "bob", slots=3, edit=without_udp)
    await until_heard(page)
    assert await selected_pair(page) == {"protocol": "tcp", "port": PORT}
    assert room.engine.close_person("room", "bob", "removed") == 1
    sent = room.engine.stats().packets_out
    await asyncio.sleep(0.3)
    assert room.engine.stats().packets_out == sent, "he was the only one"


async def test_udp_is_preferred_where_it_gets_through(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    await connect(room, page, "listen-bob", "bob", slots=1)
    await until_heard(page)
    assert await selected_pair(page) == {"protocol": "udp", "port": PORT}


# Where UDP is really dropped: a network of its own, joined to this machine by one cable, whose firewall lets TCP out alone.

# Of this process alone: one that was killed leaves its network behind.
BLOCK = 4 * (os.getpid() % 16_384)
OUTSIDE, INSIDE = (f"198.18.{(BLOCK + host) >> 8}.{(BLOCK + host) & 255}" for host in (1, 2))
CABLE = f"salon{os.getpid()}"
WALL = """table inet wall {
    chain output {
        type filter hook output priority 0;
        meta l4proto udp counter drop;
    }
}
"""


def run(*command: str, sent: str | None = None) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, input=sent).stdout


@pytest.fixture
def walled_network() -> Iterator[str]:
    """The name of a network namespace from which this machine is reached at OUTSIDE, by TCP only."""
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("nft")):
        pytest.skip("needs root, iproute2 and nftables")
    name = f"salon-wall-{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", CABLE, "type", "veth", "peer", "name", "inside", "netns", name)
        run("ip", "addr", "add", f"{OUTSIDE}/30", "dev", CABLE)
        run("ip", "link", "set", CABLE, "up")
        within = ("ip", "netns", "exec", name)
        run(*within, "ip", "addr", "add", f"{INSIDE}/30", "dev", "inside")
        run(*within, "ip", "link", "set", "inside", "up")
        run(*within, "ip", "link", "set", "lo", "up")
        run(*within, "ip", "route", "add", "default", "via", OUTSIDE)
        run(*within, "nft", "-f", "-", sent=WALL)
        yield name
    finally:
        run("ip", "netns", "del", name)  # The cable goes with it.


async def test_sound_comes_within_five_seconds_where_udp_is_dropped(walled_network: str, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nexec ip netns exec {walled_network} {SHELL} "$@"\n')
    browser.chmod(0o755)
    engine = start_engine(PORT, addresses=[OUTSIDE, "127.0.0.1"], bind="0.0.0.0")  # noqa: S104
    async with room_of(engine) as room:
        engine.set_stage("room", [Speaker("ada", 7, False)])
        await room.speak("ada", 620)
        async with open_page(write_tone(tmp_path / "tone.wav"), browser) as page:
            # A connection that was made before, so that the browser's own start does not count.
            await connect(room, page, "listen-warm", "warm", slots=1)
            started = time.monotonic()
            async with asyncio.timeout(SOUND_WITHIN_SECS):
                await connect(room, page, "listen-bob", "bob", slots=3)
                await until_heard(page)
            print(f"sound after {time.monotonic() - started:.2f} s")  # noqa: T201
            assert await selected_pair(page) == {"protocol": "tcp", "port": PORT}
        dropped = re.search(r"packets (\d+)", run("ip", "netns", "exec", walled_network, "nft", "list", "ruleset"))
        assert dropped is not None
        assert int(dropped[1]) > 0, "it tried UDP, too"
