"""The engine through its binding, with aiortc at both ends: what is heard is measured in decoded sound."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from salon.relay._engine import Engine, SessionClosed, Speaker
from tests.relay.engine_peers import HEARD_RMS, RATE_HZ, Room, loudest_hz, rms


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    engine = Engine(port=18704, addresses=["127.0.0.1"], bind="127.0.0.1")
    room = Room(engine)
    try:
        yield room
    finally:
        for peer in room.peers:
            await peer.close()
        engine.close()


async def test_speaker_is_heard_by_a_listener(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    [ear] = await room.listen("bob")
    await ear.hear(0.5)
    heard = await ear.hear(1.0)
    assert rms(heard) > HEARD_RMS
    assert loudest_hz(heard) == pytest.approx(620, abs=3)


async def test_muted_speaker_is_silent_and_heard_again_when_unmuted(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    [ear] = await room.listen("bob")
    assert rms((await ear.hear(1.0))[RATE_HZ // 2 :]) > HEARD_RMS

    room.engine.set_stage("room", [Speaker("ada", 7, True)])
    [speak] = [truth for truth in room.engine.truth("room") if truth.direction == "speak"]
    assert (speak.connected, speak.may_be_heard) == (True, False)
    out_when_muted = room.engine.stats().packets_out
    dropped_when_muted = speak.packets_dropped
    while room.engine.truth("room")[-1].packets_dropped < dropped_when_muted + 25:  # half a second of refused speech
        await asyncio.sleep(0.02)
    assert room.engine.stats().packets_out == out_when_muted

    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await ear.hear(0.5)
    assert loudest_hz(await ear.hear(0.5)) == pytest.approx(620, abs=3)


async def test_removed_speaker_is_not_heard_and_their_session_ends(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    [ear] = await room.listen("bob")
    [own] = await room.listen("ada")
    await ear.hear(0.2)
    assert room.engine.close_person("room", "ada", "removed") == 2
    out_when_removed = room.engine.stats().packets_out
    closed = await room.event(SessionClosed, "speak-ada")
    assert (closed.person, closed.direction, closed.reason) == ("ada", "speak", "removed")
    await asyncio.sleep(0.3)  # what would still flow has time to
    assert room.engine.stats().packets_out == out_when_removed
    assert [truth.session for truth in room.engine.truth("room")] == ["listen-bob"]
    assert own.samples.size == 0, "nobody hears themselves"


async def test_two_speakers_stand_in_two_slots(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False), Speaker("eve", 8, False)])
    await room.speak("ada", 620)
    await room.speak("eve", 930)
    ears = await room.listen("bob", slots=3)
    heard = [await ear.hear(1.0) for ear in ears[:2]]
    assert [round(loudest_hz(samples[RATE_HZ // 2 :]) / 10) * 10 for samples in heard] == [620, 930]
    assert ears[2].samples.size == 0
