"""mediasoup from npm, its worker built from the sources inside the package: one worker, one router, behind a script of ours.

The package is 3.8, the last one that carries all of its sources. Later ones fetch a finished worker, or a dozen libraries, from
elsewhere while they install. Whoever has a later one installed can name its folder.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.peers.server import OtherServer
from bench.ports import free_ports
from bench.programs import BUILT, FOLDER, BenchFailed

_PINNED = FOLDER / "peers" / "pinned" / "mediasoup"
_INSTALLED = BUILT / "mediasoup"
_BUILD_PATIENCE_SECS = 20 * 60


class Mediasoup(OtherServer):
    name = "mediasoup"
    protocol = "mediasoup"
    title = "mediasoup"

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` has another mediasoup in its node_modules, with its worker."""
        super().__init__()
        self._installed = folder
        self._port = 0

    def prepare(self) -> None:
        if shutil.which("node") is None:
            raise BenchFailed("node is missing: mediasoup is a library for it")
        if self._installed is None:
            _build()

    def command(self) -> list[str]:
        self._port = free_ports(1)
        return ["node", str(_PINNED / "server.mjs"), str(self._port), str(self._installed or _INSTALLED)]

    def port(self) -> int:
        return self._port

    def version(self) -> str:
        return self.log_end().partition("ready ")[2].split("\n")[0] or "unknown"

    def client_options(self) -> dict[str, str]:
        return {"address": f"http://127.0.0.1:{self._port}"}


def _build() -> None:
    """Install the pinned package and compile its worker: five minutes, once. Raises BenchFailed with the reason."""
    worker = _INSTALLED / "node_modules" / "mediasoup" / "worker"
    lock = (_PINNED / "package-lock.json").read_bytes()
    stamp = _INSTALLED / "built"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    shutil.rmtree(_INSTALLED, ignore_errors=True)
    _INSTALLED.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_PINNED / name, _INSTALLED / name)
    compat = _PINNED / "compat"
    environment = os.environ | {
        "PYTHON": sys.executable,
        "PYTHONPATH": str(compat),
        "CXXFLAGS": f"-include {compat / 'later_glibc.h'}",
        "CORES": "2",
    }
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], _INSTALLED, environment)
    _run(["make", "-C", str(worker)], _INSTALLED, environment)
    stamp.write_bytes(lock)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    log = folder / "build.log"
    with log.open("ab") as output:
        try:
            result = subprocess.run(
                command, cwd=folder, env=environment, stdout=output, stderr=output, check=False, timeout=_BUILD_PATIENCE_SECS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BenchFailed(f"mediasoup could not be built: {error}") from error
    if result.returncode != 0:
        raise BenchFailed(f"mediasoup could not be built, {' '.join(command[:2])} failed:\n{log.read_text(errors='replace')[-1500:]}")
