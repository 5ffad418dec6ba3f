import asyncio
from typing import Any

import pytest

from salon.bus import Bus, BusUnavailable, Message, MessagesLost, Subscription
from tests.bus.conftest import BusServer

SECS = 10


async def take(subscription: Subscription) -> Message | MessagesLost:
    async with asyncio.timeout(SECS):
        return await anext(subscription)


async def take_message(subscription: Subscription) -> tuple[str, Any]:
    message = await take(subscription)
    assert isinstance(message, Message)
    return message.subject, message.parsed()


async def publish_when_back(bus: Bus, subject: str, message: dict[str, object]) -> None:
    async with asyncio.timeout(SECS):
        while True:
            try:
                return await bus.publish(subject, message)
            except BusUnavailable:
                await asyncio.sleep(0.01)


async def test_message_reaches_the_subject_of_another_process(bus: Bus, other_bus: Bus) -> None:
    subscription = await other_bus.subscribe("roster")

    await bus.publish("roster", {"node": 'é\n"x"'})

    assert await take_message(subscription) == ("roster", {"node": 'é\n"x"'})


async def test_messages_of_one_publisher_keep_their_order(bus: Bus, other_bus: Bus) -> None:
    subscription = await other_bus.subscribe("stream.>")

    for seq in range(200):
        await bus.publish(f"stream.room/{seq % 3}", {"seq": seq})

    assert [(await take_message(subscription))[1]["seq"] for _ in range(200)] == list(range(200))


async def test_many_at_once_keep_their_order_long_ones_among_them(bus: Bus, other_bus: Bus) -> None:
    subscription = await other_bus.subscribe("talk.>")

    await bus.publish_all([(f"talk.{n}", {"n": n, "text": "x" * (9_000 if n % 50 == 7 else 9)}) for n in range(120)])
    await bus.publish_all([])
    await bus.publish("talk.last", {"n": 120})

    taken = [await take_message(subscription) for _ in range(121)]
    assert [(subject, body["n"]) for subject, body in taken] == [*((f"talk.{n}", n) for n in range(120)), ("talk.last", 120)]
    assert [len(body["text"]) for _, body in taken[:120]] == [9_000 if n % 50 == 7 else 9 for n in range(120)]


async def test_prefix_takes_what_lies_below_and_nothing_else(bus: Bus, other_bus: Bus) -> None:
    subscription = await other_bus.subscribe("stream.>")

    for subject in ("streams.x", "stream", "policy.x", "stream.room/x", "stream.hallway"):
        await bus.publish(subject, {"of": subject})

    assert await take_message(subscription) == ("stream.room/x", {"of": "stream.room/x"})
    assert await take_message(subscription) == ("stream.hallway", {"of": "stream.hallway"})


async def test_exact_subject_is_no_prefix(bus: Bus, other_bus: Bus) -> None:
    subscription = await other_bus.subscribe("policy.a")

    await bus.publish("policy.ab", {"version": 1})
    await bus.publish("policy.a", {"version": 2})

    assert await take_message(subscription) == ("policy.a", {"version": 2})


@pytest.mark.parametrize("length", [7_400, 7_600, 200_000])
async def test_message_of_any_length_arrives_whole(bus: Bus, other_bus: Bus, length: int) -> None:
    subscription = await other_bus.subscribe("stream.hallway")

    await bus.publish("stream.hallway", {"text": "é" * (length // 2)})
    await bus.publish("stream.hallway", {"text": "after"})

    assert await take_message(subscription) == ("stream.hallway", {"text": "é" * (length // 2)})
    assert await take_message(subscription) == ("stream.hallway", {"text": "after"})


async def test_reconnection_reports_that_messages_may_be_lost(bus: Bus, other_bus: Bus, bus_server: BusServer) -> None:
    subscription = await other_bus.subscribe("truth.>")
    await bus.publish("truth.a", {"n": 1})
    assert await take_message(subscription) == ("truth.a", {"n": 1})

    await bus_server.interrupt()

    assert await take(subscription) == MessagesLost()
    await publish_when_back(bus, "truth.a", {"n": 2})
    assert await take_message(subscription) == ("truth.a", {"n": 2})


async def test_closed_subscription_ends_its_reader_and_no_other(bus: Bus, other_bus: Bus) -> None:
    closed, kept = await other_bus.subscribe("roster"), await other_bus.subscribe("roster")

    await closed.close()
    await bus.publish("roster", {"n": 1})

    assert await take_message(kept) == ("roster", {"n": 1})
    with pytest.raises(StopAsyncIteration):
        await take(closed)


async def test_closing_the_bus_ends_its_readers(bus_server: BusServer) -> None:
    bus = await bus_server.open()
    subscription = await bus.subscribe("roster")

    await bus.close()

    with pytest.raises(StopAsyncIteration):
        await take(subscription)
