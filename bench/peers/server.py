"""What the comparison asks of a server: to be started and stopped, to name its processes and its version, and to say where it listens."""

import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from bench.processes import ProcessGone, cpu_secs, descendants
from bench.programs import BenchFailed

_START_PATIENCE_SECS = 20
_STOP_PATIENCE_SECS = 10
_VERSION_PATIENCE_SECS = 10


class Server(ABC):
    """Use as a context manager: whatever happens, its processes end and its folder goes. Raises BenchFailed where it cannot be had."""

    name: ClassVar[str]  # as in the figures
    protocol: ClassVar[str]  # which of the load client's venues it is
    title: ClassVar[str]  # as in the table

    def prepare(self) -> None:  # noqa: B027  (most have nothing to build)
        """Build what has to be built, before any server runs. Raises BenchFailed with the reason."""

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def pids(self) -> list[int]:
        """All processes whose time counts."""

    @abstractmethod
    def client_options(self) -> dict[str, str]:
        """How the load client gets there, besides its --server."""

    def cpu_secs(self) -> dict[int, float]:
        """Processor time by process."""
        return processor_secs(self.pids())

    def everything_cpu_secs(self) -> dict[int, float]:
        """The same with what runs beside the server itself, if anything does."""
        return self.cpu_secs()


class OtherServer(Server):
    """One program in the foreground with a folder of its own, which listens on TCP when it is ready."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=f"salon-bench-{self.name}-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Write what it needs into its folder, and return the command."""

    @abstractmethod
    def port(self) -> int:
        """TCP, on loopback; open when it is ready."""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def pids(self) -> list[int]:
        if self._process is None or self._process.poll() is not None:
            raise BenchFailed(f"{self.title} ended by itself:\n{self.log_end()}")
        return descendants(self._process.pid)

    def log_end(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""

    def _start(self) -> None:
        command = self.command()
        began = time.monotonic()
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        while not is_listening(self.port()):
            self.pids()
            if time.monotonic() - began > _START_PATIENCE_SECS:
                raise BenchFailed(f"{self.title} did not listen after {_START_PATIENCE_SECS} s:\n{self.log_end()}")
            time.sleep(0.05)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_PATIENCE_SECS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()


def processor_secs(pids: list[int]) -> dict[int, float]:
    times = {}
    for pid in pids:
        try:
            times[pid] = cpu_secs(pid)
        except ProcessGone:  # a helper of PostgreSQL, say, that ended just now
            continue
    return times


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def first_line(command: list[str], pattern: str = "") -> str:
    """The first line with `pattern` of what a command says; for versions. Raises BenchFailed if there is none."""
    patience = _VERSION_PATIENCE_SECS
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=patience)
    for line in result.stdout.splitlines():
        if pattern in line and line.strip():
            return line.strip()
    raise BenchFailed(f"{' '.join(command)} does not tell its version: {result.stdout[:200]!r}")
