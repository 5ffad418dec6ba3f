"""The processes that `salon serve` starts, watches, starts again and stops."""

import asyncio
import contextlib
import ctypes
import logging
import logging.handlers
import os
import re
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

# A process that ran this long was healthy: its next failure begins the pauses anew.
_HEALTHY_SECS = 30.0
_PAUSES_SECS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_LOG_BYTES, _LOG_FILES = 5_000_000, 3
_LOUD = re.compile(rb"\b(WARNING|ERROR|CRITICAL)\b|^Traceback|\[WARNING\]|\[ERROR\]")
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_supervisor() -> None:
    """In the child, before exec: whatever kills the supervisor must not leave a Salon behind that nobody watches."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One supervised program. Its output goes to `<logs>/<name>.log`; warnings and worse also to standard error."""

    def __init__(self, name: str, command: Sequence[str], logs: Path, say: Callable[[str], None]) -> None:
        self.name = name
        self.restarts = 0
        self._command = [*command]
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._last_lines: deque[bytes] = deque(maxlen=15)
        self._log = _rotating_log(name, logs / f"{name}.log")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def run(self) -> None:
        """Until `stop`: start, wait, start again with growing pauses."""
        pauses = iter(_PAUSES_SECS)
        while not self._stopping:
            started = time.monotonic()
            status = await self._run_once()
            if self._stopping:
                return
            if time.monotonic() - started > _HEALTHY_SECS:
                pauses = iter(_PAUSES_SECS)
            pause = next(pauses, _PAUSES_SECS[-1])
            self.restarts += 1
            self._say(f"{self.name} {_ending(status)}; it starts again.")
            self._show_last_lines()
            await asyncio.sleep(pause)

    async def stop(self, within_secs: float) -> None:
        """Ask it to end, and end it after `within_secs`."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), within_secs)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await process.wait()

    def signal(self, number: signal.Signals) -> None:
        """To its whole process group: granian's workers are its children, not ours."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def _run_once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            process_group=0, preexec_fn=_die_with_supervisor, limit=1 << 20,
        )  # fmt: skip
        if self._stopping:
            self.signal(signal.SIGTERM)
        assert self._process.stdout is not None  # noqa: S101  (a pipe was asked for)
        while line := await _line_of(self._process.stdout):
            self._take(line)
        status = await self._process.wait()
        self.signal(signal.SIGKILL)  # what is left of its group
        return status

    def _take(self, line: bytes) -> None:
        line = line.rstrip(b"\n")
        self._last_lines.append(line)
        text = line.decode(errors="replace")
        self._log.info(text)
        if _LOUD.search(line) and not self._stopping:
            print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    def _show_last_lines(self) -> None:
        for line in self._last_lines:
            print(f"    {line.decode(errors='replace')}", file=sys.stderr)
        self._last_lines.clear()


async def _line_of(output: asyncio.StreamReader) -> bytes:
    """The next line; a longer one than the buffer comes in pieces."""
    try:
        return await output.readuntil()
    except asyncio.IncompleteReadError as rest:
        return rest.partial
    except asyncio.LimitOverrunError as overrun:
        return await output.readexactly(overrun.consumed)


def _ending(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _rotating_log(name: str, path: Path) -> logging.Logger:
    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.Logger(name)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    return log
