"""Which part of the gateway answers which address."""

import asyncio
import posixpath
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from salon.bus import Bus
from salon.common.paths import CLIENT_DIST
from salon.config.environment import Environment
from salon.gateway.client_files import ClientFiles
from salon.gateway.gateway import Gateway
from salon.gateway.health import Health
from salon.gateway.proxy import KEPT_ALIVE_SECS, Proxy
from salon.gateway.refusals import refusal
from salon.gateway.retry import retry_while_refused
from salon.gateway.security_headers import SecurityHeaders
from salon.gateway.sockets import Sockets
from salon.gateway.web import InternalWeb

# Everything of web's lies under one of these; every other address is a page of the client.
WEB_PREFIXES = ("/api/", "/_allauth/", "/development/", "/staff/", "/static/", "/uploads/")
_INTERNAL = "internal"
_WEB_CONNECTIONS = 64


class FrontDoor:
    """Everything one gateway process has, and the choice among it for each request."""

    def __init__(self, settings: Environment, bus: Bus, *, most_sockets: int, client_folder: Path = CLIENT_DIST) -> None:
        web_url = f"http://127.0.0.1:{settings.web_port}"
        self._internal = aiohttp.ClientSession(middlewares=(retry_while_refused,))
        self._outside = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_WEB_CONNECTIONS, keepalive_timeout=KEPT_ALIVE_SECS),
            auto_decompress=False,
            middlewares=(retry_while_refused,),
            cookie_jar=aiohttp.DummyCookieJar(),  # every request carries its own person's cookies, and no other's
        )
        self.gateway = Gateway(settings, bus, InternalWeb(self._internal, web_url, settings.internal_secret))
        self.sockets = Sockets(self.gateway, most=most_sockets)
        self._files = ClientFiles(client_folder)
        self._proxy = Proxy(self._outside, web_url, settings)
        self._health = Health(self.gateway, self._internal, settings)
        self._sweeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.gateway.start()
        self._sweeping = asyncio.create_task(self.sockets.sweep(), name="sweep")

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        await self.gateway.stop()
        await self._internal.close()
        await self._outside.close()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/ws":
            return await self.sockets.accept(request)
        if path == "/healthz":
            return await self._health.answer(request)
        if is_internal(path):
            return web.json_response(refusal("not_found"), status=404)
        if path.startswith(WEB_PREFIXES) or request.method not in ("GET", "HEAD"):
            return await self._proxy.pass_on(request)
        return self._files.answer(path)


def is_internal(path: str) -> bool:
    """Whether web might take this decoded address for one of its internal ones, however it is spelled."""
    return posixpath.normpath("/" + path.lstrip("/")).split("/")[1] == _INTERNAL


def make_app(settings: Environment, bus: Bus, *, most_sockets: int, client_folder: Path = CLIENT_DIST) -> web.Application:
    """The application. It leaves `bus` open when it ends."""
    app = web.Application()

    async def front_door(app: web.Application) -> AsyncIterator[None]:
        door = FrontDoor(settings, bus, most_sockets=most_sockets, client_folder=client_folder)
        app[FRONT_DOOR] = door
        await door.open()
        yield
        await door.close()

    async def answer(request: web.Request) -> web.StreamResponse:
        return await app[FRONT_DOOR].answer(request)

    app.cleanup_ctx.append(front_door)
    app.on_response_prepare.append(SecurityHeaders(settings.public_url))
    app.router.add_route("*", "/{path:.*}", answer)
    return app


FRONT_DOOR = web.AppKey("front_door", FrontDoor)
