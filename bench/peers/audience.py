"""The load client at one server: a speaker and an audience that wait until they are asked for a window."""

import json
import os
import queue
import subprocess
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from bench.peers.comparison import Window, read_window, spent_secs
from bench.peers.server import Server
from bench.programs import BUILT, BenchFailed

_ENTER_PATIENCE_SECS = 120
_WINDOW_GRACE_SECS = 20
_SETTLE_SECS = 1.0


class Audience:
    """Use as a context manager: the load client ends with it. Raises BenchFailed when not everybody came in."""

    def __init__(self, server: Server, listeners: int) -> None:
        self.server = server
        self.listeners = listeners
        self.protection = ""
        options = server.client_options() | {"server": server.protocol, "listeners": str(listeners)}
        self._command = [str(BUILT / "loadclient"), "compare", *(f"--{name}={value}" for name, value in options.items())]
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        # Collecting garbage less often: the load client's share of the machine must stay small beside the server's.
        environment = {**os.environ, "GOGC": "400"}
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        try:
            self.protection = self._next("ready", _ENTER_PATIENCE_SECS)["protection"]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def window(self, secs: float) -> Window:
        """Let the speaker talk and measure. Raises BenchFailed if not every listener heard them."""
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended; what follows says so
            self._process.stdin.write(f"window {_SETTLE_SECS}s {secs}s\n")
            self._process.stdin.flush()
        self._next("mark", _SETTLE_SECS + _WINDOW_GRACE_SECS)
        before, everything_before = self.server.cpu_secs(), self.server.everything_cpu_secs()
        line = self._next("window", secs + _WINDOW_GRACE_SECS)
        after, everything_after = self.server.cpu_secs(), self.server.everything_cpu_secs()
        return read_window(line, spent_secs(before, after), spent_secs(everything_before, everything_after), expected=self.listeners)

    def _next(self, kind: str, patience_secs: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=patience_secs)
        except queue.Empty:
            raise BenchFailed(f"{self.server.title}: the load client did not say {kind!r} within {patience_secs:g} s") from None
        if line is None:
            self._lines.put(None)  # for whoever asks again
            raise BenchFailed(f"{self.server.title}: the load client stopped; what it said stands above")
        if line["kind"] != kind:
            raise BenchFailed(f"{self.server.title}: the load client said {line['kind']!r} where {kind!r} was due")
        return line

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
