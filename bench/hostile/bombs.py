"""Requests made to be expensive: refused, at what cost in processor time and memory of all of Salon's processes."""

import asyncio
import json
import socket
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlsplit

import aiohttp

from bench.figures import Figure
from bench.installation import Installation
from bench.processes import ProcessGone, cpu_secs, resident_kib
from bench.programs import BenchFailed, progress

_SDP = "application/sdp"
_SLOW = 50
_BLASTS = 3
"""Of each kind: processor time is counted in steps of 10 ms, and what the processes do anyway is not the same every second."""
_KEYS_OF_A_BODY = 20_000
"""That fit into what is read of a body, 256 KiB."""


def bomb_figures(salon: Installation, token: str) -> Iterator[Figure]:
    """token: of somebody who sends them. Raises BenchFailed when a bomb was not refused."""
    bombs: dict[str, Callable[[aiohttp.ClientSession], Awaitable[int]]] = {
        "sdp_10mb": lambda http: _post(http, "v=0\r\n" + "a=x\r\n" * 2_000_000),
        "sdp_10k_sections": lambda http: _post(http, "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 10_000),
        "sdp_10k_candidates": lambda http: _post(http, "v=0\r\n" + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 10_000),
        "json_depth_100k": lambda http: _post(http, "[" * 100_000, "application/json"),
        "json_1m_keys": lambda http: _post(http, _keys(1_000_000), "application/json"),
        "json_full_body": lambda http: _post(http, _keys(_KEYS_OF_A_BODY), "application/json"),
        "compressed_1_to_1000": lambda http: _post(http, zlib.compress(bytes(10_000_000)), "application/json", encoding="deflate"),
        "frame_64mb": _frame,
    }
    for name, bomb in bombs.items():
        costs = [asyncio.run(_measured(salon, token, bomb)) for _ in range(_BLASTS)]
        for cpu_ms, grown_mb, status in costs:
            progress(f"{name}: {status}, {cpu_ms:.0f} ms of processor time, {grown_mb:.1f} MB more memory")
            if status not in (400, 404, 413, 415, 422, 1009):
                raise BenchFailed(f"{name} was answered {status}")
        yield Figure(f"hostile.{name}_cpu_ms", "ms", "lower", tuple(cpu_ms for cpu_ms, _, _ in costs))
        yield Figure(f"hostile.{name}_memory_mb", "MB", "lower", tuple(max(grown_mb, 0.0) for _, grown_mb, _ in costs))
    yield Figure("hostile.slow_headers_others_ms", "ms", "lower", (_slow_headers(salon),))


async def _measured(salon: Installation, token: str, bomb: Callable[[aiohttp.ClientSession], Awaitable[int]]) -> tuple[float, float, int]:
    """(processor ms, MB more, status or close code) of one bomb, less what the processes do anyway in that time."""
    async with aiohttp.ClientSession(salon.base, headers={"Authorization": f"Bearer {token}"}) as http:
        await (await http.get("/healthz")).read()
        idle, _ = await _cost(salon, asyncio.sleep(1))
        cpu, grown = 0.0, 0.0
        status = 0

        async def once() -> None:
            nonlocal status
            began = time.monotonic()
            status = await bomb(http)
            await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))

        cpu, grown = await _cost(salon, once())
        return max(cpu - idle, 0.0) * 1000, grown, status


async def _cost(salon: Installation, work: Awaitable[None]) -> tuple[float, float]:
    before_cpu, before_kib = _spent(salon)
    await work
    after_cpu, after_kib = _spent(salon)
    return after_cpu - before_cpu, (after_kib - before_kib) / 1024


def _spent(salon: Installation) -> tuple[float, int]:
    cpu, memory = 0.0, 0
    for pid in salon.pids():
        try:
            cpu, memory = cpu + cpu_secs(pid), memory + resident_kib(pid)
        except ProcessGone:
            continue
    return cpu, memory


async def _post(http: aiohttp.ClientSession, body: str | bytes, content_type: str = _SDP, *, encoding: str | None = None) -> int:
    headers = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
    path = "/api/v1/rooms/0123456789abcdefghijkl/listen" if content_type == _SDP else "/api/v1/rooms"
    try:
        async with http.post(path, data=body, headers=headers) as response:
            await response.read()
            return response.status
    except aiohttp.ClientConnectionError:
        return 413  # closed while we still sent: refused by its length


def _keys(count: int) -> str:
    return "{" + ",".join(f'"k{number}":0' for number in range(count)) + "}"


async def _frame(http: aiohttp.ClientSession) -> int:
    async with http.ws_connect("/ws", protocols=("salon.v1",), max_msg_size=0) as socket_:
        try:
            await socket_.send_str(json.dumps({"text": "x" * 64_000_000}))
            await socket_.receive(timeout=10)
        except (ConnectionError, aiohttp.ClientError):
            return 1009  # cut while we still sent
        return socket_.close_code or 1009


def _slow_headers(salon: Installation) -> float:
    """Connections that send a header a byte at a time: the longest that another's request takes meanwhile, ms."""
    where = urlsplit(salon.base)
    address = (where.hostname or "localhost", where.port or 80)
    slow = [socket.create_connection(address) for _ in range(_SLOW)]
    began = time.monotonic()
    took = []
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    while time.monotonic() - began < 5:
        for connection in slow:
            connection.sendall(b"x")
        at = time.monotonic()
        with socket.create_connection(address) as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while other.recv(4_096):
                pass
        took.append((time.monotonic() - at) * 1000)
        time.sleep(0.2)
    for connection in slow:
        connection.close()
    return max(took)
