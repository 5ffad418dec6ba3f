"""The engine and Chromium: a browser is heard by aiortc, and hears it."""

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, Route, async_playwright

from salon.relay._engine import Engine, SessionConnected, Speaker
from tests.relay.engine_peers import HEARD_RMS, RATE_HZ, Room, loudest_hz, rms

_SHELL = Path("/usr/bin/chromium-headless-shell")
_ORIGIN = "http://localhost:18706/"
"""Never served: the page is answered inside the browser. Only a secure context such as localhost gets a microphone."""

_OFFER = """async ({speaks, slots}) => {
    const peer = globalThis.peer = new RTCPeerConnection();
    if (speaks) {
        const processing = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
        const stream = await navigator.mediaDevices.getUserMedia({audio: processing});
        peer.addTransceiver(stream.getAudioTracks()[0], {direction: "sendonly"});
    }
    for (let slot = 0; slot < slots; slot++) peer.addTransceiver("audio", {direction: "recvonly"});
    peer.addEventListener("track", (event) => {
        const audio = new Audio();
        audio.srcObject = new MediaStream([event.track]);
        audio.play();
    });
    await peer.setLocalDescription();
    return peer.localDescription.sdp;
}"""
_ANSWER = """async (sdp) => {
    await peer.setRemoteDescription({type: "answer", sdp});
}"""
_INBOUND = """async () => {
    const report = [...(await peer.getStats()).values()].filter((entry) => entry.type === "inbound-rtp");
    const sources = peer.getReceivers().map((receiver) => receiver.getContributingSources().map((source) => source.source));
    return {report, sources};
}"""


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = Engine(port=18705, addresses=["127.0.0.1"], bind="127.0.0.1")
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture
async def room(engine: Engine) -> AsyncIterator[Room]:
    room = Room(engine)
    try:
        yield room
    finally:
        for peer in room.peers:
            await peer.close()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Ten seconds of 440 Hz as a WAV file, for the fake microphone."""
    times = np.arange(10 * RATE_HZ) / RATE_HZ
    file = tmp_path / "tone.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((0.3 * 32767 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes())
    return file


@pytest.fixture
async def page(tone: Path) -> AsyncIterator[Page]:
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={tone}"]
    async with async_playwright() as playwright:
        quiet = ["--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=_SHELL, args=[*flags, *quiet])
        page = await browser.new_page()

        async def blank(route: Route) -> None:
            await route.fulfill(content_type="text/html", body="<!doctype html>")

        await page.route("**/*", blank)
        await page.goto(_ORIGIN)
        try:
            yield page
        finally:
            await browser.close()


async def _connect(room: Room, page: Page, session: str, person: str, *, slots: int) -> None:
    direction = "listen" if slots else "speak"
    offer = await page.evaluate(_OFFER, {"speaks": not slots, "slots": slots})
    opened = room.engine.open_session(session=session, room="room", person=person, direction=direction, offer=offer)
    await page.evaluate(_ANSWER, opened.answer)
    await room.event(SessionConnected, session)


async def test_chromium_is_heard(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await _connect(room, page, "speak-ada", "ada", slots=0)
    [ear] = await room.listen("bob")
    await ear.hear(0.5)
    heard = await ear.hear(1.0)
    assert rms(heard) > HEARD_RMS
    assert loudest_hz(heard) == pytest.approx(440, abs=3)


async def test_chromium_hears_each_slot_and_who_speaks(room: Room, page: Page) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False), Speaker("eve", 8, False)])
    await _connect(room, page, "listen-bob", "bob", slots=3)
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
