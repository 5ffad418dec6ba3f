"""The gateway as a process."""

import asyncio
import logging
import resource
import signal

import uvloop
from aiohttp import web

from salon.bus import open_bus
from salon.config.environment import Environment, environment
from salon.gateway.app import FRONT_DOOR, make_app
from salon.gateway.metrics import serve_metrics

logger = logging.getLogger(__name__)

_KEPT_FILES = 200
"""File descriptors for everything but sockets: web's connections, the bus, files being sent."""
_STOP_SECS = 2.0
IDLE_SECS = 65.0
"""A connection without a complete request is closed after this: longer than proxies keep one to us (nginx: 60 s)."""
LINGERING_SECS = 2.0
"""How long a refused body is still read, so that its sender gets to see the refusal."""


def main() -> int:
    uvloop.run(_serve(environment()))
    return 0


async def _serve(settings: Environment) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    bus = await open_bus(settings)
    app = make_app(settings, bus, most_sockets=most_sockets())
    runner = make_runner(app)
    await runner.setup()
    # SO_REUSEPORT: the kernel spreads connections over as many gateways as are started.
    await web.TCPSite(runner, settings.host, settings.port, reuse_port=True, backlog=1024).start()
    operator = await serve_metrics(settings, app[FRONT_DOOR])
    logger.info("The gateway listens.", extra={"action": "gateway_started", "port": settings.port})
    await stopping.wait()
    # First tell every socket to come back later, then let requests under way finish.
    app[FRONT_DOOR].gateway.close_sockets()
    await operator.cleanup()
    await runner.cleanup()
    await bus.close()


def make_runner(app: web.Application, *, stop_secs: float = _STOP_SECS, lingering_secs: float = LINGERING_SECS) -> web.AppRunner:
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=stop_secs,
        lingering_time=lingering_secs,
        keepalive_timeout=IDLE_SECS,
        # Web gets a body as it was sent: a decompressed one would no longer be what its Content-Encoding says, and could be of any length.
        auto_decompress=False,
    )


def most_sockets() -> int:
    """As many as there are file descriptors; the soft limit is raised to the hard one first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(hard - _KEPT_FILES, 100)
