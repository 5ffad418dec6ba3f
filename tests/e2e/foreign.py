"""Clients that are no browsers: aiortc on both ends, by docs/protocol.md alone."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame

from salon.demo.client import Api, Refused, Whep
from salon.demo.speech import Speech, SpeechTrack, read_speech
from tests.e2e.ears import ENOUGH_SECS
from tests.e2e.people import Person
from tests.e2e.sound import RATE_HZ, Samples, Saying, intelligibility

_POLL_SECS = 0.05


def encode(saying: Saying, file: Path) -> Speech:
    """The saying as Opus packets of 20 ms."""
    opus = ["-c:a", "libopus", "-b:a", "32k", "-frame_duration", "20", "-application", "voip"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(saying.file), *opus, str(file)], check=True)
    return read_speech(file)


@contextlib.asynccontextmanager
async def repeating(track: SpeechTrack, speech: Speech) -> AsyncIterator[None]:
    """Say it over and over while the block runs."""

    async def say_forever() -> None:
        while True:
            await track.say(speech)

    saying = asyncio.create_task(say_forever())
    try:
        yield
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)


async def hear(track: MediaStreamTrack, seconds: float) -> Samples:
    """What arrives on a track in the next `seconds`; shorter where nothing does."""
    async with listening_to(track) as heard:
        await asyncio.sleep(seconds)
        return heard.since(0)


class Heard:
    """What has arrived on a track; positions are in samples at RATE_HZ. Where nothing arrives they stand still."""

    def __init__(self) -> None:
        self.position = 0
        self._pieces: list[Samples] = [np.zeros(0)]

    def take(self, piece: Samples) -> None:
        self._pieces.append(piece)
        self.position += len(piece)

    def since(self, position: int) -> Samples:
        return np.concatenate(self._pieces)[position:]

    async def until_heard(self, saying: Saying, *, within_secs: float, at_least: float = 0.9) -> None:
        """Wait until `saying` arrives intelligibly. Raises AssertionError with the best measure otherwise."""
        deadline = time.monotonic() + within_secs
        start, best = self.position, 0.0
        while time.monotonic() < deadline:
            await asyncio.sleep(_POLL_SECS)
            if self.position - start < int(ENOUGH_SECS * RATE_HZ):
                continue
            best = max(best, intelligibility(saying, self.since(start)))
            if best >= at_least:
                return
            start = self.position
        raise AssertionError(f"“{saying.words}” did not arrive within {within_secs} s; the best intelligibility was {best:.2f}")


@contextlib.asynccontextmanager
async def listening_to(track: MediaStreamTrack) -> AsyncIterator[Heard]:
    """Takes what arrives on a track as it arrives, while the block runs: left alone it would wait, and be taken for newer than it is."""
    heard = Heard()

    async def listen() -> None:
        with contextlib.suppress(MediaStreamError):  # the track has ended
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame) and frame.sample_rate == RATE_HZ
                channels = len(frame.layout.channels)
                samples = frame.to_ndarray().reshape(-1, channels)[:, 0].astype(np.float64) / 32768
                heard.take(samples)

    listening = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        listening.cancel()
        outcome = await asyncio.gather(listening, return_exceptions=True)
        if isinstance(outcome[0], AssertionError):
            raise outcome[0]


@contextlib.asynccontextmanager
async def in_the_room(person: Person, origin: str, room: str) -> AsyncIterator[Api]:
    """Somebody without a window, who is in the room while the block runs and does not listen to what arrives."""
    async with person.api(origin) as api:
        listening = Whep(api, room)
        await listening.connect()
        listening.stop_hearing()
        try:
            yield api
        finally:
            await listening.close()


async def refusal(asking: Awaitable[object]) -> tuple[int, str]:
    """Status and code with which the server refuses; AssertionError if it does not."""
    try:
        await asking
    except Refused as refused:
        return refused.status, refused.code
    raise AssertionError("it was not refused")
