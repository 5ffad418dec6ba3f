"""One process of a supervised program, from its start to its end, and what it tells by sd_notify(3) meanwhile."""

import asyncio
import contextlib
import ctypes
import itertools
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from salon.cli.output import Output
from salon.config.inherited import FIRST_DESCRIPTOR, STANDING_BY

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()

_NOTICE_BYTES = 4096
_UCRED = struct.Struct("3i")  # process, user, group (unix(7))


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    user: str | None = None
    folder: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks it to end, also by the kernel when the supervisor dies without a word."""
    descriptors: Sequence[tuple[str, int]] = ()
    """(name, descriptor): each of its processes gets them, as sd_listen_fds(3) says."""
    gives_notice: bool = False
    """Tells READY=1 when it is, and WATCHDOG=1 every second while it is well."""


class Process:
    def __init__(self, program: Program, output: Output) -> None:
        self.started_at = time.monotonic()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Its status."""
        self.stands_by = asyncio.Event()
        self.is_ready = asyncio.Event()
        self.beats = 0
        self._output = output
        self._notices = _Notices(self._on_notice) if program.gives_notice else None
        self._process = self._spawn(program)
        if self._notices is not None:
            self._notices.listen_to(self.pid)
        # Threads, because asyncio's subprocesses count as running while anything they started holds their output open.
        threading.Thread(target=self._read_log, daemon=True).start()
        threading.Thread(target=self._wait, args=(asyncio.get_running_loop(),), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send_signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def ends_within(self, secs: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.ended), secs)
        return self.ended.done()

    def kill_group(self) -> None:
        """It and whatever it has started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _spawn(self, program: Program) -> "subprocess.Popen[bytes]":
        environ = dict(program.environ)
        if self._notices is not None:
            environ["NOTIFY_SOCKET"] = self._notices.address
        as_user = {"user": program.user, "group": program.user, "extra_groups": []} if program.user else {}
        numbers = tuple(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + len(program.descriptors)))
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
            program.command,
            # With descriptors the child sets its environment itself: only there is LISTEN_PID known.
            env=None if numbers else environ,
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=numbers,
            # A session of its own: Ctrl-C at the terminal reaches only the supervisor, which stops everything in order.
            start_new_session=True,
            preexec_fn=_prepare(os.getpid(), program, environ),  # noqa: PLW1509  (no other thread holds a lock it needs)
            **as_user,
        )
        return process

    def _on_notice(self, line: str) -> None:
        match line:
            case "READY=1":
                self.is_ready.set()
            case "WATCHDOG=1":
                self.beats += 1
            case _ if line == STANDING_BY:
                self.stands_by.set()

    def _read_log(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  (a pipe was asked for)
        for line in self._process.stdout:
            self._output.write(line.decode(errors="replace").rstrip())

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        code = self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            loop.call_soon_threadsafe(self._settle, code)

    def _settle(self, code: int) -> None:
        if self._notices is not None:
            self._notices.close()
        if not self.ended.done():
            self.ended.set_result(code)


class _Notices:
    """A socket without a file, to which one process may write."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.address = f"@salon-{os.getpid()}-{next(_numbers)}"
        self._on_line = on_line
        self._from: int | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + self.address[1:])

    def listen_to(self, process: int) -> None:
        self._from = process
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            notice, ancillary, *_ = self._socket.recvmsg(_NOTICE_BYTES, socket.CMSG_SPACE(_UCRED.size))
            senders = [_UCRED.unpack(data)[0] for _, kind, data in ancillary if kind == socket.SCM_CREDENTIALS]
            if senders == [self._from]:  # the name is no secret
                for line in notice.decode(errors="replace").splitlines():
                    self._on_line(line)


def _prepare(parent: int, program: Program, environ: Mapping[str, str]) -> Callable[[], None]:
    """For the child, between fork and exec: let the kernel send the stop signal when the supervisor is gone (prctl(2))."""

    def prepare() -> None:
        if sys.platform.startswith("linux"):
            _libc.prctl(_PR_SET_PDEATHSIG, int(program.stop_signal))
            if os.getppid() != parent:  # it was gone before we asked
                os._exit(1)
        if program.descriptors:
            _give_descriptors(program, environ)

    return prepare


def _give_descriptors(program: Program, environ: Mapping[str, str]) -> None:
    for number, (_, descriptor) in enumerate(program.descriptors, FIRST_DESCRIPTOR):
        os.dup2(descriptor, number)
    os.environ.clear()
    os.environ.update(environ)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(program.descriptors))
    os.environ["LISTEN_FDNAMES"] = ":".join(name for name, _ in program.descriptors)
