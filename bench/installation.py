"""A Salon of the bench's own: `salon serve` on free ports, with an empty data folder that is deleted afterwards."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.ports import free_ports
from bench.processes import descendants, listener
from bench.programs import BenchFailed
from salon.cli.postgres import PrivateCluster
from salon.config.environment import private_cluster_folder

ROOT = Path(__file__).parent.parent
_SALON = [sys.executable, "-m", "salon.cli.main"]
_PORTS = 5  # gateway, web, media control, operator, sound: consecutive, as salon/config/environment.py numbers them
_START_PATIENCE_SECS = 60
_STOP_PATIENCE_SECS = 20


class Installation:
    """Use as a context manager: whatever happens, its processes end and its folder goes."""

    def __init__(self, **settings: str) -> None:
        """settings: environment variables beside the bench's own, such as SALON_ROOM_CAPACITY."""
        self.folder = Path(tempfile.mkdtemp(prefix="salon-bench-"))
        # Under root PostgreSQL runs as another user, who must be able to walk in; else its data would go elsewhere and outlive us.
        self.folder.chmod(0o711)
        self.port = free_ports(_PORTS)
        self.base = f"http://127.0.0.1:{self.port}"
        self._serve: subprocess.Popen[bytes] | None = None
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("SALON_")} | {
            "SALON_DATA_DIR": str(self.data_dir),
            "SALON_PORT": str(self.port),
            "SALON_PUBLIC_URL": self.base,
            "SALON_DEMO": "0",
            "SALON_SIGN_UP": "open",
            # A packet for each frame that is said, unless what is measured is the other way.
            "SALON_MEDIA_LONG_PACKETS_FROM": "0",
            **settings,
        }

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def media_control(self) -> str:
        """The media process's control port; who asks there shows `secret_key_file`."""
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def secret_key_file(self) -> Path:
        return self.data_dir / "secret-key"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> float:
        """Start, wait until every part is ready, and return the seconds that took. Raises BenchFailed with the log's end."""
        began = time.monotonic()
        with (self.folder / "serve.log").open("ab") as log:
            # A session of its own: an interrupt at the terminal reaches us, and we stop it in order.
            command = [*_SALON, "serve"]
            self._serve = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True)
        while not self._is_ready():
            if self._serve.poll() is not None:
                raise BenchFailed(f"salon serve ended by itself with {self._serve.returncode}:\n{self.log_end()}")
            if time.monotonic() - began > _START_PATIENCE_SECS:
                raise BenchFailed(f"salon serve was not ready after {_START_PATIENCE_SECS} s:\n{self.log_end()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def go_live(self) -> float:
        """Start again as a production installation, with the limits that people meet: in development those per address are left out, since
        all come from one. Requests may say in X-Forwarded-For where they come from, as those of an operator's proxy do. See `start`.

        Who there is was made before: production makes nobody without an invitation.
        """
        self.stop()
        self._environment |= {
            "SALON_MODE": "production",
            "SALON_PUBLIC_URL": f"https://127.0.0.1:{self.port}",
            "SALON_SMTP_URL": "smtp://127.0.0.1:9",
            "SALON_SECRET_KEY_FILE": str(self.secret_key_file),
        }
        return self.start()

    def stop(self) -> None:
        serve, self._serve = self._serve, None
        if serve is None:
            return
        serve.send_signal(signal.SIGTERM)
        try:
            serve.wait(_STOP_PATIENCE_SECS)
        except subprocess.TimeoutExpired:
            os.killpg(serve.pid, signal.SIGKILL)
            serve.wait()
            # The supervisor could not: its PostgreSQL runs in a session apart.
            PrivateCluster(private_cluster_folder(self.data_dir)).stop()
            raise BenchFailed(f"salon serve did not stop within {_STOP_PATIENCE_SECS} s of SIGTERM:\n{self.log_end()}") from None

    def tokens(self, count: int) -> Path:
        """A file with a bearer token a line, each of a new person."""
        path = self.folder / "tokens"
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            tokens = list(pool.map(self._token, (f"bench_{number}" for number in range(count))))
        path.write_text("\n".join(tokens) + "\n")
        return path

    def _token(self, handle: str) -> str:
        command = [*_SALON, "token", handle, "--create"]
        result = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise BenchFailed(f"salon token {handle} --create failed: {result.stderr.strip()[-500:]}")
        return result.stdout.split()[-1]

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`salon` with these arguments, on this installation."""
        return subprocess.run([*_SALON, *arguments], cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)

    def media_pid(self) -> int:
        """The process that answers on the control port: that of sound is the supervisor's as well."""
        return listener(self.port + 2, "tcp", self.pids())

    def gateway_pid(self) -> int:
        return listener(self.port, "tcp", self.pids())

    def pids(self) -> list[int]:
        """Salon's processes, the supervisor first; PostgreSQL's are not among them."""
        if self._serve is None:
            raise BenchFailed("salon serve is not running")
        return descendants(self._serve.pid)

    def metrics(self) -> str:
        """The operator's page, in Prometheus's text format."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port + 3}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def postgres_pids(self) -> list[int]:
        """The private cluster's processes; they are in a session of their own, not below the supervisor."""
        postmaster = int((private_cluster_folder(self.data_dir) / "postmaster.pid").read_text().splitlines()[0])
        return descendants(postmaster)

    def log_end(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")[-3000:]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/healthz", timeout=5) as answer:  # noqa: S310  (our own address, plain http)
                return bool(answer.status == 200)
        except OSError:  # refused, reset, or a 503 with the parts that are not ready yet
            return False
