"""The engine and Chromium: a browser is heard by aiortc, and hears it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from salon.relay._engine import Speaker
from tests.relay.engine_browser import connect
from tests.relay.engine_peers import HEARD_RMS, Room, loudest_hz, rms, room_of, start_engine

_INBOUND = """async () => {
    const report = [...(await peer.getStats()).values()].filter((entry) => entry.type === "inbound-rtp");
    const sources = peer.getReceivers().map((receiver) => receiver.getContributingSources().map((source) => source.source));
    return {report, sources};
}"""


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with room_of(start_engine(18705)) as room:
        yield room


async def test_chromium_is_heard(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await connect(room, page, "speak-ada", "ada", slots=0)
    [ear] = await room.listen("bob")
    await ear.hear(0.5)
    heard = await ear.hear(1.0)
    assert rms(heard) > HEARD_RMS
    assert loudest_hz(heard) == pytest.approx(440, abs=3)


async def test_chromium_hears_each_slot_and_who_speaks(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False), Speaker("eve", 8, False)])
    await connect(room, page, "listen-bob", "bob", slots=3)
    await room.speak("ada", 620)
    await room.speak("eve", 930)
    while True:
        inbound = await page.evaluate(_INBOUND)
        heard = [entry for entry in inbound["report"] if entry["totalAudioEnergy"] > 0.01]
        if len(heard) == 2:
            break
        await page.wait_for_timeout(100)
    assert sorted(csrc for sources in inbound["sources"] for csrc in sources) == [7, 8]
    assert [entry["packetsLost"] for entry in heard] == [0, 0]
