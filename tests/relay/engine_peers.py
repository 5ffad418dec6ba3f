"""Peers for the engine's tests: aiortc with tones for microphones and measuring ears.

aiortc shares no code with the engine, so that what these tests prove is the protocol and not an agreement of the engine with itself.
"""

import asyncio
import fractions
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from salon.relay._engine import Engine, SessionClosed, SessionConnected

RATE_HZ = 48_000
FRAME_SAMPLES = 960
HEARD_RMS = 0.05
"""A tone of amplitude 0.3 has an RMS of 0.21; after Opus about the same."""
SILENCE_RMS = 0.001

THREADS = int(os.environ.get("SALON_TEST_MEDIA_THREADS", "1"))
"""Of the engines that tests start: each of their promises must hold with several as well."""


def start_engine(port: int, **options: Any) -> Engine:
    """On the loopback interface. With several threads each session of a room is on the one with the fewest of its listeners."""
    spread = {"threads": THREADS, "listeners_at_home": 0} if THREADS > 1 else {}
    return Engine(**{"port": port, "addresses": ["127.0.0.1"], "bind": "127.0.0.1"} | spread | options)


class Tone(AudioStreamTrack):
    """A sine as microphone, 20 ms a frame, in real time (the base class keeps the pace)."""

    def __init__(self, hz: float) -> None:
        super().__init__()
        self.hz = hz
        self.sent_samples = 0

    async def recv(self) -> av.AudioFrame:
        silence = await super().recv()  # 8 kHz, 160 samples, paced
        times = (self.sent_samples + np.arange(FRAME_SAMPLES)) / RATE_HZ
        samples = (0.3 * 32767 * np.sin(2 * np.pi * self.hz * times)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self.sent_samples
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self.sent_samples += FRAME_SAMPLES
        assert silence.samples == FRAME_SAMPLES * silence.sample_rate // RATE_HZ
        return frame


class Ear:
    """Collects what one received track decodes to, mono, -1..1."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.samples = np.zeros(0, dtype=np.float32)
        self.arrived = asyncio.Event()
        self.task = asyncio.create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, av.AudioFrame)
            channels = len(frame.layout.channels)
            mono = frame.to_ndarray().reshape(-1, channels).mean(axis=1) / 32768
            self.samples = np.concatenate([self.samples, mono.astype(np.float32)])
            self.arrived.set()

    async def hear(self, secs: float) -> np.ndarray:
        """The next `secs` of sound; times out with the test if too little comes."""
        start = len(self.samples)
        while len(self.samples) - start < secs * RATE_HZ:
            self.arrived.clear()
            await self.arrived.wait()
        return self.samples[start : start + int(secs * RATE_HZ)]


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def loudest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE_HZ)[spectrum.argmax()])


class Room:
    """An engine with peers of one room."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.peers: list[RTCPeerConnection] = []

    async def speak(self, person: str, hz: float) -> RTCPeerConnection:
        peer = self._peer()
        peer.addTrack(Tone(hz))
        await self._connect(peer, f"speak-{person}", person, "speak")
        return peer

    async def listen(self, person: str, slots: int = 1) -> list[Ear]:
        peer = self._peer()
        ears: list[Ear] = []
        peer.on("track", lambda track: ears.append(Ear(track)))
        for _ in range(slots):
            peer.addTransceiver("audio", direction="recvonly")
        await self._connect(peer, f"listen-{person}", person, "listen")
        assert len(ears) == slots
        return ears

    def _peer(self) -> RTCPeerConnection:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peers.append(peer)
        return peer

    async def _connect(self, peer: RTCPeerConnection, session: str, person: str, direction: str) -> None:
        await peer.setLocalDescription(await peer.createOffer())
        answer = await self.open(session, person, direction, peer.localDescription.sdp)
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await self.until_connected(session)

    async def open(self, session: str, person: str, direction: str, offer: str) -> str:
        """The engine's answer."""
        opened = self.engine.open_session(session=session, room="room", person=person, direction=direction, offer=offer)
        assert opened.session == session
        return opened.answer

    async def until_connected(self, session: str) -> None:
        await self.event(SessionConnected, session)

    async def event(self, kind: type, session: str) -> SessionConnected | SessionClosed:
        """Wait for an event of one session; events of others are passed over."""
        while True:
            for event in await asyncio.to_thread(self.engine.poll_events, 1.0):
                if isinstance(event, kind) and event.session == session:
                    return event


@asynccontextmanager
async def room_of(engine: Engine) -> AsyncIterator[Room]:
    """The engine's one room. Its peers and the engine end with it."""
    room = Room(engine)
    try:
        yield room
    finally:
        for peer in room.peers:
            await peer.close()
        engine.close()
