"""The media process: `salon media`."""

import asyncio
import itertools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import uvloop

from salon.bus import open_bus
from salon.config.environment import Environment, environment
from salon.config.inherited import MEDIA_TCP, MEDIA_UDP, SESSION_BOOK, STANDING_BY, Notices, take_descriptors
from salon.relay.addresses import bind_address
from salon.relay.book import SessionBook
from salon.relay.engine_port import Engine
from salon.relay.relay import Relay
from salon.relay.reports import Reports

if TYPE_CHECKING:
    from aiohttp import web

logger = logging.getLogger(__name__)

_POLL_SECS = 0.5
_BEAT_SECS = 1.0
_GOOD_BEATS = 5
"""After so many the session book is not what would end this process."""


def main() -> int:
    try:
        from salon.relay import _engine  # noqa: PLC0415  (a machine without it shall be told so, not shown a traceback)
    except ImportError as error:
        print(f"The media engine is not built ({error}). Run: make build", file=sys.stderr)  # noqa: T201
        return 1
    descriptors, notices = take_descriptors(os.environ), Notices.take(os.environ)
    try:
        uvloop.run(_serve(environment(), _engine, descriptors, notices))
    except _engine.EngineError as error:
        print(f"The media engine cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(settings: Environment, module: Any, descriptors: Mapping[str, list[int]], notices: Notices) -> None:
    ending = Ending()
    bus = await open_bus(settings)
    book = await _take_book(descriptors, notices, ending)
    if book is None:
        await bus.close()
        return
    engine = module.Engine(
        port=settings.media_port,
        addresses=settings.media_addresses,
        bind=bind_address(settings.media_addresses),
        tcp_ports=settings.media_tcp_ports,
        threads=settings.media_threads,
        listeners_at_home=settings.media_listeners_at_home,
        bypass=settings.media_bypass,
        long_packets_from=settings.media_long_packets_from or None,
        realtime=settings.media_realtime,
        sockets=descriptors.get(MEDIA_UDP, []),
        listener=next(iter(descriptors.get(MEDIA_TCP, [])), None),
        book=book.descriptor,
    )
    if refused := engine.bypass_refused():
        logger.warning(refused, extra={"action": "media_bypass_refused", "interface": settings.media_bypass})
    if reason := engine.book_emptied():
        logger.warning("The sessions of the process before are given up. %s", reason, extra={"action": "session_book_emptied"})
    relay = Relay(settings, engine, module, bus)
    restored = relay.take_up_restored()
    polling = EventPolling(engine, relay, when_silent=end_process)
    reports = Reports(settings, relay, bus)
    tasks = start(relay.publish_truths, relay.quality.follow, reports.follow_policies)
    control: web.AppRunner | None = None
    # Nothing is forwarded and nobody admitted before it is known what has changed meanwhile.
    await ending.unless_told(reports.learn_policies())
    if not ending.is_told:
        relay.release()
        control = await _open_control_port(settings, relay, module)
        tasks += start(reports.tell_presence, reports.tell_talk, reports.repeat, reports.recover_policies)
        tasks += start(Heart(engine, notices).beat)
        if restored:
            await reports.tell_everything()
        notices.tell("READY=1")
        ready = {"action": "media_started", "node": relay.node, "port": settings.media_port, "restored": restored}
        logger.info("Media is ready.", extra=ready)
        await ending.wait()
        for site in list(control.sites):
            await site.stop()
    polling.stop()
    if ending.is_to_leave:
        # The successor goes on with the sessions as soon as the book is free.
        engine.leave()
        book.give_up()
    if control is not None:
        await control.cleanup()
    # Peers are told; they come back by themselves to whoever has the port next.
    engine.close()
    polling.join()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await bus.close()


async def _open_control_port(settings: Environment, relay: Relay, module: Any) -> "web.AppRunner":
    """Its server takes longer to load than all else together: only once sound flows, and beside the loop, which has policies to obey."""
    server, make_app = await asyncio.to_thread(_load_server)
    runner: web.AppRunner = server.AppRunner(make_app(relay, module, settings.internal_secret), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await server.TCPSite(runner, "127.0.0.1", settings.media_control_port).start()
    return runner


def _load_server() -> tuple[Any, Any]:
    from aiohttp import web  # noqa: PLC0415

    from salon.relay.app import make_app  # noqa: PLC0415

    return web, make_app


async def _take_book(descriptors: Mapping[str, list[int]], notices: Notices, ending: "Ending") -> SessionBook | None:
    """The session book, once no other process has it. None if this one is told to end before."""
    if SESSION_BOOK in descriptors:
        book = SessionBook(descriptors[SESSION_BOOK][0])
    else:
        book = SessionBook.new()
        notices.keep(book.descriptor, SESSION_BOOK)  # systemd holds it from now on
    if not book.take_at_once():
        _load_server()  # there is time: another process works
        notices.tell(STANDING_BY)
        await ending.unless_told(book.take())
    return None if ending.is_told else book


class Ending:
    """What this process was told by signals: to end (SIGTERM, SIGINT), or to leave its sessions to a successor (SIGUSR2)."""

    def __init__(self) -> None:
        self.is_to_leave = False
        self._told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told.set)
        loop.add_signal_handler(signal.SIGUSR2, self._leave)

    @property
    def is_told(self) -> bool:
        return self._told.is_set()

    async def wait(self) -> None:
        await self._told.wait()

    async def unless_told(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, but stop when told to end."""
        working, told = asyncio.create_task(work), asyncio.create_task(self._told.wait())
        await asyncio.wait([working, told], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        for task in (working, told):
            task.cancel()
        await asyncio.gather(working, told, return_exceptions=True)

    def _leave(self) -> None:
        self.is_to_leave = True
        self._told.set()


class Heart:
    """Tells every second that this process is well: that its loop turns, and that the engine's threads answer."""

    def __init__(self, engine: Engine, notices: Notices) -> None:
        self._engine = engine
        self._notices = notices

    async def beat(self) -> None:
        """For ever. A stuck engine holds this loop up, and silence is what the supervisor acts on."""
        for turn in itertools.count():
            self._engine.stats()
            self._notices.tell("WATCHDOG=1")
            if turn == _GOOD_BEATS:
                self._engine.settle()
            await asyncio.sleep(_BEAT_SECS)


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
