import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from salon.gateway import retry
from tests.gateway.conftest import Running

READY = {"web": "ready", "database": "ready", "gateway": "ready", "media": "ready", "worker": "ready"}


@pytest.fixture
async def media(gateway: Running) -> AsyncIterator[None]:
    """A media process that answers, to who knows the secret."""

    async def health(request: web.Request) -> web.Response:
        return web.json_response({}, status=200 if request.headers["X-Salon-Internal"] == gateway.settings.internal_secret else 404)

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", gateway.settings.media_control_port).start()
    yield
    await runner.cleanup()


async def health(http: aiohttp.ClientSession) -> tuple[int, dict[str, object]]:
    async with http.get("/healthz") as response:
        return response.status, await response.json()


async def test_ready_when_every_part_is(gateway: Running, http: aiohttp.ClientSession, media: None) -> None:
    await gateway.bus.publish("alive.worker", {"node": "w"})

    assert await health(http) == (200, {"status": "ready", "parts": READY})


async def test_silent_worker_and_absent_media_are_named(http: aiohttp.ClientSession) -> None:
    assert await health(http) == (503, {"status": "starting", "parts": READY | {"media": "starting", "worker": "starting"}})


async def test_what_web_says_of_the_database_counts(gateway: Running, http: aiohttp.ClientSession, media: None) -> None:
    await gateway.bus.publish("alive.worker", {"node": "w"})
    gateway.web.parts = {"web": "ready", "database": "unreachable"}

    assert await health(http) == (503, {"status": "starting", "parts": READY | {"database": "unreachable"}})


async def test_gateway_without_its_bus_is_not_ready(gateway: Running, http: aiohttp.ClientSession, media: None) -> None:
    await gateway.bus.publish("alive.worker", {"node": "w"})
    gateway.bus.disconnect()

    assert await health(http) == (503, {"status": "starting", "parts": READY | {"gateway": "starting"}})


async def test_answer_is_never_older_than_the_question(gateway: Running, http: aiohttp.ClientSession, media: None) -> None:
    await gateway.bus.publish("alive.worker", {"node": "w"})
    assert (await health(http))[0] == 200

    gateway.web.parts = {"web": "ready", "database": "unreachable"}

    assert await health(http) == (503, {"status": "starting", "parts": READY | {"database": "unreachable"}})


async def test_many_questions_ask_the_parts_once(gateway: Running, http: aiohttp.ClientSession, media: None) -> None:
    await health(http)

    answers = await asyncio.gather(*(health(http) for _ in range(20)))

    assert ([status for status, _ in answers], gateway.web.health_asked) == ([503] * 20, 2)


async def test_part_that_is_away_is_not_waited_for(gateway: Running, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait for web; who asks whether it is there is told that it is not."""

    async def must_not_wait(secs: float) -> None:
        raise AssertionError(secs)

    monkeypatch.setattr(retry, "sleep", must_not_wait)
    monkeypatch.setattr(gateway.door.gateway.web, "_base_url", "http://127.0.0.1:9")

    assert await health(http) == (503, {"status": "starting", "parts": dict.fromkeys(READY, "starting") | {"gateway": "ready"}})
