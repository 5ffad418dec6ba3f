"""People who listen while something is done to the server: for how long they heard nothing, and what they lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.installation import Installation
from bench.programs import BenchFailed, progress, run_load_client

_LISTENERS = 20
_WINDOW_SECS = 1
_START_PATIENCE_SECS = 60


class Audience:
    """A room in which one person talks all the time; listeners do nothing but listen."""

    def __init__(self, salon: Installation, tokens: Path) -> None:
        self.room = ""
        self._windows: list[dict[str, Any]] = []
        self._opened, self._ended = threading.Event(), threading.Event()
        self._failure: BenchFailed | None = None
        self._thread = threading.Thread(target=self._listen, args=(salon, tokens))

    def _listen(self, salon: Installation, tokens: Path) -> None:
        options: dict[str, Any] = {"listeners": _LISTENERS, "join_rate": 10, "windows": 1_000, "window": f"{_WINDOW_SECS}s"}
        try:
            for line in run_load_client("gaps", base=salon.base, tokens=tokens, **options):
                if line["kind"] == "opened":
                    self.room = line["room"]
                elif line["kind"] == "gaps":
                    self._windows.append(line)
                    self._opened.set()
                    if self._ended.is_set():
                        return  # which ends the load client, and with it the room
            raise BenchFailed("the audience left before its time")
        except BenchFailed as error:
            self._failure = error
            self._opened.set()

    def begin(self) -> None:
        """Raises BenchFailed when nobody hears anything."""
        self._thread.start()
        if not self._opened.wait(_START_PATIENCE_SECS):
            raise BenchFailed("the audience did not come in")
        self._check()
        quiet = self._windows[-1]
        progress(f"{quiet['hear_at_end']} listeners hear; longest gap {max(quiet['gap_ms']):.0f} ms before anything is done")
        if quiet["hear_at_end"] < _LISTENERS:
            raise BenchFailed("not everybody in the audience hears the speaker")

    def end(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def figures(self, name: str) -> Iterator[Figure]:
        """Of all windows since the first. Raises BenchFailed."""
        self._check()
        windows = self._windows[1:]
        gaps = [max(window["gap_ms"]) for window in windows]
        lost = sum(window["lost_rtp"] for window in windows)
        secs = len(windows) * _WINDOW_SECS
        deaf = sum(window["listeners"] - window["hear_at_end"] for window in windows[-1:])
        progress(f"others heard on for {secs} s: longest gap {max(gaps):.0f} ms, {lost} packets lost, {deaf} deaf at the end")
        yield Figure(f"hostile.{name}_others_gap_ms", "ms", "lower", (max(gaps),))
        yield Figure(f"hostile.{name}_others_lost", "packets", "lower", (max(lost, 0),))
        yield Figure(f"hostile.{name}_others_deaf", "listeners", "lower", (deaf,))


@contextmanager
def listening(salon: Installation, tokens: Path) -> Iterator[Audience]:
    """While the body runs. tokens: the speaker's."""
    audience = Audience(salon, tokens)
    try:
        audience.begin()
        yield audience
    finally:
        audience.end()
