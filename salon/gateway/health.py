"""`GET /healthz`: whether every part of this installation works."""

import asyncio
import time

import aiohttp
from aiohttp import web

from salon.config.environment import Environment
from salon.gateway.gateway import Gateway
from salon.gateway.web import SECRET_HEADER

READY, STARTING = "ready", "starting"
_TIMEOUT = aiohttp.ClientTimeout(total=2)
_EVERY_SECS = 0.5
"""However often it is asked, the parts are asked this often at most: who comes sooner waits, and hears nothing older than the question."""


class Health:
    def __init__(self, gateway: Gateway, session: aiohttp.ClientSession, settings: Environment) -> None:
        self._gateway = gateway
        self._session = session
        self._media_url = f"http://127.0.0.1:{settings.media_control_port}/health"
        self._headers = {SECRET_HEADER: settings.internal_secret}
        self._asking = asyncio.Lock()
        self._known: dict[str, str] = {}
        self._asked_at = float("-inf")
        """When the parts were asked what is known."""

    async def answer(self, request: web.Request) -> web.Response:
        parts = await self._parts()
        is_ready = all(state == READY for state in parts.values())
        return web.json_response(
            {"status": READY if is_ready else STARTING, "parts": parts},
            status=200 if is_ready else 503,
            headers={"Cache-Control": "no-store"} | ({} if is_ready else {"Retry-After": "1"}),
        )

    async def _parts(self) -> dict[str, str]:
        came_at = time.monotonic()
        async with self._asking:
            if self._asked_at < came_at:
                await asyncio.sleep(self._asked_at + _EVERY_SECS - time.monotonic())
                self._asked_at = time.monotonic()
                self._known = await self._ask()
            return self._known

    async def _ask(self) -> dict[str, str]:
        web_parts, media = await asyncio.gather(self._gateway.web.health(), self._media_answers())
        return {
            "web": web_parts.get("web", STARTING),
            "database": web_parts.get("database", STARTING),
            "gateway": READY if self._gateway.bus.is_connected and not self._gateway.is_stopping else STARTING,
            "media": READY if media else STARTING,
            "worker": READY if self._gateway.heartbeats.is_alive("worker", time.monotonic()) else STARTING,
        }

    async def _media_answers(self) -> bool:
        try:
            async with self._session.get(self._media_url, headers=self._headers, timeout=_TIMEOUT, middlewares=()) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
