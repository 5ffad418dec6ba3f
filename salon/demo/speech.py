"""A person's voice in the demo: turns read from Ogg Opus files, sent packet by packet as they were encoded."""

import array
import asyncio
import contextlib
import fractions
import math
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack
from av.packet import Packet

CLOCK_HZ = 48_000
FRAME_SECS = 0.02
_FRAME_TICKS = 960
SILENCE = b"\xf8\xff\xfe"
"""20 ms of silence in three bytes (Opus, CELT fullband); what WebRTC stacks send for an empty frame."""
SILENCE_EVERY_SECS = 0.4
"""The pace of Opus's own discontinuous transmission (RFC 7587 section 3.1.3): the stream stays alive at almost no cost."""
SILENT_DBOV = -127


@dataclass(frozen=True, slots=True)
class Speech:
    packets: tuple[bytes, ...]
    levels_dbov: tuple[int, ...]
    """-127..0 for each packet."""

    @property
    def seconds(self) -> float:
        return len(self.packets) * FRAME_SECS


@lru_cache(maxsize=64)
def read_speech(path: Path) -> Speech:
    """Decodes once, to know how loud each packet is. Raises OSError for a file that is not there or not sound."""
    packets: list[bytes] = []
    levels: list[int] = []
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if not packet.size:
                continue
            packets.append(bytes(packet))
            levels.append(_level_dbov(packet))
    return Speech(tuple(packets), tuple(levels))


def _level_dbov(packet: "Packet[Any]") -> int:
    """RFC 6464: the packet's root mean square against the loudest sample there can be."""
    samples = array.array("f")
    for frame in packet.decode():
        if not isinstance(frame, av.AudioFrame):
            continue
        # FFmpeg's Opus decoder yields one plane of 32-bit floats; every eighth sample is measure enough of loudness.
        samples.extend(array.array("f", bytes(frame.planes[0])[: frame.samples * 4])[::8])
    power = sum(sample * sample for sample in samples) / max(1, len(samples))
    return SILENT_DBOV if power <= 0 else max(SILENT_DBOV, min(0, round(10 * math.log10(power))))


class SpeechTrack(MediaStreamTrack):
    """Says what it is told, when it is told; in between it sends silence now and then."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.level_dbov = SILENT_DBOV
        self._speech: Speech | None = None
        self._next = 0
        self._said = asyncio.Event()
        self._begun = asyncio.Event()
        self._first_secs = -1.0
        self._due_secs = 0.0

    async def say(self, speech: Speech) -> None:
        """Returns when the last packet has been handed over. One turn at a time."""
        self._speech, self._next = speech, 0
        self._said.clear()
        self._begun.set()
        try:
            await self._said.wait()
        finally:
            self._speech = None
            self._begun.clear()

    async def recv(self) -> "Packet[Any]":
        """The next packet, at the moment it is due; aiortc sends as fast as this returns."""
        if self._first_secs < 0:
            self._first_secs = self._due_secs = time.monotonic()
        payload, self.level_dbov = await self._next_payload()
        packet = Packet(payload)
        # Time stamps follow the wall clock across silence (RFC 7587 section 4.2), in whole frames.
        packet.pts = packet.dts = round((self._due_secs - self._first_secs) / FRAME_SECS) * _FRAME_TICKS
        packet.time_base = fractions.Fraction(1, CLOCK_HZ)
        return packet

    async def _next_payload(self) -> tuple[bytes, int]:
        if self._speech is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._begun.wait(), SILENCE_EVERY_SECS)
            self._due_secs = self._first_frame_after(time.monotonic())
        else:
            self._due_secs += FRAME_SECS
            await asyncio.sleep(self._due_secs - time.monotonic())
        speech = self._speech
        if speech is None:
            return SILENCE, SILENT_DBOV
        at, self._next = self._next, self._next + 1
        if self._next >= len(speech.packets):
            self._speech = None
            self._begun.clear()
            self._said.set()
        return speech.packets[at], speech.levels_dbov[at]

    def _first_frame_after(self, now: float) -> float:
        """On the grid of 20 ms that the time stamps count, and later than the packet before."""
        frames = round((now - self._first_secs) / FRAME_SECS)
        last = round((self._due_secs - self._first_secs) / FRAME_SECS)
        return self._first_secs + max(frames, last + 1) * FRAME_SECS
