"""The control port: who is let in, and to whom a session belongs."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from salon.common.ids import new_id
from salon.config.environment import Mode
from salon.relay.app import Control
from salon.relay.relay import UNFINISHED_PER_PERSON, Relay, TooManyUnfinished
from tests.fakes import engine as fake_engine
from tests.relay.conftest import OFFER, Media, policy

ROOM = new_id()
REFUSED = {"code": "grant_refused", "message": "The grant is not good.", "field": None}


async def test_grant_opens_a_session(media: Media) -> None:
    status, answer = await media.post_session(media.grant(ROOM, "zoe"), policy(ROOM))

    assert (status, answer.keys()) == (201, {"session", "answer", "etag"})
    assert media.engine.open_sessions == {answer["session"]}


async def test_grant_is_taken_once(media: Media) -> None:
    grant = media.grant(ROOM, "zoe")
    assert (await media.post_session(grant, policy(ROOM)))[0] == 201

    assert await media.post_session(grant, policy(ROOM)) == (403, REFUSED)


async def test_refused_offer_uses_the_grant_up_and_leaves_no_session(media: Media) -> None:
    grant = media.grant(ROOM, "zoe")

    status, answer = await media.post_session(grant, policy(ROOM), offer="nonsense")

    assert (status, answer["code"], answer["message"]) == (400, "invalid_sdp", "the offer has no version line")
    assert await media.post_session(grant, policy(ROOM)) == (403, REFUSED)
    assert (media.engine.open_sessions, len(media.relay.sessions)) == (set(), 0)


async def test_old_or_foreign_grant_is_refused(media: Media) -> None:
    assert await media.post_session(media.grant(ROOM, "zoe", expires_in=-1), policy(ROOM)) == (403, REFUSED)
    assert await media.post_session(media.grant(ROOM, "zoe", secret_key="x" * 40), policy(ROOM)) == (403, REFUSED)
    assert await media.post_session("nonsense", policy(ROOM)) == (403, REFUSED)


async def test_grant_for_another_room_than_the_policys_is_refused(media: Media) -> None:
    assert await media.post_session(media.grant(ROOM, "zoe"), policy(new_id())) == (403, REFUSED)


async def test_only_the_stage_may_speak(media: Media) -> None:
    assert await media.post_session(media.grant(ROOM, "zoe", "speak"), policy(ROOM, speakers=("ann",))) == (403, REFUSED)
    assert (await media.post_session(media.grant(ROOM, "ann", "speak"), policy(ROOM, speakers=("ann",))))[0] == 201


async def test_ended_room_lets_nobody_in(media: Media) -> None:
    assert await media.post_session(media.grant(ROOM, "zoe"), policy(ROOM, phase="ended")) == (403, REFUSED)


async def test_grant_from_before_a_removal_is_refused_though_it_arrives_after(media: Media) -> None:
    early = media.grant(ROOM, "zoe", epoch=0)
    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 2, zoe=1))
    await media.open(ROOM, "ann", with_policy=policy(ROOM, 2, zoe=1))

    assert await media.post_session(early, policy(ROOM, 1)) == (403, REFUSED)
    assert (await media.post_session(media.grant(ROOM, "zoe", epoch=1), policy(ROOM, 2, zoe=1)))[0] == 201


async def test_storm_of_joins_lets_the_loop_do_other_work_between_any_two(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    def request(person: str) -> Any:
        async def body() -> dict[str, Any]:
            return {"grant": media.grant(ROOM, person), "offer": OFFER, "policy": policy(ROOM)}

        return SimpleNamespace(json=body)

    done: list[str] = []
    opens = media.engine.open_session
    monkeypatch.setattr(media.engine, "open_session", lambda **options: (done.append("a session"), opens(**options))[1])

    async def work_on() -> None:
        while True:
            done.append("other work")
            await asyncio.sleep(0)

    working = asyncio.create_task(work_on())
    control = Control(media.relay)
    await asyncio.gather(*(control.open_session(request(f"person-{number}")) for number in range(10)))
    working.cancel()

    assert (done.count("a session"), len(media.engine.open_sessions)) == (10, 10)
    assert all("a session" not in pair or "other work" in pair for pair in pairwise(done))


async def test_unreadable_policy_is_refused(media: Media) -> None:
    for broken in ({}, policy(ROOM) | {"phase": "asleep"}, policy(ROOM) | {"version": "x"}):
        assert await media.post_session(media.grant(ROOM, "zoe"), broken) == (403, REFUSED)


async def test_newer_session_takes_over(media: Media) -> None:
    first = await media.open(ROOM, "zoe")

    second = await media.open(ROOM, "zoe")

    assert (await media.truth_told(first, "closed"))["reason"] == "taken_over"
    assert media.engine.open_sessions == {second}


async def test_sessions_that_never_connect_are_limited_for_each_person(media: Media) -> None:
    rooms = [new_id() for _ in range(UNFINISHED_PER_PERSON + 1)]
    for room in rooms[:-1]:
        await media.open(room, "zoe", connected=False)

    status, answer = await media.post_session(media.grant(rooms[-1], "zoe"), policy(rooms[-1]))

    assert (status, answer["code"]) == (429, "too_many_requests")
    assert (await media.post_session(media.grant(rooms[-1], "ann"), policy(rooms[-1])))[0] == 201


async def test_own_session_is_restarted_and_deleted(media: Media) -> None:
    session = await media.open(ROOM, "zoe")

    async with media.http.patch(f"/sessions/{session}", json={"person": "zoe", "fragment": "a=ice-ufrag:x"}) as response:
        assert (response.status, await response.json()) == (200, {"fragment": "a=ice-ufrag:new", "etag": '"2"'})
    async with media.http.delete(f"/sessions/{session}", json={"person": "zoe"}) as response:
        assert response.status == 204
    assert (await media.truth_told(session, "closed"))["reason"] == "deleted"
    async with media.http.delete(f"/sessions/{session}", json={"person": "zoe"}) as response:
        assert response.status == 404


async def test_anothers_session_does_not_exist(media: Media) -> None:
    session = await media.open(ROOM, "zoe")

    async with media.http.patch(f"/sessions/{session}", json={"person": "ann", "fragment": "a=ice-ufrag:x"}) as response:
        assert response.status == 404
    async with media.http.delete(f"/sessions/{session}", json={"person": "ann"}) as response:
        assert response.status == 404
    assert media.engine.open_sessions == {session}


async def test_fragment_without_credentials_is_refused(media: Media) -> None:
    session = await media.open(ROOM, "zoe")

    async with media.http.patch(f"/sessions/{session}", json={"person": "zoe", "fragment": "a=candidate:1"}) as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid_sdp")


@pytest.mark.parametrize("path", ["/truth", "/health", "/metrics"])
async def test_nothing_is_told_without_the_secret(media: Media, path: str) -> None:
    async with media.http.get(path, headers={"X-Salon-Internal": "guess"}) as response:
        assert response.status == 404
    async with media.http.get(path) as response:
        assert response.status == 200


@pytest.mark.parametrize("body", ["[]", "{}", "no json"])
async def test_unreadable_request_is_refused(media: Media, body: str) -> None:
    async with media.http.post("/sessions", data=body, headers={"Content-Type": "application/json"}) as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid")


async def test_stopped_engine_is_said_to_be_unavailable(media: Media) -> None:
    media.engine.close()

    status, answer = await media.post_session(media.grant(ROOM, "zoe"), policy(ROOM))

    assert (status, answer["code"]) == (503, "media_unavailable")
    async with media.http.get("/health") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "2")


async def test_truth_is_the_engines(media: Media) -> None:
    session = await media.open(ROOM, "ann", "speak")
    await media.open(new_id(), "zoe")

    async with media.http.get("/truth", params={"room": ROOM}) as response:
        assert await response.json() == {
            "sessions": [
                {
                    "session": session, "room": ROOM, "person": "ann", "direction": "speak", "connected": True, "may_be_heard": True,
                    "last_in_secs": None, "last_out_secs": None, "packets_in": 0, "packets_out": 0, "packets_dropped": 0,
                    "transport": None, "lost_share": None, "round_trip_secs": None,
                }
            ]
        }  # fmt: skip


async def test_metrics_are_prometheus_text(media: Media) -> None:
    await media.open(ROOM, "zoe")

    async with media.http.get("/metrics") as response:
        lines = (await response.text()).splitlines()
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert lines[:3] == [
        "# HELP salon_media_sessions Open sound sessions.",
        "# TYPE salon_media_sessions gauge",
        'salon_media_sessions{direction="listen",state="connected"} 1',
    ]


def _production(media: Media) -> Relay:
    """Where people come from different addresses."""
    return Relay(replace(media.settings, mode=Mode.PRODUCTION), media.engine, fake_engine, media.bus)  # type: ignore[arg-type]


def _open(relay: Relay, media: Media, person: str, source: str) -> str:
    room = new_id()
    return relay.open_session(media.grant(room, person), OFFER, policy(room), source)[0]


async def test_sessions_that_never_connect_are_limited_for_each_address(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salon.relay.relay.UNFINISHED_PER_SOURCE", 3)
    relay = _production(media)
    first, *_ = [_open(relay, media, f"person-{number}", "192.0.2.7") for number in range(3)]
    with pytest.raises(TooManyUnfinished):
        _open(relay, media, "zoe", "192.0.2.7")
    assert _open(relay, media, "zoe", "192.0.2.8")

    relay.sessions.connect(first)
    assert _open(relay, media, "ann", "192.0.2.7"), "who has connected no longer counts"
    relay.sessions.remove(first)
    with pytest.raises(TooManyUnfinished):
        _open(relay, media, "bob", "192.0.2.7")


async def test_addresses_do_not_count_in_development(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salon.relay.relay.UNFINISHED_PER_SOURCE", 3)
    assert media.settings.is_development
    opened = {_open(media.relay, media, f"person-{number}", "127.0.0.1") for number in range(4)}
    assert len(opened) == media.relay.sessions.unfinished() == 4


async def test_sessions_that_never_connect_are_limited_in_all(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salon.relay.relay.UNFINISHED_IN_ALL", 3)
    relay = _production(media)
    first, *_ = [_open(relay, media, f"person-{number}", f"192.0.2.{number}") for number in range(3)]
    with pytest.raises(TooManyUnfinished):
        _open(relay, media, "zoe", "192.0.2.9")

    relay.sessions.remove(first)
    assert _open(relay, media, "zoe", "192.0.2.9")
    assert relay.sessions.unfinished() == 3
