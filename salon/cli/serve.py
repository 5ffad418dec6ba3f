"""`salon serve`: all of Salon on one machine, started in a good order, kept running, stopped cleanly.

The gateway and media need no database and start at once; web and the worker start when the schema is right. What needs a
neighbour that is not there yet waits for it by itself, so a restart of any part needs no choreography.
"""

import asyncio
import contextlib
import fcntl
import http.client
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from salon.cli import schema
from salon.cli.children import Child, HandOverFailed, Program
from salon.cli.control import ControlPort
from salon.cli.failures import Failure
from salon.cli.held import hold_for_media
from salon.cli.output import Output
from salon.cli.ports import require_free_ports
from salon.cli.postgres import PostgresFailed, PostgresMissing, PrivateCluster
from salon.cli.progress import Progress
from salon.config.environment import Environment, environment, private_cluster_folder, private_database_url

# Who needs whom: the front door closes first, PostgreSQL last. Together less than the ten seconds a stop may take.
_STOP_ORDER = (("demo", "worker", "gateway"), ("media", "web"), ("postgres",))
_STOP_WITHIN_SECS = 3.0
_READY_WITHIN_SECS = 90.0
_POLL_SECS = 0.05
HAND_OVER_SECS = 30.0
"""How long a new media process may take until it stands by; otherwise the old one goes on."""
_FAILURES_AT_START = 3
"""A process that failed this often before Salon was ever ready will not get better by itself."""


def serve() -> int:
    """Blocks until told to stop. Raises Failure with one sentence where it cannot start."""
    settings = environment()
    with _only_one(settings):
        _require_engine()
        require_free_ports(settings)
        return asyncio.run(_Supervisor(settings).run())


