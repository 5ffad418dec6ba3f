"""`GET /metrics` on the operator's port: the gateway's figures, and those that media gives at its control port."""

import logging
import time
from collections.abc import Iterator

import aiohttp
from aiohttp import web

from salon.common.metrics import CONTENT_TYPE, Metric, exposition
from salon.config.environment import Environment
from salon.gateway.app import FrontDoor
from salon.gateway.web import SECRET_HEADER

logger = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=2)


async def serve_metrics(settings: Environment, door: FrontDoor) -> web.AppRunner:
    """Listen on loopback. Where another gateway of this machine already has the port, that one answers for it."""
    url = f"http://127.0.0.1:{settings.media_control_port}/metrics"

    async def answer(request: web.Request) -> web.Response:
        media = await _media_metrics(url, settings.internal_secret)
        return web.Response(text=exposition(gateway_metrics(door)) + media, headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", settings.operator_port).start()
    except OSError as error:
        logger.warning("No metrics: the port is taken.", extra={"action": "metrics_off", "errno": error.errno})
    return runner


def gateway_metrics(door: FrontDoor) -> Iterator[Metric]:
    gateway = door.gateway
    yield Metric("salon_gateway_sockets", "gauge", "Open WebSockets.", len(door.sockets))
    yield Metric("salon_gateway_streams", "gauge", "Streams that are watched, or were a minute ago.", len(gateway.streams))
    yield Metric("salon_gateway_events_total", "counter", "Events of such streams taken from the bus.", gateway.streams.events)
    yield Metric("salon_gateway_bus_connected", "gauge", "1 while the bus is connected.", int(gateway.bus.is_connected))
    yield Metric("salon_gateway_cpu_seconds_total", "counter", "Processor time of the gateway.", time.process_time())


async def _media_metrics(url: str, internal_secret: str) -> str:
    """Empty while media does not answer."""
    headers = {SECRET_HEADER: internal_secret}
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers) as session, session.get(url) as response:
            return await response.text() if response.status == 200 else ""
    except (aiohttp.ClientError, TimeoutError):
        return ""
