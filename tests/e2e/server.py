"""A whole Salon, as `salon serve` starts it, on ports and in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from bench.ports import free_ports

_READY_SECS = 90.0
_STOP_SECS = 20.0
_POLL_SECS = 0.1
_PORTS = 5
"""The gateway's and the four that follow it; salon/config/environment.py."""


class Server:
    """Use as a context manager. `restart` keeps the data."""

    def __init__(self, **settings: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="salon-e2e-")
        # A folder inside: PostgreSQL, which does not run as root, has to walk down to its own.
        Path(self._folder.name).chmod(0o711)
        self.data_dir = Path(self._folder.name) / "data"
        self.data_dir.mkdir(mode=0o711)
        self.port = free_ports(_PORTS)
        self.media_port = self.port + 4
        self.origin = f"http://localhost:{self.port}"
        ours = {
            "SALON_DATA_DIR": str(self.data_dir),
            "SALON_PORT": str(self.port),
            "SALON_MEDIA_ADDRESSES": "127.0.0.1",
            "SALON_DEMO": "0",
            **settings,
        }
        # Without the settings that the unit tests' conftest put there.
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("SALON_")}
        self._environment = {**theirs, **ours}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def log(self) -> Path:
        return self.data_dir / "e2e.log"

    def start(self) -> None:
        """Returns when every part is ready."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "salon.cli.main", "serve"]
            self._process = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + _READY_SECS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"salon serve did not get ready:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(_POLL_SECS)

    def stop(self) -> None:
        """As Ctrl-C does, and by force where that is not enough."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def salon(self, *arguments: str) -> str:
        """What `salon ARGUMENTS` prints, run beside the server on the same data."""
        command = [sys.executable, "-m", "salon.cli.main", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"salon {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def process_of(self, part: str) -> int:
        """The process id of web, gateway, media or worker: the server's child that was started as `… PART`."""
        assert self._process is not None
        found = [pid for pid in _descendants(self._process.pid) if _command_line(pid)[-1:] == [part]]
        if not found:
            raise RuntimeError(f"there is no process {part}")
        return found[0]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.origin}/healthz", timeout=2) as answer:
                return json.load(answer)["status"] == "ready"
        except (OSError, urllib.error.URLError, ValueError):
            return False


def _descendants(pid: int) -> list[int]:
    children = [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]
    return [descendant for child in children for descendant in (child, *_descendants(child))]


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except OSError:
        return []
