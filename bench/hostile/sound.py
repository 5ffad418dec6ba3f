"""Hostile packets against a running engine: what they cost it, and that sound goes on."""

import asyncio
import os
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from bench.figures import Figure
from bench.hostile.peers import Engine, Peer
from bench.processes import cpu_secs
from bench.programs import BenchFailed, progress

ADA, EVE = 7, 8
_WINDOW_SECS = 4.0
_NOMINAL = 50
_BURST_SECS = 1.0
_JOINS = 20


@asynccontextmanager
async def running_engine() -> AsyncIterator[Engine]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.hostile.engine_process", str(port), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    if not await process.stdout.readline():
        raise BenchFailed("the engine did not start")
    try:
        yield Engine(process, port)
    finally:
        process.stdin.close()
        await process.wait()


async def sound_figures() -> list[Figure]:
    """Raises BenchFailed when a peer could not connect at all."""
    async with running_engine() as engine:
        ada = await engine.join("ada", speaks=True, talks=True)
        eve = await engine.join("eve", speaks=True)
        bob = await engine.join("bob")
        bob.watch()
        await asyncio.sleep(2)
        return [figure async for figure in _attacks(engine, ada, eve, bob)]


async def _attacks(engine: Engine, ada: Peer, eve: Peer, bob: Peer) -> AsyncIterator[Figure]:
    quiet = await _share_of_core(engine, asyncio.sleep(_WINDOW_SECS))
    progress(f"without an attack: {quiet:.3f} of a core")
    count = int(10_000 * _WINDOW_SECS)
    forged = [_rtp(number, 0x5EED, bytes(50)) for number in range(count)]
    with _stranger() as stranger:
        for name, out, packets in (
            ("outside", stranger, forged),
            ("inside", ada.socket, forged),
            ("streams", ada.socket, [_rtp(number, number, bytes(50)) for number in range(65_536)]),
        ):
            async for figure in _attack(engine, bob, name, out, packets, quiet=quiet):
                yield figure
        yield Figure("hostile.outsiders_answers", "datagrams", "lower", (_received(stranger),))
    # Built apart from the event loop, in which the other speaker talks and the listener hears.
    count = int(50_000 * _WINDOW_SECS)
    flood = await asyncio.to_thread(lambda: [eve.protect(_rtp(number, 0xE4E, bytes(1_200))) for number in range(count)])
    async for figure in _attack(engine, bob, "valid", eve.socket, flood, quiet=quiet):
        yield figure
    for figure in await _race(engine):
        yield figure
    for figure in await _reflection(engine):
        yield figure


async def _attack(engine: Engine, bob: Peer, name: str, out: socket.socket, packets: list[bytes], *, quiet: float) -> AsyncIterator[Figure]:
    overflowed = {port: _overflowed(port) for port in (engine.port, bob.socket.getsockname()[1])}
    async with _framed(packets) as framed:
        cpu = cpu_secs(engine.process.pid)
        began, ended = await _flood(engine, out, framed)
        share = (cpu_secs(engine.process.pid) - cpu) / (ended - began)
    await asyncio.sleep(0.5)
    heard = bob.packets_of(ADA, began)
    lost = sum(((after[3] - before[3]) & 0xFFFF) - 1 for before, after in pairwise(heard) if before[2] == after[2])
    gap_ms = max(((after[0] - before[0]) * 1000 for before, after in pairwise(heard)), default=_WINDOW_SECS * 1000)
    at_engine, at_listener = (_overflowed(port) - before for port, before in overflowed.items())
    progress(
        f"{name}: {len(packets) / (ended - began):.0f} datagrams/s, {share:.3f} of a core, {len(heard)} packets of the other speaker "
        f"heard, {lost} lost, {gap_ms:.0f} ms at most between two; receive buffers overflowed by "
        f"{at_engine} (engine), {at_listener} (listener)"
    )
    yield Figure(f"hostile.{name}_cpu_added_cores", "cores", "lower", (share - quiet,))
    yield Figure(f"hostile.{name}_others_lost", "packets", "lower", (lost,))
    yield Figure(f"hostile.{name}_others_gap_ms", "ms", "lower", (gap_ms,))
    yield Figure(f"hostile.{name}_overflowed", "datagrams", "lower", (at_engine,))
    if name == "valid":
        # What may come at once after a stall is let through once; what is asked for again counts once.
        settled = began + _BURST_SECS
        forwarded = {(packet[2], packet[3]) for packet in bob.packets_of(EVE, settled) if packet[0] < ended}
        yield Figure("hostile.flood_forwarded_over_nominal", "ratio", "lower", (len(forwarded) / (ended - settled) / _NOMINAL,))


def _overflowed(port: int) -> int:
    """Datagrams that the kernel dropped at the sockets of a port, since their buffers were full."""
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(fields[-1]) for fields in lines if int(fields[1].partition(":")[2], 16) == port)


