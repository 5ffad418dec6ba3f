"""Where a supervised process's output goes: all of it to a file, warnings and worse to the terminal as well."""

import logging
import re
import sys
import time
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FILE_BYTES, _OLD_FILES = 5_000_000, 3
_SHOWN_AFTER_CRASH = 15
# A terminal is for reading: of a process that complains without end it gets the beginning.
_LOUD_LINES, _LOUD_SECS = 30, 10.0
# "2026-11-23 05:00:00,123 WARNING …" (ours), "[WARNING] …" (granian), "2026-11-23 05:00:00.123 UTC [7] FATAL: …" (PostgreSQL)
_LEVEL = re.compile(r"^(?:[\d :.,-]+)?(?:UTC \[\d+\] )?\[?(DEBUG|INFO|LOG|HINT|DETAIL|STATEMENT|WARNING|ERROR|CRITICAL|FATAL|PANIC)\b")
_LOUD = frozenset(("WARNING", "ERROR", "CRITICAL", "FATAL", "PANIC"))


class Output:
    """One process's lines. A line without a level belongs to the record before it, as the lines of a traceback do."""

    def __init__(self, name: str, folder: Path, *, quiet: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.log"
        self.is_quiet = quiet
        """While it starts or stops: what it then complains of is expected."""
        self._name = name
        self._is_loud = False
        self._last: deque[str] = deque(maxlen=_SHOWN_AFTER_CRASH)
        self._shown = 0
        self._shown_since = 0.0
        self._file = RotatingFileHandler(self.path, maxBytes=_FILE_BYTES, backupCount=_OLD_FILES, encoding="utf-8")
        self._file.setFormatter(logging.Formatter("%(message)s"))

    def write(self, line: str) -> None:
        self._last.append(line)
        self._file.handle(logging.makeLogRecord({"msg": line}))
        if match := _LEVEL.match(line):
            self._is_loud = match[1] in _LOUD
        elif line.startswith("Traceback"):
            self._is_loud = True
        if self._is_loud and not self.is_quiet:
            self._show(line)

    def _show(self, line: str) -> None:
        now = time.monotonic()
        if now - self._shown_since > _LOUD_SECS:
            self._shown, self._shown_since = 0, now
        self._shown += 1
        if self._shown <= _LOUD_LINES:
            print(f"{self._name}: {line}", file=sys.stderr, flush=True)
        elif self._shown == _LOUD_LINES + 1:
            print(f"{self._name}: … and more, in {self.path}", file=sys.stderr, flush=True)

    def show_last(self) -> None:
        """What it said before it ended, unless that is on the terminal already."""
        if not self._is_loud:
            for line in self._last:
                print(f"    {line}", file=sys.stderr, flush=True)
        self._last.clear()
        self._is_loud = False
