"""`make bench-mouth-to-ear`: how long sound takes from one browser through Salon to another.

Two browser processes on one machine, so with one clock. The mouth is an audio worklet that makes a short tone now and then in place of a
microphone; the ear is an audio worklet behind the player. In between is everything that a conversation has: Opus, encryption, Salon's
engine, the jitter buffer, Opus again. Not in between are microphones, loudspeakers and a network.
"""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench.figures import Figure, grouped, percentile
from bench.installation import Installation
from bench.programs import BenchFailed, progress
from bench.run import interrupt, show

_SCRIPT = Path(__file__).with_name("mouth_to_ear.js")
_PROGRAMS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
_FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
_TONES = 60
_SETTLE_SECS = 10
"""Jitter buffers begin wide and shrink."""
_PER_RUN = 12


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.mouth_to_ear", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tones", type=int, default=_TONES, help=f"how many tones; {_TONES} take 40 s")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        with Installation() as salon, sync_playwright() as playwright:
            salon.start()
            show(mouth_to_ear_figures(salon, playwright, options.tones))
    except BenchFailed as error:
        progress(str(error))
        return 1
    return 0


def mouth_to_ear_figures(salon: Installation, playwright: Playwright, tones: int) -> Iterator[Figure]:
    """Raises BenchFailed when a tenth of the tones or more were not heard."""
    speaker, listener = salon.tokens(2).read_text().split()
    with launch(playwright) as mouths, launch(playwright) as ears:
        mouth, ear = blank_page(mouths, salon.base), blank_page(ears, salon.base)
        room = mouth.evaluate("token => openRoom(token)", speaker)
        mouth.evaluate("([token, room]) => speak(token, room)", [speaker, room])
        ear.evaluate("([token, room]) => listen(token, room)", [listener, room])
        ear.wait_for_timeout(_SETTLE_SECS * 1000)
        ear.evaluate("heard.length = 0")
        made: list[float] = mouth.evaluate("count => makeTones(count)", tones)
        ear.wait_for_timeout(1000)
        heard: list[float] = ear.evaluate("heard")
    delays = matched(made, heard)
    progress(f"{len(delays)} of {len(made)} tones were heard")
    if len(delays) <= 0.9 * len(made):
        raise BenchFailed(f"only {len(delays)} of {len(made)} tones were heard")
    runs = grouped(delays, _PER_RUN)
    yield Figure("media.mouth_to_ear_ms_p50", "ms", "lower", tuple(percentile(run, 0.5) for run in runs))
    yield Figure("media.mouth_to_ear_ms_p95", "ms", "lower", (percentile(delays, 0.95),))


def matched(made: Sequence[float], heard: Sequence[float]) -> list[float]:
    """The delay, ms, of each tone that was heard before the next one was made. Both: milliseconds since 1970, rising."""
    delays = []
    for at, following in zip(made, [*made[1:], float("inf")], strict=True):
        arrival = next((arrived for arrived in heard if at <= arrived < following), None)
        if arrival is not None:
            delays.append(arrival - at)
    return delays


def chromium() -> str:
    program = next((path for path in _PROGRAMS if Path(path).exists()), None)
    if program is None:
        raise BenchFailed("there is no Chromium: on Debian, apt-get install chromium-headless-shell")
    return program


def launch(playwright: Playwright, program: str | None = None) -> Browser:
    """program: what starts a Chromium, if not itself."""
    return playwright.chromium.launch(executable_path=program or chromium(), args=list(_FLAGS))


def blank_page(browser: Browser, base: str) -> Page:
    """A page of Salon's origin without Salon's client, so that nothing but sound is measured; with the functions of mouth_to_ear.js."""
    page = browser.new_page(ignore_https_errors=True, bypass_csp=True)
    page.route("**/mouth-to-ear", lambda route: route.fulfill(content_type="text/html", body="<!doctype html><audio autoplay></audio>"))
    page.goto(f"{base}/mouth-to-ear")
    page.add_script_tag(path=_SCRIPT)
    return page


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
