"""The processes that `salon serve` starts, watches, starts again and stops."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from salon.cli.output import Output

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None, use_errno=True)

# A process that ran this long was healthy: its next failure begins the pauses anew.
_HEALTHY_SECS = 30.0
_KILLED_SECS = 1.0
_PAUSES_SECS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    user: str | None = None
    folder: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks it to end, also by the kernel when the supervisor dies without a word."""


class Child:
    """Keeps one program running, in a process group of its own, until `stop`."""

    def __init__(self, program: Program, output: Output, say: Callable[[str], None]) -> None:
        self.program = program
        self.failures = 0
        """In a row, with no healthy run between them."""
        self.output = output
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: asyncio.Future[int] | None = None
        self._stopping = False
        self._keeping: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._spawn()
        self._keeping = asyncio.create_task(self._keep_running(), name=f"keep {self.name}")

    async def stop(self, within_secs: float) -> None:
        """Ask it to end; after `within_secs` insist. Whatever it has started ends with it."""
        self._stopping = self.output.is_quiet = True
        if self._process is not None and self._ended is not None and not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._ended), within_secs)
        self.kill()
        if self._ended is not None:  # at once, but not in no time
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._ended), _KILLED_SECS)
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    def kill(self) -> None:
        """The whole group, at once."""
        self._stopping = True
        self._kill_group()

    def _spawn(self) -> None:
        as_user = {"user": self.program.user, "group": self.program.user, "extra_groups": []} if self.program.user else {}
        self._started_at = time.monotonic()
        self._ended = asyncio.get_running_loop().create_future()
        self._process = subprocess.Popen(
            self.program.command,
            env=dict(self.program.environ),
            cwd=self.program.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C at the terminal reaches only the supervisor, which stops everything in order.
            start_new_session=True,
            preexec_fn=_die_with(os.getpid(), self.program.stop_signal),  # noqa: PLW1509  (no other thread holds a lock it needs)
            **as_user,  # type: ignore[call-overload]
        )
        # Threads, because asyncio's subprocesses count as running while anything they started holds their output open.
        threading.Thread(target=self._read_log, args=(self._process,), daemon=True).start()
        threading.Thread(target=self._wait, args=(self._process, self._ended, asyncio.get_running_loop()), daemon=True).start()

    async def _keep_running(self) -> None:
        while True:
            assert self._ended is not None  # noqa: S101  (spawned just before)
            code = await self._ended
            # Workers that outlive their parent would keep its port.
            self._kill_group()
            if self._stopping:
                return
            was_healthy = time.monotonic() - self._started_at > _HEALTHY_SECS
            self.failures = 1 if was_healthy else self.failures + 1
            self._say(f"{self.name} {_ending(code)}; it starts again.")
            self.output.show_last()
            await asyncio.sleep(_PAUSES_SECS[min(self.failures, len(_PAUSES_SECS)) - 1])
            self._spawn()

    def _read_log(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
        for line in process.stdout:
            self.output.write(line.decode(errors="replace").rstrip())

    @staticmethod
    def _wait(process: "subprocess.Popen[bytes]", ended: "asyncio.Future[int]", loop: asyncio.AbstractEventLoop) -> None:
        code = process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            loop.call_soon_threadsafe(_settle, ended, code)

    def _kill_group(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """For the child, between fork and exec: let the kernel send `number` when the supervisor is gone (prctl(2))."""

    def prepare() -> None:
        if not sys.platform.startswith("linux"):
            return
        _libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it was gone before we asked
            os._exit(1)

    return prepare


def _settle(ended: "asyncio.Future[int]", code: int) -> None:
    if not ended.done():
        ended.set_result(code)


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
