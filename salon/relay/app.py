"""The control port: where web opens, restarts and ends sessions. On loopback, for holders of the internal secret."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from salon.common.metrics import CONTENT_TYPE, exposition
from salon.relay.engine_port import EngineModule
from salon.relay.grants import GrantRefused
from salon.relay.metrics import relay_metrics
from salon.relay.relay import Relay, SessionNotFound, TooManyUnfinished
from salon.relay.truth import truth_of

logger = logging.getLogger(__name__)

SECRET_HEADER = "X-Salon-Internal"  # noqa: S105
_BODY_BYTES = 256 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(relay: Relay, module: EngineModule, internal_secret: str) -> web.Application:
    control = Control(relay)
    app = web.Application(client_max_size=_BODY_BYTES, middlewares=[_guard(internal_secret), _refusals(module)])
    app.router.add_post("/sessions", control.open_session)
    app.router.add_patch("/sessions/{id}", control.restart_ice)
    app.router.add_delete("/sessions/{id}", control.close_session)
    app.router.add_get("/truth", control.truth)
    app.router.add_get("/health", control.health)
    app.router.add_get("/metrics", control.metrics)
    return app


class Control:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._opening = asyncio.Lock()

    async def open_session(self, request: web.Request) -> web.Response:
        body = await _json_object(request)
        source = str(body.get("source", ""))
        # One in a turn of the loop: each waits for the engine, and behind a storm of them a removal and the sign of life would wait.
        async with self._opening:
            await asyncio.sleep(0)
            session, answer, etag = self._relay.open_session(str(body["grant"]), str(body["offer"]), body["policy"], source)
        return web.json_response({"session": session, "answer": answer, "etag": etag}, status=201)

    async def restart_ice(self, request: web.Request) -> web.Response:
        body = await _json_object(request)
        fragment, etag = self._relay.restart_ice(request.match_info["id"], str(body["person"]), str(body["fragment"]))
        return web.json_response({"fragment": fragment, "etag": etag})

    async def close_session(self, request: web.Request) -> web.Response:
        body = await _json_object(request)
        self._relay.close_session(request.match_info["id"], str(body["person"]))
        return web.Response(status=204)

    async def truth(self, request: web.Request) -> web.Response:
        return web.json_response({"sessions": [truth_of(session) for session in self._relay.engine.truth(request.query.get("room"))]})

    async def health(self, request: web.Request) -> web.Response:
        self._relay.engine.stats()  # raises EngineError once the engine has stopped
        return web.json_response({"status": "ready", "node": self._relay.node})

    async def metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=exposition(relay_metrics(self._relay)), headers={"Content-Type": CONTENT_TYPE})


async def _json_object(request: web.Request) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise TypeError("the body is no object")
    return body


def _guard(internal_secret: str) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode(), internal_secret.encode()):
            return _refusal(404, "not_found", "There is no such thing here.")
        return await handler(request)

    return guard


def _refusals(module: EngineModule) -> Any:
    """Exceptions become the statuses of docs/subsystems/processes.md in this one place."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: PLR0911  (a table)
        try:
            return await handler(request)
        except GrantRefused as refused:
            logger.warning("A grant was refused.", extra={"action": "grant_refused", "why": refused.args[0]})
            return _refusal(403, "grant_refused", "The grant is not good.")
        except SessionNotFound:
            return _refusal(404, "not_found", "There is no such session.")
        except TooManyUnfinished:
            return _refusal(429, "too_many_requests", "Too many sessions that never connected.", retry_after_secs=15)
        except module.OfferRefused as refused:
            return _refusal(400, "invalid_sdp", str(refused.args[0]))
        except module.EngineError:
            return _refusal(503, "media_unavailable", "The media server is not running.", retry_after_secs=2)
        except (ValueError, KeyError, TypeError):
            return _refusal(400, "invalid", "The request is not understood.")

    return answer


def _refusal(status: int, code: str, message: str, *, retry_after_secs: int | None = None) -> web.Response:
    headers = {"Retry-After": str(retry_after_secs)} if retry_after_secs else {}
    return web.json_response({"code": code, "message": message, "field": None}, status=status, headers=headers)
