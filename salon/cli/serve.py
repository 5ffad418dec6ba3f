"""`salon serve`: all of Salon on one machine, started in a good order, kept running, stopped cleanly.

The gateway and media need no database and start at once; web and the worker start when the schema is right. What needs a
neighbour that is not there yet waits for it by itself, so a restart of any part needs no choreography.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from salon.cli.children import Child
from salon.cli.failures import Failure
from salon.cli.ports import require_free_ports
from salon.cli.postgres import PostgresFailed, PostgresMissing, PrivateCluster
from salon.cli.progress import Progress
from salon.config.environment import Environment, environment, private_cluster_folder, private_database_url

# A process that needs longer than this to end has hung; PostgreSQL follows, and the whole stop stays under ten seconds.
_STOP_WITHIN_SECS = 6.0
_READY_WITHIN_SECS = 90.0


def serve() -> int:
    """Blocks until told to stop. Raises Failure with one sentence where it cannot start."""
    settings = environment()
    with _only_one(settings.data_dir):
        require_free_ports(settings)
        return asyncio.run(_Supervisor(settings).run())


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process. The kernel gives it back however the process ends."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / "serve.lock").open("w")
    except OSError as error:
        raise Failure(f"The data folder {data_dir} cannot be written: {error.strerror}. Choose another with SALON_DATA_DIR.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"Salon is already running on {data_dir}. Stop it first, or choose another folder with SALON_DATA_DIR.") from None
        yield


class _Supervisor:
    def __init__(self, settings: Environment) -> None:
        self.settings = settings
        self.progress = Progress()
        self.children: list[Child] = []
        self._watching: list[asyncio.Task[None]] = []
        self._told_to_stop = asyncio.Event()
        self._cluster: PrivateCluster | None = None

    async def run(self) -> int:
        self._listen_for_signals()
        starting = asyncio.create_task(self._start())
        stopped = asyncio.create_task(self._told_to_stop.wait())
        try:
            await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting  # raises what kept Salon from starting
                await stopped
        finally:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await starting
            await self._stop()
        return 0

    async def _start(self) -> None:
        # What needs no database starts while the database does.
        self._launch("media", "media")
        self._launch("gateway", "gateway")
        if self._wants_private_cluster():
            with self.progress.step("PostgreSQL"):
                await asyncio.to_thread(self._start_cluster)
        with self.progress.step("database schema"):
            await self._migrate()
        self._launch("web", "web")
        self._launch("worker", "worker")
        with self.progress.step("web, gateway, media, worker"):
            await self._until_ready()
        if self.settings.demo and importlib.util.find_spec("aiortc"):
            self._launch("demo", module="salon.demo")
            self.progress.say("The demo community comes in; SALON_DEMO=0 leaves it out.")
        self.progress.opened(self.settings.public_url)

    def _wants_private_cluster(self) -> bool:
        return self.settings.database_url == private_database_url(private_cluster_folder(self.settings.data_dir))

    def _start_cluster(self) -> None:
        try:
            self._cluster = PrivateCluster(private_cluster_folder(self.settings.data_dir))
            self._cluster.start()
        except (PostgresMissing, PostgresFailed) as error:
            raise Failure(str(error)) from error

    async def _migrate(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "salon.cli.main", "manage", "migrate", "--no-input", "--verbosity", "0",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0,
        )  # fmt: skip
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise Failure(f"The database schema could not be brought up to date:\n{output.decode(errors='replace').strip()[-3000:]}")

    def _launch(self, name: str, command: str = "", *, module: str = "salon.cli.main") -> None:
        arguments = [sys.executable, "-m", module, *([command] if command else [])]
        child = Child(name, arguments, self.settings.data_dir / "logs", self.progress.say)
        self.children.append(child)
        self._watching.append(asyncio.create_task(child.run(), name=f"watch-{name}"))

    async def _until_ready(self) -> None:
        address = f"http://{_reachable(self.settings.host)}:{self.settings.port}/healthz"
        parts: dict[str, str] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_WITHIN_SECS):
                while True:
                    ready, parts = await asyncio.to_thread(_ask_health, address)
                    if ready:
                        return
                    await asyncio.sleep(0.1)
        waiting = ", ".join(name for name, state in parts.items() if state != "ready") or "the gateway"
        raise Failure(f"Salon does not get ready: still waiting for {waiting}. Its log is in {self.settings.data_dir / 'logs'}.")

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_stop_signal)

    def _on_stop_signal(self) -> None:
        if self._told_to_stop.is_set():  # asked twice: at once, then
            for child in self.children:
                child.signal(signal.SIGKILL)
        else:
            print(flush=True)
            self._told_to_stop.set()

    async def _stop(self) -> None:
        with self.progress.step("closing"):
            await asyncio.gather(*(child.stop(_STOP_WITHIN_SECS) for child in self.children))
            for watching in self._watching:
                watching.cancel()
            await asyncio.gather(*self._watching, return_exceptions=True)
            if self._cluster is not None:
                await asyncio.to_thread(self._cluster.stop)


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104  (a comparison, not a bind)


def _ask_health(address: str) -> tuple[bool, dict[str, str]]:
    """Whether all of Salon is ready, and the state of each part where the gateway answers at all."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310  (our own address)
            return True, dict(json.load(answer)["parts"])
    except urllib.error.HTTPError as refusal:
        with contextlib.suppress(ValueError, KeyError):
            return False, dict(json.load(refusal)["parts"])
    except OSError:
        pass
    return False, {}
