"""Fan-out to more sockets than one slice, seen from inside: what each got, in which order."""

import asyncio
from typing import Any

import pytest

from salon.gateway.client import Client
from salon.gateway.close_codes import CloseCode
from salon.gateway.fanout import SLICE, fan_out
from salon.gateway.frames import json_bytes
from salon.gateway.identity import Identity
from salon.gateway.streams import Streams
from tests.gateway.test_slow_reader import FakeOutlet

STREAM = "room/aaaaaaaaaaaaaaaaaaaaaaaaaa"


class KnowingWeb:
    """Answers every snapshot with the number it is told."""

    def __init__(self) -> None:
        self.seq = 0

    async def snapshot(self, stream: str, identity: Identity, after: int | None) -> dict[str, Any]:
        return {"seq": self.seq, "state": {}}


def event(seq: int) -> bytes:
    return json_bytes({"type": "event", "stream": STREAM, "seq": seq, "kind": "k", "data": {}, "at": ""})


@pytest.fixture
def web() -> KnowingWeb:
    return KnowingWeb()


@pytest.fixture
async def streams(web: KnowingWeb) -> Any:
    streams = Streams(web)  # type: ignore[arg-type]
    yield streams
    await streams.close()


async def watcher(streams: Streams) -> FakeOutlet:
    outlet = FakeOutlet()
    await streams.watch(Client(outlet), STREAM, reply_to=1, after=None)
    outlet.frames.clear()
    return outlet


def frames(*seqs: int) -> list[bytes]:
    return [b"\x81" + bytes((len(event(seq)),)) + event(seq) for seq in seqs]


async def test_events_from_two_sides_reach_everybody_in_order(streams: Streams) -> None:
    """A repaired gap is being written, two events long, when the bus brings the next one."""
    outlets = [await watcher(streams) for _ in range(3 * SLICE)]
    await streams.deliver(STREAM, event(2))

    await asyncio.gather(streams.deliver(STREAM, event(1)), streams.deliver(STREAM, event(3)))

    assert [outlet.frames for outlet in outlets] == [frames(1, 2, 3)] * len(outlets)


async def test_who_comes_in_the_middle_of_a_fan_out_gets_every_event_once(streams: Streams, web: KnowingWeb) -> None:
    for _ in range(3 * SLICE):
        await watcher(streams)
    writing = asyncio.create_task(streams.deliver(STREAM, event(1)))
    await asyncio.sleep(0)  # the first slice is written
    behind, ahead = FakeOutlet(), FakeOutlet()
    await streams.watch(Client(behind), STREAM, reply_to=1, after=None)
    web.seq = 1
    await streams.watch(Client(ahead), STREAM, reply_to=1, after=None)
    await writing
    await streams.deliver(STREAM, event(2))

    assert behind.frames[1:] == frames(1, 2)
    assert ahead.frames[1:] == frames(2)


async def test_loop_has_its_turn_between_slices() -> None:
    clients = [Client(FakeOutlet()) for _ in range(2 * SLICE + 1)]
    order: list[str] = []

    async def something_else() -> None:
        for _ in range(3):
            order.append("else")
            await asyncio.sleep(0)

    other = asyncio.create_task(something_else())
    await fan_out(clients, lambda client: order.append("write"))
    await other

    assert order == ["write"] * SLICE + ["else"] + ["write"] * SLICE + ["else"] + ["write", "else"]


async def test_socket_that_closed_meanwhile_is_passed_over(streams: Streams) -> None:
    stays, goes = await watcher(streams), FakeOutlet()
    client = Client(goes)
    await streams.watch(client, STREAM, reply_to=1, after=None)
    goes.frames.clear()

    client.close(CloseCode.STOPPING)
    streams.leave(client)
    await streams.deliver(STREAM, event(1))

    assert (stays.frames, goes.frames) == (frames(1), [])
