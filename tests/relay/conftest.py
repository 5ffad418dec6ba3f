"""A media process around a fake engine, with a fake bus and a fake web."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Page

from salon.common.ids import new_id
from salon.common.signing import Grant, sign_grant
from salon.config.environment import Environment, environment
from salon.relay.app import make_app
from salon.relay.relay import Relay
from salon.relay.reports import Reports
from salon.relay.run import EventPolling
from tests.fakes import engine as fake_engine
from tests.fakes.bus import FakeBus
from tests.fakes.web import FakeWeb
from tests.relay.engine_browser import open_page, write_tone

SECS = 10
OFFER = "v=0 offer"


def policy(
    room: str, version: int = 1, *, speakers: tuple[str, ...] = (), muted: tuple[str, ...] = (), phase: str = "live", **epochs: int
) -> dict[str, Any]:
    """csrc are 1, 2, … in order of the stage."""
    stage = [{"person": person, "csrc": number, "muted": person in muted} for number, person in enumerate(speakers, 1)]
    return {"room": room, "version": version, "phase": phase, "speakers": stage, "epochs": epochs}


@dataclass
class Media:
    """One media process: its control port as web sees it, and what it says on the bus."""

    http: aiohttp.ClientSession
    engine: fake_engine.Engine
    bus: FakeBus
    web: FakeWeb
    relay: Relay
    reports: Reports
    settings: Environment

    def grant(
        self,
        room: str,
        person: str,
        direction: Literal["listen", "speak"] | str = "listen",
        *,
        epoch: int = 0,
        expires_in: float = 60,
        has_face: bool = True,
        secret_key: str | None = None,
    ) -> str:
        face = {"id": person, "handle": person, "name": person.title(), "picture": None} if has_face else None
        claims: Grant = {
            "id": new_id(), "session": new_id(), "room": room, "person": person, "face": face,  # type: ignore[typeddict-item]
            "direction": direction, "epoch": epoch, "expires": int(time.time() + expires_in),
        }  # fmt: skip
        return sign_grant(claims, secret_key or self.settings.secret_key)

    async def post_session(self, grant: str, with_policy: dict[str, Any], offer: str = OFFER) -> tuple[int, dict[str, Any]]:
        async with self.http.post("/sessions", json={"grant": grant, "offer": offer, "policy": with_policy}) as response:
            return response.status, await response.json()

    async def open(
        self,
        room: str,
        person: str,
        direction: str = "listen",
        *,
        with_policy: dict[str, Any] | None = None,
        connected: bool = True,
        **of_grant: Any,
    ) -> str:
        """The id of a session that was let in, and connected."""
        with_policy = with_policy or policy(room, speakers=(person,) if direction == "speak" else ())
        status, answer = await self.post_session(self.grant(room, person, direction, **of_grant), with_policy)
        assert status == 201, answer
        if connected:
            self.engine.connect(answer["session"])
            await self.truth_told(answer["session"], "connected")
        return str(answer["session"])

    async def truth_told(self, session: str, kind: str) -> dict[str, Any]:
        """What was said on the bus about a session; waits for it."""
        async with asyncio.timeout(SECS):
            while True:
                for subject, message in self.bus.published:
                    if subject.startswith("truth.") and (message["session"], message["kind"]) == (session, kind):
                        return {"subject": subject, **message}
                await asyncio.sleep(0.005)

    async def policy_obeyed(self, version: int, *, room: str | None = None) -> None:
        """Wait until a policy of this version is obeyed, in `room` or in any."""
        async with asyncio.timeout(SECS):
            while version not in self._versions(room):  # noqa: ASYNC110  (nothing is told when a policy is obeyed)
                await asyncio.sleep(0.005)

    def _versions(self, room: str | None) -> set[int]:
        rooms = [room] if room else self.relay.sessions.rooms()
        return {self.relay.policies.version(room) for room in rooms}

    def said(self, subject: str) -> list[Any]:
        return [message for said_on, message in self.bus.published if said_on == subject]


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """Of a browser with a tone for its microphone."""
    async with open_page(write_tone(tmp_path / "tone.wav")) as page:
        yield page


@pytest.fixture
async def media(unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[Media]:
    async with FakeWeb().running() as fake_web:
        settings = replace(environment(), media_control_port=unused_tcp_port_factory(), web_port=fake_web.port, media_port=9999)
        engine, bus = fake_engine.Engine(), FakeBus()
        relay = Relay(settings, engine, fake_engine, bus)  # type: ignore[arg-type]
        runner = web.AppRunner(make_app(relay, fake_engine, settings.internal_secret), access_log=None, shutdown_timeout=0)  # type: ignore[arg-type]
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", settings.media_control_port).start()
        headers = {"X-Salon-Internal": settings.internal_secret}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{settings.media_control_port}", headers=headers) as http:
            reports = Reports(settings, relay, bus)
            polling = EventPolling(engine, relay, when_silent=lambda: None)  # some tests close the engine under the process
            works = (relay.publish_truths, relay.quality.follow, reports.follow_policies, reports.recover_policies)
            tasks = [asyncio.create_task(work()) for work in works]
            await asyncio.sleep(0)  # the subscription is made
            yield Media(http, engine, bus, fake_web, relay, reports, settings)
            polling.stop()
            engine.close()
            polling.join()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()
