"""Chromium as a peer of the engine: a page with a tone for its microphone, an offer from it, and what it counts."""

import re
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, Page, Route, async_playwright

from tests.relay.engine_peers import RATE_HZ, Room

SHELL = Path("/usr/bin/chromium-headless-shell")
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
_RESTART = """async () => {
    peer.restartIce();
    await peer.setLocalDescription();
    return peer.localDescription.sdp;
}"""
_RESTARTED = """async ([ufrag, password]) => {
    const before = peer.remoteDescription.sdp;
    const sdp = before.replace(/a=ice-ufrag:.*/g, ufrag).replace(/a=ice-pwd:.*/g, password);
    await peer.setRemoteDescription({type: "answer", sdp});
}"""
_PAIR = """async () => {
    const report = await peer.getStats();
    const transport = [...report.values()].find((entry) => entry.type === "transport" && entry.selectedCandidatePairId);
    if (!transport) return null;
    const pair = report.get(transport.selectedCandidatePairId);
    return {protocol: report.get(pair.localCandidateId).protocol, port: report.get(pair.remoteCandidateId).port};
}"""
_ENERGY = """async () => {
    const inbound = [...(await peer.getStats()).values()].filter((entry) => entry.type === "inbound-rtp");
    return Math.max(0, ...inbound.map((entry) => entry.totalAudioEnergy ?? 0));
}"""


def write_tone(file: Path) -> Path:
    """Ten seconds of 440 Hz as a WAV file, for the fake microphone."""
    times = np.arange(10 * RATE_HZ) / RATE_HZ
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((0.3 * 32767 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes())
    return file


@asynccontextmanager
async def open_browser(tone: Path, executable: Path = SHELL) -> AsyncIterator[Browser]:
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={tone}"]
    async with async_playwright() as playwright:
        quiet = ["--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=executable, args=[*flags, *quiet])
        try:
            yield browser
        finally:
            await browser.close()


async def blank_page(browser: Browser) -> Page:
    page = await browser.new_page()

    async def blank(route: Route) -> None:
        await route.fulfill(content_type="text/html", body="<!doctype html>")

    await page.route("**/*", blank)
    await page.goto(_ORIGIN)
    return page


@asynccontextmanager
async def open_page(tone: Path, executable: Path = SHELL) -> AsyncIterator[Page]:
    """A page of a browser of its own."""
    async with open_browser(tone, executable) as browser:
        yield await blank_page(browser)


async def connect(
    room: Room, page: Page, session: str, person: str, *, slots: int, edit: Callable[[str], str] = lambda answer: answer
) -> None:
    """Open a session for the page: one to listen with so many slots, or, with none, one to speak. edit: what becomes of the answer."""
    direction = "listen" if slots else "speak"
    offer = await page.evaluate(_OFFER, {"speaks": not slots, "slots": slots})
    await page.evaluate(_ANSWER, edit(await room.open(session, person, direction, offer)))
    await room.until_connected(session)


def without_udp(answer: str) -> str:
    return re.sub(r"a=candidate:\d+ 1 udp .*\r\n", "", answer)


async def restart_ice(page: Page, ask: Callable[[str], Awaitable[str]]) -> None:
    """Begin anew with the same session. ask: brings a fragment (RFC 8840) to the engine, and its answer back."""
    sdp = await page.evaluate(_RESTART)
    answer = await ask("".join(f"{line}\r\n" for line in sdp.splitlines() if line.startswith(("a=ice-ufrag", "a=ice-pwd", "a=mid"))))
    await page.evaluate(_RESTARTED, [line for line in answer.splitlines() if line.startswith(("a=ice-ufrag", "a=ice-pwd"))])


async def selected_pair(page: Page) -> dict[str, Any] | None:
    """{"protocol": "udp" | "tcp", "port": the engine's} of the route in use."""
    pair: dict[str, Any] | None = await page.evaluate(_PAIR)
    return pair


async def until_heard(page: Page, *, more_than: float = 0.01) -> float:
    """Wait until the page has heard so much, in the unit of getStats' totalAudioEnergy; how much it is then."""
    while (energy := await page.evaluate(_ENERGY)) <= more_than:
        await page.wait_for_timeout(20)
    return float(energy)
