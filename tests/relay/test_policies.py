"""What web decides becomes what the engine does, however it arrives."""

import asyncio
import time

import pytest

from salon.common.ids import new_id
from salon.relay import reports
from salon.relay.policies import FORGOTTEN_SECS, read_policy
from tests.fakes.engine import Speaker
from tests.relay.conftest import SECS, Media, policy

ROOM = new_id()


async def test_stage_follows_the_policy(media: Media) -> None:
    await media.open(ROOM, "ann", "speak", with_policy=policy(ROOM, 1, speakers=("ann", "bob")))

    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 2, speakers=("ann", "bob"), muted=("bob",)))
    await media.policy_obeyed(2)

    assert media.engine.stages[ROOM] == (Speaker("ann", 1, False), Speaker("bob", 2, True))


async def test_older_policy_changes_nothing(media: Media) -> None:
    await media.open(ROOM, "ann", "speak", with_policy=policy(ROOM, 5, speakers=("ann",)))

    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 4))
    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 5))
    await media.bus.publish("policy.other", policy("other", 1))
    await media.policy_obeyed(1, room="other")

    assert media.engine.stages[ROOM] == (Speaker("ann", 1, False),)


async def test_who_left_the_stage_speaks_no_more_and_listens_on(media: Media) -> None:
    speaking = await media.open(ROOM, "ann", "speak")
    listening = await media.open(ROOM, "ann", with_policy=policy(ROOM, speakers=("ann",)))

    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 2))

    assert (await media.truth_told(speaking, "closed"))["reason"] == "left_stage"
    assert media.engine.open_sessions == {listening}


async def test_raised_epoch_ends_all_sessions_of_that_person_only(media: Media) -> None:
    stage = policy(ROOM, speakers=("ann",))
    speaking = await media.open(ROOM, "ann", "speak", with_policy=stage)
    listening = await media.open(ROOM, "ann", with_policy=stage)
    other = await media.open(ROOM, "zoe", with_policy=stage)

    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 2, ann=1))

    assert [(await media.truth_told(session, "closed"))["reason"] for session in (speaking, listening)] == ["removed", "removed"]
    assert media.engine.open_sessions == {other}


async def test_session_of_the_raised_epoch_stays(media: Media) -> None:
    session = await media.open(ROOM, "ann", with_policy=policy(ROOM, 2, ann=1), epoch=1)

    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 3, ann=1))
    await media.policy_obeyed(3)

    assert media.engine.open_sessions == {session}


async def test_ice_is_not_restarted_for_an_older_epoch(media: Media) -> None:
    """Removal closes the session, but a PATCH may be under way at that very moment."""
    session = await media.open(ROOM, "ann")
    media.engine.close_person = lambda *_: 0  # type: ignore[method-assign]  # the engine has not got to it yet

    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 2, ann=1))
    await media.policy_obeyed(2)

    async with media.http.patch(f"/sessions/{session}", json={"person": "ann", "fragment": "a=ice-ufrag:x"}) as response:
        assert response.status == 404


async def test_ended_room_closes_everybodys_sessions(media: Media) -> None:
    sessions = [await media.open(ROOM, person) for person in ("ann", "zoe")]
    other = await media.open(new_id(), "ann")

    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 2, phase="ended"))

    assert [(await media.truth_told(session, "closed"))["reason"] for session in sessions] == ["room_ended"] * 2
    assert media.engine.open_sessions == {other}


async def test_policies_missed_while_the_bus_was_away_are_asked_for(media: Media) -> None:
    session = await media.open(ROOM, "ann")
    media.web.policies = [policy(ROOM, 2, ann=1)]
    media.bus.disconnect()

    media.bus.reconnect()

    assert (await media.truth_told(session, "closed"))["reason"] == "removed"
    assert media.web.policy_requests == [{ROOM: 1}]


async def test_removal_on_the_bus_waits_for_no_answer_of_web(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web answers slowest when it has just come back itself, which is when messages were lost."""
    monkeypatch.setattr(reports, "_TIMEOUT_SECS", 10 * SECS)
    session = await media.open(ROOM, "ann")
    media.web.pause_policies()
    try:
        media.bus.reconnect()
        async with asyncio.timeout(SECS):
            await media.web.is_asked_for_policies.wait()

        await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 2, ann=1))

        assert (await media.truth_told(session, "closed"))["reason"] == "removed"
    finally:
        media.web.resume_policies()


async def test_gap_while_web_answers_is_asked_about_again(media: Media) -> None:
    session = await media.open(ROOM, "ann")
    media.web.pause_policies()
    media.bus.reconnect()
    async with asyncio.timeout(SECS):
        await media.web.is_asked_for_policies.wait()

    media.bus.reconnect()
    await asyncio.sleep(0)  # the gap is heard of
    media.web.policies = [policy(ROOM, 2, ann=1)]
    media.web.resume_policies()

    assert (await media.truth_told(session, "closed"))["reason"] == "removed"


async def test_web_is_asked_about_rooms_with_sessions_only(media: Media) -> None:
    await media.reports.ask_policies()
    assert media.web.policy_requests == []
    await media.bus.publish("policy.unused", policy("unused", 7))
    await media.open(ROOM, "ann")

    await media.reports.ask_policies()

    assert media.web.policy_requests == [{ROOM: 1}]


async def test_web_being_away_changes_nothing(media: Media) -> None:
    session = await media.open(ROOM, "ann")
    media.reports._web_port = 9

    await media.reports.ask_policies()

    assert media.engine.open_sessions == {session}


async def test_only_the_second_time_web_tells_nothing_is_worth_a_warning(media: Media, caplog: pytest.LogCaptureFixture) -> None:
    await media.open(ROOM, "ann")
    at_web, nowhere = media.reports._web_port, 9
    warned = []
    for port in (nowhere, nowhere, at_web, nowhere):
        caplog.clear()
        media.reports._web_port = port
        await media.reports.ask_policies()
        warned.append("policies_unanswered" in [getattr(record, "action", None) for record in caplog.records])

    assert warned == [False, True, False, False]


async def test_room_forgotten_is_forgotten_by_the_engine_too(media: Media) -> None:
    """Its end may have been missed: nobody asks about rooms without sessions."""
    used = new_id()
    await media.open(used, "zoe", with_policy=policy(used, speakers=("bob",)))
    media.relay.apply(read_policy(policy(ROOM, speakers=("ann",))))

    media.relay.forget_unused_rooms(now=time.monotonic() + FORGOTTEN_SECS - 1)
    assert media.engine.stages == {used: (Speaker("bob", 1, False),), ROOM: (Speaker("ann", 1, False),)}
    media.relay.forget_unused_rooms(now=time.monotonic() + FORGOTTEN_SECS + 1)

    assert media.engine.stages == {used: (Speaker("bob", 1, False),), ROOM: ()}
    assert (media.relay.policies.version(used), media.relay.policies.version(ROOM)) == (1, 0)


async def test_unreadable_policy_on_the_bus_is_passed_over(media: Media) -> None:
    session = await media.open(ROOM, "ann")

    await media.bus.publish(f"policy.{ROOM}", {"version": 2})
    await media.bus.publish(f"policy.{ROOM}", policy(ROOM, 3))
    await media.policy_obeyed(3)

    assert media.engine.open_sessions == {session}