@contextlib.contextmanager
def _only_one(settings: Environment) -> Iterator[None]:
    """Hold the data folder for this process. The kernel gives it back however the process ends."""
    data_dir = settings.data_dir
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / "serve.lock").open("a+")
    except OSError as error:
        raise Failure(f"The data folder {data_dir} cannot be written: {error.strerror}. Choose another with SALON_DATA_DIR.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            where = f"{data_dir} ({file.read().strip()})"
            raise Failure(f"Salon is already running on {where}. Stop it first, or choose another folder with SALON_DATA_DIR.") from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, {settings.public_url}\n")
        file.flush()
        yield


def _require_engine() -> None:
    if importlib.util.find_spec("salon.relay._engine") is None:
        raise Failure("The media engine is not built. Build it with: make build")


class _Supervisor:
    def __init__(self, settings: Environment) -> None:
        self.settings = settings
        self.progress = Progress()
        self.children: dict[str, Child] = {}
        self._is_ready = False
        self._stop_signals = 0
        self._control = ControlPort(settings.data_dir, self._on_command)
        self._handing_over: asyncio.Task[None] | None = None
        self._told_to_stop = asyncio.Event()
        self._started = time.monotonic()

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
            self._control.close()
            await asyncio.gather(starting, return_exceptions=True)
            await self._stop()
        return 0

    async def _start(self) -> None:
        # What needs no database starts while the database does.
        media = self._program("media", "-m", "salon.cli.main", "media")
        self._launch_program(replace(media, descriptors=hold_for_media(self.settings), gives_notice=True))
        self._launch("gateway", "-m", "salon.cli.main", "gateway")
        if self.settings.database_url == private_database_url(private_cluster_folder(self.settings.data_dir)):
            with self.progress.step("PostgreSQL"):
                await self._start_cluster()
        with self.progress.step("database schema"):
            await self._bring_schema_up_to_date()
        self._launch("web", "-m", "salon.cli.main", "web")
        self._launch("worker", "-m", "salon.cli.main", "worker")
        with self.progress.step("web, gateway, media, worker"):
            await self._until_ready()
        self._is_ready = True
        await self._control.open()
        if self.settings.demo and importlib.util.find_spec("aiortc"):
            self._launch("demo", "-m", "salon.demo")
            self.progress.say("The demo community comes in; SALON_DEMO=0 leaves it out.")
        self.progress.opened(self.settings.public_url, time.monotonic() - self._started)

    async def _start_cluster(self) -> None:
        try:
            cluster = PrivateCluster(private_cluster_folder(self.settings.data_dir))
            await asyncio.to_thread(cluster.prepare)
            # Until it is ready it complains of those who come too early.
            postgres = self._launch_program(await asyncio.to_thread(cluster.program), quiet=True)
            await self._poll(cluster.answers, "PostgreSQL")
            await asyncio.to_thread(cluster.make_database)
            postgres.output.is_quiet = False
        except (PostgresMissing, PostgresFailed) as error:
            raise Failure(str(error)) from error

    async def _bring_schema_up_to_date(self) -> None:
        try:
            if await asyncio.to_thread(schema.is_up_to_date, self.settings):
                return
        except schema.DatabaseSilent as silent:
            raise Failure(f"The database does not answer: {silent}") from silent
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "salon.cli.schema",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, process_group=0,
        )  # fmt: skip
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            raise
        if process.returncode != 0:
            raise Failure(f"The database schema could not be brought up to date:\n{output.decode(errors='replace').strip()[-3000:]}")

    async def _until_ready(self) -> None:
        parts: dict[str, str] = {}

        def is_ready() -> bool:
            nonlocal parts
            ready, parts = _ask_health(self.settings)
            return ready

        try:
            await self._poll(is_ready, "Salon")
        except TimeoutError:
            waiting = ", ".join(name for name, state in parts.items() if state != "ready") or "the gateway"
            raise Failure(
                f"Salon does not get ready: still waiting for {waiting}. Its log is in {self.settings.data_dir / 'logs'}."
            ) from None

    async def _poll(self, is_done: Callable[[], bool], what: str) -> None:
        """Until it is; raises TimeoutError, and Failure when something that was started keeps failing."""
        async with asyncio.timeout(_READY_WITHIN_SECS):
            while not await asyncio.to_thread(is_done):
                for child in self.children.values():
                    if child.failures >= _FAILURES_AT_START:
                        raise Failure(f"{what} cannot start: {child.name} keeps failing. Its log is in {self.settings.data_dir / 'logs'}.")
                await asyncio.sleep(_POLL_SECS)

    def _launch(self, name: str, *arguments: str) -> None:
        self._launch_program(self._program(name, *arguments))

    def _program(self, name: str, *arguments: str) -> Program:
        # What the supervisor has settled holds for all; output unbuffered, so that the last words of a crash arrive.
        environ = {**os.environ, "SALON_DATA_DIR": str(self.settings.data_dir), "PYTHONUNBUFFERED": "1"}
        return Program(name, [sys.executable, *arguments], environ)

    def _launch_program(self, program: Program, *, quiet: bool = False) -> Child:
        output = Output(program.name, self.settings.data_dir / "logs", quiet=quiet)
        child = self.children[program.name] = Child(program, output, self.progress.say)
        child.start()
        return child

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_stop_signal)
        # To a program at a terminal SIGHUP says that the terminal is gone; to one that runs for itself, that there is something new.
        loop.add_signal_handler(signal.SIGHUP, self._on_stop_signal if sys.stdin.isatty() else self._on_reload_signal)

    def _on_stop_signal(self) -> None:
        self._stop_signals += 1
        if self._stop_signals == 1:
            self.progress.say("")
            self._told_to_stop.set()
        else:  # asked twice: at once, then
            for child in self.children.values():
                child.kill()

    def _on_reload_signal(self) -> None:
        if self._handing_over is None or self._handing_over.done():
            self._handing_over = asyncio.create_task(self._hand_over_and_say())

    async def _hand_over_and_say(self) -> None:
        try:
            self.progress.say(await self._on_command("restart media"))
        except Failure as failure:
            self.progress.say(str(failure))

    async def _on_command(self, line: str) -> str:
        """`restart media`: a process of the program as it is on disk now goes on with the sessions. Raises Failure."""
        if line != "restart media":
            raise Failure(f"salon serve does not know what to do about {line!r}.")
        try:
            secs = await self.children["media"].hand_over(HAND_OVER_SECS)
        except HandOverFailed as failed:
            raise Failure(str(failed)) from failed
        return f"media was handed over to a new process; sound was away for {secs * 1000:.0f} ms."

    async def _stop(self) -> None:
        with self.progress.step("closing"):
            for names in _STOP_ORDER:
                await asyncio.gather(*(self.children[name].stop(_STOP_WITHIN_SECS) for name in names if name in self.children))


def _ask_health(settings: Environment) -> tuple[bool, dict[str, str]]:
    """Whether all of Salon is ready, and the state of each part where the gateway answers at all."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104  (a comparison, not a bind)
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200, dict(json.loads(answer.read())["parts"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False, {}
    finally:
        connection.close()
