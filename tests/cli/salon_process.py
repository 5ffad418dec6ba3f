"""`salon serve` as a real process, on ports and in a folder of its own."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

READY_SECS = 90.0
STOP_SECS = 10.0
"""What the product promises for a clean stop."""
_POLL_SECS = 0.05


class Installation:
    """A data folder with its ports; commands of `salon` run on it."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.data_dir = data_dir
        self.port = port
        self.output = data_dir.parent / f"{data_dir.name}.out"
        self._process: subprocess.Popen[bytes] | None = None

    def environ(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SALON_")}
        return inherited | {"SALON_DATA_DIR": str(self.data_dir), "SALON_PORT": str(self.port), "SALON_DEMO": "0", **more}

    def salon(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "salon.cli.main", *arguments]
        return subprocess.run(command, env=self.environ(**more), capture_output=True, text=True, check=False, timeout=READY_SECS)

    def start(self) -> None:
        """Returns when /healthz says ready."""
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "salon.cli.main", "serve"],
                env=self.environ(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.wait_until(lambda: self.health()[0] == 200)

    def wait_until(self, is_so: Any) -> None:
        deadline = time.monotonic() + READY_SECS
        while not is_so():
            assert self._process is not None
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(_POLL_SECS)

    def health(self) -> tuple[int, dict[str, str]]:
        status, body = self.get("/healthz")
        return status, json.loads(body)["parts"] if status else {}

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """(0, b"") where nothing answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def said(self) -> str:
        return self.output.read_text()

    def children(self) -> dict[str, int]:
        """The supervised processes, by name: those whose parent is the supervisor."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if parent == self.pid and command != [""]:  # a zombie has none
                found[_name_of(command)] = int(folder.name)
        return found

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """The exit status; an overdue stop fails the test."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOP_SECS)

    def clean_up(self) -> None:
        """Whatever a failed test has left."""
        if self._process is not None and self._process.poll() is None:
            children = self.children()
            for pid in (self._process.pid, *children.values()):
                os.kill(pid, signal.SIGKILL)
            self._process.wait()


def _name_of(command: list[str]) -> str:
    if command[0].endswith("/postgres"):
        return "postgres"
    return "web" if "granian" in command else command[-2]


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
