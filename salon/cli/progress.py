"""What `salon serve` says while it starts: one calm line per step."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_GREEN, _RED, _DIM, _BOLD, _PLAIN = "\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"


class Progress:
    """Lines on standard output; colours and rewriting only where that is a terminal."""

    def __init__(self) -> None:
        self._on_terminal = sys.stdout.isatty()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Shows `name` as under way, then with a tick and its time, or with a cross when the block raises."""
        started = time.monotonic()
        if self._on_terminal:
            print(f"  … {name}", end="\r", flush=True)
        try:
            yield
        except BaseException:
            self._line(self._coloured("✗", _RED), name, started)
            raise
        self._line(self._coloured("✓", _GREEN), name, started)

    def say(self, sentence: str) -> None:
        print(f"  {sentence}", flush=True)

    def opened(self, address: str, after_secs: float) -> None:
        spent = self._coloured(f"({after_secs:.1f} s)", _DIM)
        print(f"\n  Salon is open: {self._coloured(address, _BOLD)}  {spent}\n  {self._coloured('Ctrl-C closes it.', _DIM)}\n", flush=True)

    def _line(self, mark: str, name: str, started: float) -> None:
        spent = self._coloured(f"{time.monotonic() - started:.1f} s", _DIM)
        print(f"  {mark} {name}  {spent}", flush=True)

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._on_terminal else text
