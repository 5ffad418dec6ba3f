"""The engine on several threads: one room's listeners on all of them, one promise for every command."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from salon.relay._engine import Engine, SessionClosed, Speaker
from tests.relay.engine_peers import RATE_HZ, Ear, Room, Tone, loudest_hz, room_of

PORT = 18721
MUTES, REMOVALS = 60, 8
LISTENERS = ["bob", "eve", "ida", "zoe"]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    """Listeners go to the thread with the fewest of them, from the first one on."""
    engine = Engine(port=PORT, addresses=["127.0.0.1"], bind="127.0.0.1", threads=2, listeners_at_home=0)
    async with room_of(engine) as room:
        yield room


async def listeners(room: Room) -> list[Ear]:
    return [(await room.listen(person))[0] for person in LISTENERS]


async def assert_all_hear(ears: list[Ear], hz: float) -> None:
    heard = await asyncio.gather(*(ear.hear(1.0) for ear in ears))
    assert [loudest_hz(samples[RATE_HZ // 2 :]) for samples in heard] == [pytest.approx(hz, abs=3)] * len(ears)


async def test_listeners_on_every_thread_hear_the_speaker_and_are_silent_when_muted(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    ears = await listeners(room)
    before = room.engine.stats()
    assert [thread.sessions for thread in before.threads] == [3, 2]
    await assert_all_hear(ears, 620)
    stats = room.engine.stats()
    forwardings = sum(stats.forward_delay_counts) - sum(before.forward_delay_counts)
    assert forwardings == pytest.approx((stats.packets_out - before.packets_out) / 2, abs=4), "each thread tells of its own two listeners"
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


def after(room: Room, packets: int) -> None:
    """Until so many more packets have come in, on whichever thread."""
    wanted = room.engine.stats().packets_in + packets
    while room.engine.stats().packets_in < wanted:
        time.sleep(0.001)


async def test_every_one_of_many_mutes_and_removals_holds_from_its_return_on(room: Room) -> None:
    """What was on its way between threads when the command was given must not come after it, however the two meet."""
    engine, people = room.engine, ["ada", "ben", "cho"]
    stage = {muted: [Speaker(person, csrc, muted) for csrc, person in enumerate(people, 1)] for muted in (False, True)}
    engine.set_stage("room", stage[False])
    for hz, person in zip((620, 820, 1020), people, strict=True):
        await room.speak(person, hz)
    for person in LISTENERS:
        await room.listen(person, slots=3)

    async def silent_from_now_on() -> None:
        sent = [thread.packets_out for thread in engine.stats().threads]
        await asyncio.to_thread(after, room, 3)
        assert [thread.packets_out for thread in engine.stats().threads] == sent

    for _ in range(MUTES):
        engine.set_stage("room", stage[True])
        await silent_from_now_on()
        engine.set_stage("room", stage[False])
        sent = [thread.packets_out for thread in engine.stats().threads]
        while any(now.packets_out <= before for now, before in zip(engine.stats().threads, sent, strict=True)):
            await asyncio.to_thread(after, room, 1)

    for person in people[1:]:
        assert engine.close_person("room", person, "removed") == 1
    engine.set_stage("room", stage[False][:1])
    for number in range(REMOVALS):
        assert engine.close_person("room", "ada", "removed") == 1
        await silent_from_now_on()
        peer = room._peer()
        peer.addTrack(Tone(620))
        await room._connect(peer, f"speak-{number}", "ada", "speak")
        await asyncio.to_thread(after, room, 5)
