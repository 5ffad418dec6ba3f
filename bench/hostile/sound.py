"""Hostile packets against a running engine: what they cost it, and that sound goes on."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from bench.figures import Figure
from bench.hostile.packets import binding_request, client_hello, flood, flooding, framed, received, rtp, stranger
from bench.hostile.peers import Engine, Peer
from bench.processes import cpu_secs
from bench.programs import BenchFailed, progress

ADA, EVE = 7, 8
_WINDOW_SECS = 4.0
_NOMINAL = 50
_BURST_SECS = 1.0
_IMPOSTORS = 5
_IMPOSTOR_SECS = 4.0


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
    forged = [rtp(number, 0x5EED, bytes(50)) for number in range(count)]
    with stranger() as outside:
        for name, out, packets in (
            ("outside", outside, forged),
            ("inside", ada.socket, forged),
            ("streams", ada.socket, [rtp(number, number, bytes(50)) for number in range(65_536)]),
        ):
            async for figure in _attack(engine, bob, name, out, packets, quiet=quiet):
                yield figure
        yield Figure("hostile.outsiders_answers", "datagrams", "lower", (received(outside),))
    # Built apart from the event loop, in which the other speaker talks and the listener hears.
    count = int(50_000 * _WINDOW_SECS)
    flood = await asyncio.to_thread(lambda: [eve.protect(rtp(number, 0xE4E, bytes(1_200))) for number in range(count)])
    async for figure in _attack(engine, bob, "valid", eve.socket, flood, quiet=quiet):
        yield figure
    yield await _impostors(engine)
    for figure in await _reflection(engine):
        yield figure


async def _attack(engine: Engine, bob: Peer, name: str, out: socket.socket, packets: list[bytes], *, quiet: float) -> AsyncIterator[Figure]:
    overflowed = {port: _overflowed(port) for port in (engine.port, bob.socket.getsockname()[1])}
    async with framed(packets) as ready:
        cpu = cpu_secs(engine.process.pid)
        began, ended = await flood(out, engine.port, ready, _WINDOW_SECS)
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


async def _share_of_core(engine: Engine, work: Awaitable[None]) -> float:
    """Processor time of the engine's process while something is done, over the time that takes."""
    began, before = time.monotonic(), cpu_secs(engine.process.pid)
    await work
    return (cpu_secs(engine.process.pid) - before) / (time.monotonic() - began)


async def _impostors(engine: Engine) -> Figure:
    """Who shows another certificate than was announced, while ClientHellos come: their sessions end."""
    packets = [client_hello(number) for number in range(int(1_000 * _IMPOSTOR_SECS))]
    impostors = [f"impostor-{number}" for number in range(_IMPOSTORS)]
    with stranger() as out:
        hellos = asyncio.create_task(flooding(out, engine.port, packets, _IMPOSTOR_SECS))
        for person in impostors:
            await engine.try_to_join(person)
        await hellos
    ended = await engine.ended()
    progress(f"sessions of impostors ended: {[ended.get(person) for person in impostors]}")
    return Figure("hostile.impostors_not_ended", "sessions", "lower", (sum(ended.get(person) != "peer_closed" for person in impostors),))


async def _reflection(engine: Engine) -> list[Figure]:
    """What comes back over what was sent, for each kind of input from an address that proved nothing."""
    kinds = {
        "stun": [binding_request(number) for number in range(1_000)],
        "dtls": [client_hello(number) for number in range(1_000)],
        "rtp": [rtp(number, 1, bytes(100)) for number in range(1_000)],
        "rtcp": [bytes([0x80, 201, 0, 7]) + bytes(40)] * 1_000,
    }
    figures = []
    for kind, packets in kinds.items():
        with stranger() as out:
            await flooding(out, engine.port, packets, 1.0)
            await asyncio.sleep(0.2)
            came = received(out, count_bytes=True)
        figures.append(Figure(f"hostile.{kind}_amplification", "ratio", "lower", (came / sum(map(len, packets)),)))
    return figures
