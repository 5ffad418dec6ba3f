"""Real browsers with fake microphones: one process for each thing said, because Chromium takes one file per process."""

from pathlib import Path
from typing import Self

from playwright.async_api import Browser, BrowserContext, Playwright

from tests.e2e.ears import give_ears
from tests.e2e.sound import Saying

_SCREEN_READER = Path(__file__).with_name("screen_reader.js")
_PROGRAMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
_ASK_NOBODY = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")
_MICROPHONE = "--use-fake-device-for-media-stream"
# Headless-shell knows no other way to say yes or no.
_MICROPHONE_GRANTED = "--use-fake-ui-for-media-stream"
_MICROPHONE_REFUSED = "--use-fake-ui-for-media-stream=deny"


class Browsers:
    """Opens a browser for each saying on first use; others have no microphone, or a person who refuses it to every page."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._open: dict[tuple[str, ...], Browser] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for browser in self._open.values():
            await browser.close()

    async def context(self, saying: Saying | None, *, refuses_microphone: bool = False, **options: object) -> BrowserContext:
        """A fresh profile (no cookies, nothing stored) whose pages can be listened to, and remember what a screen reader was told."""
        flags: tuple[str, ...] = (_MICROPHONE_REFUSED, _MICROPHONE) if refuses_microphone else (_MICROPHONE_GRANTED,)
        if saying:
            flags += (_MICROPHONE, f"--use-file-for-fake-audio-capture={saying.file}")
        context = await (await self._browser(flags)).new_context(**{"locale": "en-GB", **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        await give_ears(context)
        await context.add_init_script(path=_SCREEN_READER)
        return context

    async def _browser(self, flags: tuple[str, ...]) -> Browser:
        if flags not in self._open:
            self._open[flags] = await self._playwright.chromium.launch(executable_path=_program(), args=[*_ASK_NOBODY, *flags])
        return self._open[flags]


def _program() -> Path:
    for program in _PROGRAMS:
        if program.exists():
            return program
    raise RuntimeError("no Chromium: on Debian, apt-get install chromium-headless-shell")
