"""A machine with several addresses: whoever asked one of them is answered, and hears, from that one."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from aioice.ice import StunProtocol

from salon.relay._engine import Engine, Speaker
from salon.relay.book import new_memory
from tests.relay.engine_peers import HEARD_RMS, Ear, loudest_hz, rms, room_of, start_engine

PORT = 18753
ADDRESSES = ["198.18.0.1", "198.18.0.2", "fd00::1", "fd00::2"]
PEERS = {4: "127.0.0.1", 6: "::1"}
"""What is sent there leaves from there, unless somebody says otherwise: then aiortc refuses the answer to its check."""
EVERYWHERE = {4: "0.0.0.0", 6: "::"}  # noqa: S104
_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of unshare(2) and setns(2)."""


@pytest.fixture
def heard_from(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Any]]:
    """This thread, and what it starts, has a network of its own, with ADDRESSES. Addresses and ports from which anything came to peers."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    heard_from: set[Any] = set()
    take = StunProtocol.datagram_received

    def note(self: StunProtocol, data: Any, addr: Any) -> None:
        heard_from.add(addr[:2])
        take(self, data, addr)

    monkeypatch.setattr(StunProtocol, "datagram_received", note)
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        assert libc.unshare(_NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        for address in ADDRESSES:
            subprocess.run(["ip", "addr", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield heard_from
    finally:
        assert libc.setns(before, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        os.close(before)


async def hears_ada(ear: Ear) -> None:
    await ear.hear(0.3)
    heard = await ear.hear(0.7)
    assert rms(heard) > HEARD_RMS
    assert loudest_hz(heard) == pytest.approx(620, abs=3)


def engine_at(address: str, bind: str, book: int) -> Engine:
    engine = start_engine(PORT, addresses=[address], bind=bind, book=book)
    engine.set_stage("room", [Speaker("ada", 7, False)])
    return engine


@pytest.mark.parametrize(
    ("address", "family", "bound"),
    [("198.18.0.1", 4, 4), ("198.18.0.2", 4, 4), ("198.18.0.2", 4, 6), ("fd00::2", 6, 6)],
    ids=["the first", "the second", "IPv4 of both families", "IPv6"],
)
async def test_sound_comes_from_the_address_that_was_asked_in_the_next_process_too(
    *, heard_from: set[Any], monkeypatch: pytest.MonkeyPatch, address: str, family: int, bound: int
) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: [PEERS[family]])
    book = new_memory()
    async with room_of(engine_at(address, EVERYWHERE[bound], book)) as room:
        await room.speak("ada", 620)
        [ear] = await room.listen("bob")
        await hears_ada(ear)

        room.engine.leave()
        room.engine = engine_at(address, EVERYWHERE[bound], book)
        room.engine.release()
        await hears_ada(ear)
        assert heard_from == {(address, PORT)}
    room.engine.close()
    os.close(book)