@asynccontextmanager
async def _framed(packets: list[bytes]) -> AsyncIterator[BinaryIO]:
    """Written apart from the event loop: hundreds of megabytes would hold up who speaks and listens there until the engine lets them go."""
    with TemporaryFile() as framed:
        for first in range(0, len(packets), 1_000):
            some = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets[first : first + 1_000])
            await asyncio.to_thread(framed.write, some)
        await asyncio.to_thread(framed.seek, 0)
        yield framed


async def _flood(engine: Engine, out: socket.socket, framed: BinaryIO) -> tuple[float, float]:
    """When it began and ended, monotonic."""
    # A duplicate without the event loop's tricks; both are one socket, so the source is the peer's own.
    descriptor = os.dup(out.fileno())
    os.set_inheritable(descriptor, True)
    arguments = [sys.executable, "-m", "bench.hostile.flood", str(descriptor), str(engine.port), str(_WINDOW_SECS)]
    process = await asyncio.create_subprocess_exec(*arguments, stdin=framed, stdout=asyncio.subprocess.PIPE, pass_fds=(descriptor,))
    printed, _ = await process.communicate()
    os.close(descriptor)
    began, ended = map(float, printed.split())
    return began, ended


async def _share_of_core(engine: Engine, work: Awaitable[None]) -> float:
    """Processor time of the engine's process while something is done, over the time that takes."""
    began, before = time.monotonic(), cpu_secs(engine.process.pid)
    await work
    return (cpu_secs(engine.process.pid) - before) / (time.monotonic() - began)


async def _race(engine: Engine) -> list[Figure]:
    """ClientHellos from other addresses while people join: each join succeeds, no address that proved nothing gets a byte."""
    failed = 0
    packets = [_client_hello(number) for number in range(int(1_000 * _WINDOW_SECS))]
    async with AsyncExitStack() as stack:
        stranger = stack.enter_context(_stranger())
        framed = await stack.enter_async_context(_framed(packets))
        hellos = asyncio.create_task(_flood(engine, stranger, framed))
        for number in range(_JOINS):
            try:
                peer = await engine.join(f"guest-{number}")
                await peer.connection.close()
            except BenchFailed as error:
                progress(str(error))
                failed += 1
        await hellos
        answers = _received(stranger)
    return [
        Figure("hostile.race_joins_failed", "joins", "lower", (failed,)),
        Figure("hostile.race_dtls_answers", "datagrams", "lower", (answers,)),
    ]


async def _reflection(engine: Engine) -> list[Figure]:
    """What comes back over what was sent, for each kind of input from an address that proved nothing."""
    kinds = {
        "stun": [_binding_request(number) for number in range(1_000)],
        "dtls": [_client_hello(number) for number in range(1_000)],
        "rtp": [_rtp(number, 1, bytes(100)) for number in range(1_000)],
        "rtcp": [bytes([0x80, 201, 0, 7]) + bytes(40)] * 1_000,
    }
    figures = []
    for kind, packets in kinds.items():
        async with AsyncExitStack() as stack:
            stranger = stack.enter_context(_stranger())
            framed = await stack.enter_async_context(_framed(packets))
            await _flood(engine, stranger, framed)
            await asyncio.sleep(0.2)
            came = _received(stranger, count_bytes=True)
        figures.append(Figure(f"hostile.{kind}_amplification", "ratio", "lower", (came / sum(map(len, packets)),)))
    return figures


def _stranger() -> socket.socket:
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("127.0.0.1", 0))
    out.setblocking(False)
    return out


def _received(out: socket.socket, *, count_bytes: bool = False) -> int:
    total = 0
    while True:
        try:
            answer = out.recv(2_048)
            total += len(answer) if count_bytes else 1
        except BlockingIOError:
            return total


def _rtp(number: int, ssrc: int, payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, number & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc) + payload


def _binding_request(number: int) -> bytes:
    username = b"\x00\x06\x00\x0dabcdefgh:peer\x00\x00\x00"
    body = username + b"\x00\x24\x00\x04" + bytes(4) + b"\x00\x08\x00\x14" + bytes(20)
    return struct.pack("!HHI", 1, len(body), 0x2112A442) + number.to_bytes(12, "big") + body


def _client_hello(number: int) -> bytes:
    """DTLS 1.2 with the null cipher and one that is good."""
    body = b"\xfe\xfd" + number.to_bytes(32, "big") + b"\x00\x00" + b"\x00\x04\x00\x00\xc0\x2b" + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3, "big") + b"\x00\x00" + b"\x00\x00\x00" + len(body).to_bytes(3, "big") + body
    return b"\x16\xfe\xfd" + bytes(8) + len(message).to_bytes(2, "big") + message
