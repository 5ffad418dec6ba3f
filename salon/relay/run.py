"""The media process: `salon media`."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from salon.bus import open_bus
from salon.config.environment import Environment, environment
from salon.relay.app import make_app
from salon.relay.engine_port import Engine
from salon.relay.relay import Relay
from salon.relay.reports import Reports

logger = logging.getLogger(__name__)

_POLL_SECS = 0.5


def main() -> int:
    try:
        from salon.relay import _engine  # noqa: PLC0415  (a machine without it shall be told so, not shown a traceback)
    except ImportError as error:
        print(f"The media engine is not built ({error}). Run: make build", file=sys.stderr)  # noqa: T201
        return 1
    settings = environment()
    try:
        engine = _engine.Engine(port=settings.media_port, addresses=settings.media_addresses, bind=bind_address(settings.media_addresses))
    except _engine.EngineError as error:
        print(f"The media engine cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    uvloop.run(_serve(settings, engine, _engine))
    return 0


def bind_address(offered: Sequence[str]) -> str:
    """Where to listen: on the one address offered, if it is this machine's own, else on all.

    A socket on all addresses answers from whichever the route back prefers, and a peer that asked another one must not accept that
    (RFC 8445 section 7.2.5.2.1). A machine behind address translation offers an address that is not its own.
    """
    if len(offered) != 1:
        return "0.0.0.0"  # noqa: S104  (all of them are offered)
    with socket.socket(socket.AF_INET6 if ":" in offered[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((offered[0], 0))
        except OSError:
            return "0.0.0.0"  # noqa: S104  (the address is a translator's)
    return offered[0]


async def _serve(settings: Environment, engine: Engine, module: Any) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    bus = await open_bus(settings)
    relay = Relay(settings, engine, module, bus)
    async with aiohttp.ClientSession() as session:
        reports = Reports(settings, relay, bus, session)
        tasks = start(
            relay.publish_truths,
            relay.quality.follow,
            reports.tell_presence,
            reports.tell_talk,
            reports.repeat,
            reports.follow_policies,
            reports.recover_policies,
        )
        polling = EventPolling(engine, relay, when_silent=end_process)
        runner = web.AppRunner(make_app(relay, module, settings.internal_secret), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", settings.media_control_port).start()
        logger.info("Media is ready.", extra={"action": "media_started", "node": relay.node, "port": settings.media_port})
        await stopping.wait()
        await runner.cleanup()
        polling.stop()
        # Peers are told; they come back by themselves to whoever has the port next.
        engine.close()
        polling.join()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await bus.close()


def start(*works: Callable[[], Coroutine[Any, Any, None]]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(work(), name=work.__name__) for work in works]
    for task in tasks:
        task.add_done_callback(_end_with_it)
    return tasks


def _end_with_it(task: asyncio.Task[None]) -> None:
    """None of these may end by itself: a media process that no longer obeys policies must not go on."""
    if not task.cancelled():
        logger.critical("A part of media failed.", extra={"action": "media_failed", "part": task.get_name()}, exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


def end_process() -> None:
    """Whoever starts this process starts it again; going on without its engine, it would tell for ever that everybody is connected."""
    os.kill(os.getpid(), signal.SIGTERM)


class EventPolling:
    """The engine's events come by a blocking call: a thread waits for them, the loop takes them in order.

    when_silent: called once, in that thread, if the engine dies before `stop`.
    """

    def __init__(self, engine: Engine, relay: Relay, *, when_silent: Callable[[], None]) -> None:
        self._engine = engine
        self._relay = relay
        self._when_silent = when_silent
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._thread = threading.Thread(target=self._poll, name="engine-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more events will be noted; one call may still be waiting for some."""
        self._stopping = True

    def join(self) -> None:
        self._thread.join(2 * _POLL_SECS)

    def _poll(self) -> None:
        while not self._stopping:
            try:
                events = self._engine.poll_events(_POLL_SECS)
            except Exception:
                if not self._stopping:
                    logger.exception("The engine tells no events any more.", extra={"action": "engine_silent"})
                    self._when_silent()
                return
            if events and not self._stopping:
                self._loop.call_soon_threadsafe(self._note, events)

    def _note(self, events: list[Any]) -> None:
        for event in events:
            self._relay.note(event)
