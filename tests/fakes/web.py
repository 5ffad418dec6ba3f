"""Web as the gateway and the media process see it: internal answers set by the test, every outside request told back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

REFUSED = (404, {"code": "not_found", "message": "There is no such thing here.", "field": None})


class FakeWeb:
    """Streams hold events; a snapshot's state is `{"events": <how many there were>}`, so that a test sees which one it got."""

    def __init__(self) -> None:
        self.port = 0
        self.streams: dict[str, list[dict[str, Any]]] = {}
        self.states: dict[str, Any] = {}
        self.blocked_by: dict[str, list[str]] | None = {}
        """By person; None: web cannot say."""
        self.blocks_asked: list[str] = []
        self.tallies: dict[str, Any] = {}
        """By stream, for the answers about it."""
        self.hidden_from: set[tuple[str, str | None]] = set()
        """(stream, person) that get a 404."""
        self.remembers_events = True
        self.snapshots: list[dict[str, Any]] = []
        self.commands: list[dict[str, Any]] = []
        self.command_answer: tuple[int, Any] = (200, {"seq": 1})
        self.parts = {"web": "ready", "database": "ready"}
        self.health_asked = 0
        self.requests: list[str] = []
        """What was handed on from outside: "METHOD path"."""
        self.policies: list[dict[str, Any]] = []
        self.policy_requests: list[dict[str, int]] = []
        self.is_asked_for_policies = asyncio.Event()
        self.may_tell_policies = asyncio.Event()
        self.may_tell_policies.set()
        self.is_paused = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    def add_event(self, stream: str, kind: str = "hand_count_changed", data: Any = None) -> dict[str, Any]:
        events = self.streams.setdefault(stream, [])
        event = {"type": "event", "stream": stream, "seq": len(events) + 1, "kind": kind, "data": data or {}, "at": "2026-11-23T05:00:00Z"}
        events.append(event)
        return event

    def pause_snapshots(self) -> None:
        """From now on snapshots are computed at once but answered only after `resume_snapshots`."""
        self.is_paused.clear()
        self.may_go_on.clear()

    def pause_policies(self) -> None:
        """From now on policies are looked up at once but told only after `resume_policies`."""
        self.is_asked_for_policies.clear()
        self.may_tell_policies.clear()

    def resume_policies(self) -> None:
        self.may_tell_policies.set()

    def resume_snapshots(self) -> None:
        self.may_go_on.set()

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["FakeWeb"]:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/internal/snapshot", self._snapshot)
        app.router.add_post("/internal/command", self._command)
        app.router.add_post("/internal/policies", self._policies)
        app.router.add_post("/internal/blocks", self._blocks)
        app.router.add_get("/internal/health", self._health)
        app.router.add_route("*", "/api/v1/no-content", self._no_content)
        app.router.add_route("*", "/api/v1/long", self._long)
        app.router.add_route("*", "/{path:.*}", self._tell_back)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0, auto_decompress=False)  # as granian: a body as it came
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _snapshot(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.snapshots.append(asked)
        stream, after = asked["stream"], asked["after"]
        events = list(self.streams.get(stream, []))
        refused = (stream, asked["person"]) in self.hidden_from
        self.is_paused.set()
        await self.may_go_on.wait()
        if refused:
            return web.json_response(REFUSED[1], status=REFUSED[0])
        answer: dict[str, Any] = {"seq": len(events)} | ({"tally": self.tallies[stream]} if stream in self.tallies else {})
        if after is not None and after <= len(events) and self.remembers_events:
            return web.json_response(answer | {"events": events[after:]})
        return web.json_response(answer | {"state": self.states.get(stream, {"events": len(events)})})

    async def _command(self, request: web.Request) -> web.Response:
        self.commands.append(await request.json())
        status, body = self.command_answer
        return web.json_response(body, status=status)

    async def _policies(self, request: web.Request) -> web.Response:
        known: dict[str, int] = (await request.json())["rooms"]
        self.policy_requests.append(known)
        newer = [policy for policy in self.policies if policy["version"] > known.get(policy["room"], 0)]
        self.is_asked_for_policies.set()
        await self.may_tell_policies.wait()
        return web.json_response({"policies": newer})

    async def _blocks(self, request: web.Request) -> web.Response:
        person: str = (await request.json())["person"]
        self.blocks_asked.append(person)
        if self.blocked_by is None:
            return web.json_response(REFUSED[1], status=REFUSED[0])
        return web.json_response({"blocked_by": self.blocked_by.get(person, [])})

    async def _health(self, request: web.Request) -> web.Response:
        self.health_asked += 1
        return web.json_response({"status": "ready", "parts": self.parts})

    async def _no_content(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _long(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        for _ in range(64):
            await response.write(b"x" * 16_384)
        await response.write_eof()
        return response

    async def _tell_back(self, request: web.Request) -> web.Response:
        self.requests.append(f"{request.method} {request.raw_path}")
        body = await request.read()
        told = {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name.lower(), value] for name, value in request.headers.items()],
            "length": len(body),
        }
        response = web.json_response(told, headers={"X-Content-Type-Options": "web's own"})
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2")
        return response
