"""A media process that goes on with the sessions of the one before: nobody is let go on who would not be let in now."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from salon.common.ids import new_id
from salon.relay.relay import Relay
from salon.relay.reports import Reports
from salon.relay.run import EventPolling
from tests.fakes import engine as fake_engine
from tests.fakes.bus import FakeBus
from tests.relay.conftest import SECS, Media, policy

ROOM, OTHER = new_id(), new_id()


@asynccontextmanager
async def successor(media: Media) -> AsyncIterator[tuple[Relay, Reports, FakeBus]]:
    """What `salon media` makes of the sessions that it finds."""
    engine, bus = media.engine.successor(), FakeBus()
    relay = Relay(media.settings, engine, fake_engine, bus)  # type: ignore[arg-type]
    relay.take_up_restored()
    polling = EventPolling(engine, relay, when_silent=lambda: None)
    yield relay, Reports(media.settings, relay, bus), bus
    polling.stop()
    engine.close()
    polling.join()


async def learn_and_release(relay: Relay, reports: Reports) -> None:
    async with asyncio.timeout(SECS):
        await reports.learn_policies()
    relay.release()


async def closed(relay: Relay, *sessions: str) -> None:
    async with asyncio.timeout(SECS):
        while any(relay.sessions.get(session) for session in sessions):  # noqa: ASYNC110  (nothing is told when an event was noted)
            await asyncio.sleep(0.005)


async def test_sessions_go_on_with_what_the_engine_does_not_know(media: Media) -> None:
    session = await media.open(ROOM, "zoe", epoch=3)
    media.web.policies = [policy(ROOM, 7, zoe=3)]

    async with successor(media) as (relay, reports, _):
        assert relay.engine.is_held  # type: ignore[attr-defined]
        await learn_and_release(relay, reports)

        assert not relay.engine.is_held  # type: ignore[attr-defined]
        assert (media.web.policy_requests[-1], relay.policies.version(ROOM)) == ({ROOM: 0}, 7)
        assert (relay.sessions.get(session), relay.engine.truth()[0].session) == (media.relay.sessions.get(session), session)
        assert relay.presence(ROOM) == media.relay.presence(ROOM) | {"faces": relay.presence(ROOM)["faces"]}
        assert [face["id"] for face in relay.presence(ROOM)["faces"]] == ["zoe"]
        assert relay.roster()["rooms"] == {ROOM: {"listen": ["zoe"], "speak": []}}


async def test_who_was_removed_while_media_was_away_does_not_come_back(media: Media) -> None:
    removed = await media.open(ROOM, "ann", epoch=0)
    stays = await media.open(ROOM, "bob", epoch=0)
    media.web.policies = [policy(ROOM, 8, ann=1)]

    async with successor(media) as (relay, reports, _):
        await learn_and_release(relay, reports)
        await closed(relay, removed)

        assert {truth.session for truth in relay.engine.truth()} == {stays}


async def test_who_left_the_stage_meanwhile_speaks_no_more_and_a_mute_holds(media: Media) -> None:
    stage = policy(ROOM, speakers=("ann", "bob"))
    left = await media.open(ROOM, "ann", "speak", with_policy=stage)
    muted = await media.open(ROOM, "bob", "speak", with_policy=stage)
    media.web.policies = [policy(ROOM, 9, speakers=("bob",), muted=("bob",))]

    async with successor(media) as (relay, reports, _):
        await learn_and_release(relay, reports)
        await closed(relay, left)

        assert [(truth.session, truth.may_be_heard) for truth in relay.engine.truth()] == [(muted, False)]


async def test_room_that_ended_and_room_that_web_does_not_know_are_over(media: Media) -> None:
    ended = await media.open(ROOM, "ann")
    unknown = await media.open(OTHER, "ann")
    media.web.policies = [policy(ROOM, 2, phase="ended")]

    async with successor(media) as (relay, reports, _):
        await learn_and_release(relay, reports)
        await closed(relay, ended, unknown)

        assert relay.engine.truth() == []


async def test_nothing_is_forwarded_while_web_does_not_answer(media: Media) -> None:
    await media.open(ROOM, "ann")
    media.web.policies = [policy(ROOM, 2)]
    media.web.pause_policies()

    async with successor(media) as (relay, reports, _):
        learning = asyncio.create_task(learn_and_release(relay, reports))
        await media.web.is_asked_for_policies.wait()
        assert relay.engine.is_held  # type: ignore[attr-defined]
        media.web.resume_policies()
        await learning
        assert not relay.engine.is_held  # type: ignore[attr-defined]


async def test_web_that_is_away_is_asked_again(media: Media, unused_tcp_port_factory: Callable[[], int]) -> None:
    await media.open(ROOM, "ann")
    media.web.policies = [policy(ROOM, 2)]

    async with successor(media) as (relay, reports, _):
        right, reports._web_port = reports._web_port, unused_tcp_port_factory()
        learning = asyncio.create_task(reports.learn_policies())
        async with asyncio.timeout(SECS):
            while reports._failures == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert not learning.done()
        reports._web_port = right
        async with asyncio.timeout(SECS):
            await learning
    assert relay.policies.version(ROOM) == 2


@pytest.mark.parametrize("tag", [b"", b"no JSON", b"{}", b'{"epoch": "x", "face": null}'])
async def test_session_that_nobody_can_judge_is_closed(media: Media, tag: bytes) -> None:
    session = await media.open(ROOM, "ann")
    media.engine._sessions[session].tag = tag

    async with successor(media) as (relay, _, _):
        assert (relay.engine.truth(), len(relay.sessions)) == ([], 0)


async def test_tag_that_would_be_too_long_goes_without_the_face(media: Media) -> None:
    session = await media.open(ROOM, "ann", epoch=2)
    kept = media.relay.sessions.get(session)
    assert kept is not None
    assert json.loads(kept.tag())["face"]["name"] == "Ann"
    kept.face = {"id": "ann", "handle": "ann", "name": "é" * 2_000, "picture": None}

    assert json.loads(kept.tag()) == {"epoch": 2, "face": None}
