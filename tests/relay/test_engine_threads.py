"""The engine on several threads: one room's listeners on all of them, one promise for every command."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from salon.relay._engine import Engine, SessionClosed, Speaker
from tests.relay.engine_peers import RATE_HZ, Ear, Room, loudest_hz

PORT = 18717
LISTENERS = ["bob", "eve", "ida", "zoe"]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    """Listeners go to the thread with the fewest of them, from the first one on."""
    engine = Engine(port=PORT, addresses=["127.0.0.1"], bind="127.0.0.1", threads=2, listeners_at_home=0)
    room = Room(engine)
    try:
        yield room
    finally:
        for peer in room.peers:
            await peer.close()
        engine.close()


async def listeners(room: Room) -> list[Ear]:
    return [(await room.listen(person))[0] for person in LISTENERS]


async def assert_all_hear(ears: list[Ear], hz: float) -> None:
    heard = await asyncio.gather(*(ear.hear(1.0) for ear in ears))
    assert [loudest_hz(samples[RATE_HZ // 2 :]) for samples in heard] == [pytest.approx(hz, abs=3)] * len(ears)


async def test_listeners_on_every_thread_hear_the_speaker_and_are_silent_when_muted(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    ears = await listeners(room)
    assert [thread.sessions for thread in room.engine.stats().threads] == [3, 2]
    await assert_all_hear(ears, 620)
    assert {truth.session for truth in room.engine.truth("room")} == {"speak-ada", *(f"listen-{person}" for person in LISTENERS)}
    [talk] = room.engine.take_talk()
    assert (talk.room, talk.talking) == ("room", ["ada"])
    assert (room.engine.stats().sessions, room.engine.stats().rooms) == (5, 1)

    room.engine.set_stage("room", [Speaker("ada", 7, True)])
    sent = room.engine.stats().packets_out
    await asyncio.sleep(0.3)
    assert room.engine.stats().packets_out == sent, "not one packet, on either thread, once the command has returned"

    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await asyncio.gather(*(ear.hear(0.5) for ear in ears))
    await assert_all_hear(ears, 620)


async def test_removed_is_silent_on_every_thread_when_the_command_returns(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    ears = await listeners(room)
    await assert_all_hear(ears, 620)
    assert room.engine.close_person("room", "ada", "removed") == 1
    sent = room.engine.stats().packets_out
    await asyncio.sleep(0.3)
    assert room.engine.stats().packets_out == sent
    closed = await room.event(SessionClosed, "speak-ada")
    assert closed.reason == "removed"
    assert room.engine.close_room("room", "room_ended") == len(LISTENERS)
    assert (room.engine.stats().sessions, room.engine.stats().rooms) == (0, 0)


async def test_newer_session_takes_over_on_whichever_thread_the_older_one_is(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    await listeners(room)
    before = room.engine.stats().threads
    for person in LISTENERS:
        peer = room._peer()
        peer.addTransceiver("audio", direction="recvonly")
        await room._connect(peer, f"again-{person}", person, "listen")
    assert [thread.sessions for thread in room.engine.stats().threads] == [thread.sessions for thread in before]
    assert {truth.session for truth in room.engine.truth()} == {"speak-ada", *(f"again-{person}" for person in LISTENERS)}
