"""Chromium speaks and listens over a path that loses sound: what it agrees on with the engine, and what it hears."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from salon.relay._engine import SessionConnected, Speaker
from tests.relay.engine_browser import blank_page, open_browser, write_tone
from tests.relay.engine_peers import Room, room_of, start_engine
from tests.relay.lossy_path import LossyPath, lossy_path

_ENGINE_PORT, _LOSSY_PORT = 18717, 18718
_LOSS = 0.15

_OFFER = """async ({speaks, repair}) => {
    const peer = globalThis.peer = new RTCPeerConnection();
    if (speaks) {
        const processing = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
        const stream = await navigator.mediaDevices.getUserMedia({audio: processing});
        peer.addTransceiver(stream.getAudioTracks()[0], {direction: "sendonly"});
    } else {
        peer.addTransceiver("audio", {direction: "recvonly"});
    }
    peer.addEventListener("track", (event) => {
        const audio = new Audio();
        audio.srcObject = new MediaStream([event.track]);
        audio.play();
    });
    const offer = await peer.createOffer();
    // The web client does the same: Chromium takes NACK for sound only from an offer that says so.
    const sdp = repair
        ? offer.sdp.replace(/a=rtcp-fb:111 transport-cc/g, "$&\\r\\na=rtcp-fb:111 nack")
        : offer.sdp.replace(/^(m=audio .*) 63/gm, "$1").replace(/a=(rtpmap|fmtp):63 .*\\r\\n/g, "");
    await peer.setLocalDescription({type: "offer", sdp});
    return peer.localDescription.sdp;
}"""
_ANSWER = """async (sdp) => {
    await peer.setRemoteDescription({type: "answer", sdp});
}"""
_STATS = """async (type) => {
    const report = await peer.getStats();
    const found = [...report.values()].find((entry) => entry.type === type);
    return found;
}"""


@dataclass
class Heard:
    """A while of listening. concealed: the share of samples that were made up."""

    concealed: float
    speaker: dict[str, Any]
    listener: dict[str, Any]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with room_of(start_engine(_ENGINE_PORT)) as room:
        room.engine.set_stage("room", [Speaker("ada", 7, False)])
        yield room


@pytest.fixture
async def path() -> AsyncIterator[LossyPath]:
    async with lossy_path(_LOSSY_PORT, _ENGINE_PORT, _LOSS) as path:
        yield path


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with open_browser(write_tone(tmp_path / "tone.wav")) as browser:
        yield browser


async def _join(room: Room, path: LossyPath, browser: Browser, person: str, *, speaks: bool, repair: bool) -> Page:
    page = await blank_page(browser)
    direction = "speak" if speaks else "listen"
    offer = await page.evaluate(_OFFER, {"speaks": speaks, "repair": repair})
    session = f"{direction}-{person}-{repair}"
    opened = room.engine.open_session(session=session, room="room", person=person, direction=direction, offer=offer)
    await page.evaluate(_ANSWER, path.through(opened.answer))
    await room.event(SessionConnected, session)
    return page


async def _heard(room: Room, path: LossyPath, browser: Browser, *, repair: bool) -> Heard:
    listener = await _join(room, path, browser, "bob", speaks=False, repair=repair)
    speaker = await _join(room, path, browser, "ada", speaks=True, repair=repair)
    # The leg learns its loss, and the browser's jitter buffer the path, within the first seconds.
    await listener.wait_for_timeout(8_000)
    before = await listener.evaluate(_STATS, "inbound-rtp")
    await listener.wait_for_timeout(8_000)
    after = await listener.evaluate(_STATS, "inbound-rtp")
    said = await speaker.evaluate(_STATS, "outbound-rtp")
    for page in (listener, speaker):
        await page.close()
    made_up, all_samples = (after[name] - before[name] for name in ("concealedSamples", "totalSamplesReceived"))
    return Heard(made_up / all_samples, said, after)


def _payload(outbound: dict[str, Any]) -> float:
    """Bytes a packet."""
    return float(outbound["bytesSent"] / outbound["packetsSent"])


async def test_chromium_agrees_on_repair_and_hears_what_was_lost(room: Room, path: LossyPath, browser: Browser) -> None:
    without = await _heard(room, path, browser, repair=False)
    stats = room.engine.stats()
    assert (stats.requested, stats.nacked, stats.retransmitted) == (0, 0, 0)
    # 15 % lost on each leg are 28 % on the way.
    assert without.concealed > 0.15

    repaired = await _heard(room, path, browser, repair=True)
    stats = room.engine.stats()
    # Chromium calls the codec Opus all the same: what tells is that each frame is sent twice.
    assert _payload(repaired.speaker) > 1.6 * _payload(without.speaker)
    assert repaired.speaker["retransmittedPacketsSent"] > 0 and stats.requested > 0
    assert 0 < stats.retransmitted <= stats.nacked
    assert repaired.concealed < without.concealed / 3
