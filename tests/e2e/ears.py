"""What a page lets its person hear, as samples."""

import asyncio
import base64
import time
from pathlib import Path
from typing import Self

import numpy as np
from playwright.async_api import BrowserContext, Page

from tests.e2e.sound import RATE_HZ, SILENT_RMS, Samples, Saying, from_int16, intelligibility, loudest_window, silent_from

EAR_SCRIPT = Path(__file__).with_name("ear.js")
_POLL_SECS = 0.1
ENOUGH_SECS = 1.8
"""What `intelligibility` needs to be sure."""
_STEP_SECS = 0.6
"""How far `until_heard` looks on each time: a second of broken sound delays it, and does not spoil what follows."""


async def give_ears(context: BrowserContext) -> None:
    """Every page of `context` opened from now on can be listened to."""
    await context.add_init_script(path=EAR_SCRIPT)


class Ear:
    """The sound of one page since `Ear.open`; positions are in samples at RATE_HZ."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._kept: Samples = np.zeros(0)
        self._dropped = 0

    @classmethod
    async def open(cls, page: Page) -> Self:
        state = await page.evaluate("ear.open()")
        if state != "running":
            raise RuntimeError(f"the page's audio context is {state}")
        return cls(page)

    async def position(self) -> int:
        """Where the sound that is heard at this moment will be written."""
        return int(await self._page.evaluate("ear.written()"))

    async def record(self, seconds: float) -> Samples:
        """The next `seconds` of sound."""
        return await self.between(await self.position(), seconds)

    async def between(self, start: int, seconds: float) -> Samples:
        """`seconds` of sound from position `start`, waiting for it to happen."""
        end = start + int(seconds * RATE_HZ)
        deadline = time.monotonic() + seconds + 10
        while self._dropped + len(self._kept) < end:
            if time.monotonic() > deadline:
                raise TimeoutError("the page stopped writing sound")
            await asyncio.sleep(_POLL_SECS)
            fresh = from_int16(base64.b64decode(await self._page.evaluate("ear.take()")))
            self._kept = np.concatenate([self._kept, fresh])
        heard = self._kept[start - self._dropped : end - self._dropped]
        # A minute is more than any test looks back.
        surplus = max(0, len(self._kept) - 60 * RATE_HZ)
        self._kept, self._dropped = self._kept[surplus:], self._dropped + surplus
        return heard

    async def until_heard(self, saying: Saying, *, within_secs: float, at_least: float = 0.9) -> float:
        """Wait until `saying` arrives intelligibly; the measure that sufficed. Raises AssertionError with the best one otherwise."""
        deadline = time.monotonic() + within_secs
        start, best = await self.position(), 0.0
        while time.monotonic() < deadline:
            best = max(best, intelligibility(saying, await self.between(start, ENOUGH_SECS)))
            if best >= at_least:
                return best
            start += int(_STEP_SECS * RATE_HZ)
        raise AssertionError(f"“{saying.words}” was not heard within {within_secs} s; the best intelligibility was {best:.2f}")

    async def falls_silent(self, since: int) -> None:
        """AssertionError unless the page is silent within a second of position `since`, and stays so for two more."""
        lasted = silent_from(await self.between(since, 3.0))
        assert lasted < 1.0, f"it went on for {lasted:.2f} s"

    async def stays_silent(self, seconds: float) -> None:
        """AssertionError if anything is heard in the next `seconds`."""
        loudest = loudest_window(await self.record(seconds))
        assert loudest < SILENT_RMS, f"something was heard: {loudest:.4f}"

    async def until_silent(self, *, within_secs: float) -> None:
        """Wait for a whole second of silence."""
        deadline = time.monotonic() + within_secs
        start = await self.position()
        while time.monotonic() < deadline:
            if loudest_window(await self.between(start, 1.0)) < SILENT_RMS:
                return
            start += int(_STEP_SECS / 2 * RATE_HZ)
        raise AssertionError(f"it was not silent within {within_secs} s")
