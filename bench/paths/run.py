"""`make bench-paths`: how long a listener hears nothing when the path changes or dies, and how soon there is sound where UDP is dropped.

The listener is Salon's own client in a Chromium in a home of its own: a network namespace behind a router, which is another. Somebody
hums on this machine without a pause. A gap runs from the fault to the moment when sound comes out of the player again; what the player
still had, or made up, counts as gap. Silence of less than a tenth of a second is none: a browser's next check may bring the new address to
the server in the same moment. Joins run from the page's address being opened to the first sound. Figures come as JSON lines.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from bench.figures import Figure
from bench.installation import Installation
from bench.mouth_to_ear import blank_page, chromium, launch
from bench.paths.network import ONLY_PORT_443, WITHOUT_UDP, HomeNetwork
from bench.paths.proxy import PORT, proxy
from bench.programs import BenchFailed, progress
from bench.run import interrupt, show

_HERE = Path(__file__).parent
_TRIALS = 4
_PATIENCE_SECS = 20
_BEFORE_SECS, _AFTER_SECS = 7.5, 4.0
"""Around a fault; eleven seconds from one to the next, since the client restarts ICE on its own suspicion every ten at most."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.paths.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=_TRIALS, help=f"of each kind; {_TRIALS} take three minutes")
    parser.add_argument("--only", choices=("joins", "address", "silent", "router"), help="one part; all parts if left out")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    began = time.monotonic()
    progress(f"load {os.getloadavg()[0]:.1f}")
    try:
        with HomeNetwork() as network, _salon(network) as (salon, base), sync_playwright() as playwright, ExitStack() as browsers:
            voices = browsers.enter_context(launch(playwright))
            listener = _Listener(
                browsers.enter_context(_browser_at_home(playwright, salon, network)),
                room=f"{base}/room/{_somebody_hums(voices, salon, base)}",
            )
            parts = {
                "joins": join_figures(listener, network, salon.port + 4, options.trials),
                "address": gap_figures("media.address_change_gap_ms", listener, network.change_address, options.trials),
                "silent": gap_figures("media.silent_path_gap_ms", listener, network.forsake_udp, options.trials),
                "router": router_figures(listener, network, options.trials),
            }
            for name in [options.only] if options.only else parts:
                show(parts[name])
    except BenchFailed as error:
        progress(str(error))
        return 1
    progress(f"took {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}")
    return 0


def join_figures(listener: "_Listener", network: HomeNetwork, media_port: int, trials: int) -> Iterator[Figure]:
    """UDP dropped, and all dropped but TCP to port 443. Raises BenchFailed when sound went another way."""
    for name, rules, port in (
        ("media.udp_blocked_audio_ms", WITHOUT_UDP, media_port),
        ("media.only_443_audio_ms", ONLY_PORT_443, PORT),
    ):
        network.wall(*rules)
        yield from _figures(name, [listener.join({"protocol": "tcp", "port": port}) for _ in range(trials)])
        if network.dropped() == 0:
            raise BenchFailed("the firewall had nothing to drop")
    network.wall()


def gap_figures(name: str, listener: "_Listener", fault: Callable[[], None], trials: int) -> Iterator[Figure]:
    listener.join()
    yield from _figures(name, [listener.gap(fault) for _ in range(trials)])


def router_figures(listener: "_Listener", network: HomeNetwork, trials: int) -> Iterator[Figure]:
    """The router translates addresses, and its own changes."""
    network.translate()
    yield from gap_figures("media.router_change_gap_ms", listener, network.change_routers_address, trials)


def gap_of(fault: float, began: Sequence[float]) -> float:
    """How long after the fault the sound began that stayed; 0 if it never ended for a tenth of a second."""
    return max((at - fault for at in began), default=0.0)


def _figures(name: str, times: Sequence[float]) -> Iterator[Figure]:
    yield Figure(f"{name}_p50", "ms", "lower", tuple(times))
    yield Figure(f"{name}_max", "ms", "lower", (max(times),))


class _Listener:
    """A visitor in one room, again and again: a fresh profile for each join, one browser for all."""

    def __init__(self, browser: Browser, room: str) -> None:
        self._browser = browser
        self._room = room
        self._page: Page | None = None

    def join(self, expected: dict[str, object] | None = None) -> float:
        """Milliseconds from opening the room's address to the first sound, which must come by `expected` transport if any is given."""
        if self._page:
            self._page.context.close()
        page = self._page = self._browser.new_context(ignore_https_errors=True, bypass_csp=True).new_page()
        page.add_init_script(path=_HERE / "ear.js")
        wanted = _now_ms()
        page.goto(self._room, wait_until="commit")
        try:
            page.wait_for_function("soundBegan.length > 0", timeout=_PATIENCE_SECS * 1000)
        except PlaywrightTimeout:
            raise BenchFailed(f"nothing was heard within {_PATIENCE_SECS} s: {page.inner_text('body')[:300]!r}") from None
        transport = page.evaluate("transportOfSound()")
        if expected and transport != expected:
            raise BenchFailed(f"sound came by {transport}, and not by {expected}")
        heard = float(page.evaluate("soundBegan[0]")) - wanted
        progress(f"joined in {heard:.0f} ms by {transport['protocol']}")
        return heard

    def gap(self, fault: Callable[[], None]) -> float:
        """Milliseconds from the fault until there is sound to stay."""
        page = self._page
        assert page is not None
        page.wait_for_timeout(_BEFORE_SECS * 1000)
        if not page.evaluate("isSounding()"):
            raise BenchFailed("there was no sound to be interrupted")
        page.evaluate("soundBegan.length = 0")
        began = _now_ms()
        fault()
        page.wait_for_timeout(_AFTER_SECS * 1000)
        try:
            page.wait_for_function("isSounding()", timeout=_PATIENCE_SECS * 1000)
        except PlaywrightTimeout:
            raise BenchFailed(f"there was no sound again within {_AFTER_SECS + _PATIENCE_SECS:.0f} s") from None
        gap = gap_of(began, page.evaluate("soundBegan"))
        progress(f"sound was back after {gap:.0f} ms")
        return gap


@contextmanager
def _salon(network: HomeNetwork) -> Iterator[tuple[Installation, str]]:
    """Salon behind the proxy, and its address."""
    base = f"https://{network.outside}"
    settings = {"SALON_PUBLIC_URL": base, "SALON_MEDIA_ADDRESSES": network.outside, "SALON_MEDIA_TCP_PORTS": str(PORT)}
    with Installation(**settings) as salon:
        salon.start()
        with proxy(salon, network.outside):
            yield salon, base


def _browser_at_home(playwright: Playwright, salon: Installation, network: HomeNetwork) -> Browser:
    program = salon.folder / "chromium"
    program.write_text(f'#!/bin/sh\nexec ip netns exec {network.home} {chromium()} "$@"\n')
    program.chmod(0o755)
    return launch(playwright, str(program))


def _somebody_hums(browser: Browser, salon: Installation, base: str) -> str:
    """The room in which they do."""
    [token] = salon.tokens(1).read_text().split()
    page = blank_page(browser, base)
    page.add_script_tag(path=_HERE / "voice.js")
    room: str = page.evaluate("token => openRoom(token)", token)
    page.evaluate("([token, room]) => hum(token, room)", [token, room])
    return room


def _now_ms() -> float:
    return time.time() * 1000


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
