"""Clients that are no browsers: aiortc on both ends, by docs/protocol.md alone."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import numpy as np
from aiortc import MediaStreamTrack
from av.audio.frame import AudioFrame

from salon.demo.client import Api, Refused, Whep
from salon.demo.speech import Speech, SpeechTrack, read_speech
from tests.e2e.people import Person
from tests.e2e.sound import RATE_HZ, Samples, Saying


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
    end = time.monotonic() + seconds
    pieces: list[Samples] = [np.zeros(0)]
    while (remaining := end - time.monotonic()) > 0:
        try:
            frame = await asyncio.wait_for(track.recv(), remaining)
        except TimeoutError:
            break
        assert isinstance(frame, AudioFrame) and frame.sample_rate == RATE_HZ
        channels = len(frame.layout.channels)
        pieces.append(frame.to_ndarray().reshape(-1, channels)[:, 0].astype(np.float64) / 32768)
    return np.concatenate(pieces)


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
