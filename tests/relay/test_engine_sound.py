"""The engine through its binding, with aiortc at both ends: what is heard is measured in decoded sound."""

import time
from collections.abc import AsyncIterator

import pytest

from salon.relay._engine import Engine, SessionClosed, SessionTruth, Speaker
from tests.relay.engine_peers import HEARD_RMS, RATE_HZ, Ear, Room, loudest_hz, rms, room_of, start_engine


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with room_of(start_engine(18704)) as room:
        yield room


async def test_speaker_is_heard_by_a_listener(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False)])
    await room.speak("ada", 620)
    [ear] = await room.listen("bob")
    await ear.hear(0.5)
    heard = await ear.hear(1.0)
    assert rms(heard) > HEARD_RMS
    assert loudest_hz(heard) == pytest.approx(620, abs=3)


async def test_large_audience_hears_continuous_sound_in_long_packets() -> None:
    engine = Engine(port=18720, addresses=["127.0.0.1"], bind="127.0.0.1", long_packets_from=1)
    async with room_of(engine) as room:
        engine.set_stage("room", [Speaker("ada", 7, False)])
        await room.speak("ada", 620)
        [ear] = await room.listen("bob")
        await ear.hear(0.5)
        before, said_before = _truth(engine, "listen-bob").packets_out, _truth(engine, "speak-ada").packets_in
        heard = await ear.hear(2.0)
        received, said = _truth(engine, "listen-bob").packets_out - before, _truth(engine, "speak-ada").packets_in - said_before
        assert loudest_hz(heard) == pytest.approx(620, abs=3)
        pieces = heard.reshape(-1, RATE_HZ // 100)
        assert min(rms(piece) for piece in pieces) > HEARD_RMS, "no 10 ms are missing"
        assert received == pytest.approx(said / 3, abs=2)


def _truth(engine: Engine, session: str) -> SessionTruth:
    [truth] = [truth for truth in engine.truth("room") if truth.session == session]
    return truth


async def test_muted_speaker_is_silent_and_heard_again_when_unmuted(room: Room) -> None:
    stage = [Speaker("ada", 7, False), Speaker("eve", 8, False)]
    room.engine.set_stage("room", stage)
    await room.speak("ada", 620)
    await room.speak("eve", 930)
    ada, eve = await room.listen("bob", slots=2)
    assert loudest_hz((await ada.hear(1.0))[RATE_HZ // 2 :]) == pytest.approx(620, abs=3)

    room.engine.set_stage("room", [Speaker("ada", 7, True), stage[1]])
    [muted] = [truth for truth in room.engine.truth("room") if truth.session == "speak-ada"]
    assert (muted.connected, muted.may_be_heard) == (True, False)
    await assert_silent_while(ada, eve)

    room.engine.set_stage("room", stage)
    await ada.hear(0.5)
    assert loudest_hz(await ada.hear(0.5)) == pytest.approx(620, abs=3)


async def test_removed_speaker_is_not_heard_and_their_sessions_end(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False), Speaker("eve", 8, False)])
    await room.speak("ada", 620)
    await room.speak("eve", 930)
    ada, eve = await room.listen("bob", slots=2)
    own, _ = await room.listen("ada", slots=2)
    await ada.hear(0.5)
    assert room.engine.close_person("room", "ada", "removed") == 2
    await assert_silent_while(ada, eve)
    closed = await room.event(SessionClosed, "speak-ada")
    assert (closed.person, closed.direction, closed.reason) == ("ada", "speak", "removed")
    heard_by_ada = own.samples.size
    await eve.hear(0.5)
    assert own.samples.size == heard_by_ada, "nor do they hear anybody"
    assert sorted(truth.session for truth in room.engine.truth("room")) == ["listen-bob", "speak-eve"]


async def assert_silent_while(silent: Ear, talking: Ear) -> None:
    """While a second of one voice is heard, the other's slot gives out at most what was on its way: less than 0.2 s."""
    before = silent.samples.size
    await talking.hear(1.0)
    assert silent.samples.size - before < 0.2 * RATE_HZ


async def test_two_speakers_stand_in_two_slots(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False), Speaker("eve", 8, False)])
    await room.speak("ada", 620)
    await room.speak("eve", 930)
    ears = await room.listen("bob", slots=3)
    heard = [await ear.hear(1.0) for ear in ears[:2]]
    assert [round(loudest_hz(samples[RATE_HZ // 2 :]) / 10) * 10 for samples in heard] == [620, 930]
    assert ears[2].samples.size == 0


async def test_who_talks_and_for_how_long_is_told_of_who_is_heard_and_of_nobody_else(room: Room) -> None:
    room.engine.set_stage("room", [Speaker("ada", 7, False), Speaker("eve", 8, True)])
    started = time.monotonic()
    await room.speak("ada", 620)
    await room.speak("eve", 930)
    [ear] = await room.listen("bob")
    await ear.hear(2.0)

    [talk] = room.engine.take_talk()

    assert (talk.room, talk.talking, talk.talked_ms.keys()) == ("room", ["ada"], {"ada"})
    assert 1_800 <= talk.talked_ms["ada"] <= 1_000 * (time.monotonic() - started)
    room.engine.set_stage("room", [Speaker("eve", 8, True)])
    [stopped] = room.engine.take_talk()
    assert stopped.talking == []
    assert room.engine.take_talk() == []
