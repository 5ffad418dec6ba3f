"""Datagrams of bad will, and sending many of them evenly from a process of its own."""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import BinaryIO


async def flooding(out: socket.socket, port: int, packets: list[bytes], secs: float) -> tuple[float, float]:
    """Send all packets to a port of this machine, evenly. When that began and ended, monotonic."""
    async with framed(packets) as ready:
        return await flood(out, port, ready, secs)


@asynccontextmanager
async def framed(packets: list[bytes]) -> AsyncIterator[BinaryIO]:
    """Written apart from the event loop: hundreds of megabytes would hold up who speaks and listens there until the engine lets them go."""
    with TemporaryFile() as file:
        for first in range(0, len(packets), 1_000):
            some = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets[first : first + 1_000])
            await asyncio.to_thread(file.write, some)
        await asyncio.to_thread(file.seek, 0)
        yield file


async def flood(out: socket.socket, port: int, framed: BinaryIO, secs: float) -> tuple[float, float]:
    """When it began and ended, monotonic."""
    # A duplicate without the event loop's tricks; both are one socket, so the source is the peer's own.
    descriptor = os.dup(out.fileno())
    os.set_inheritable(descriptor, True)
    arguments = [sys.executable, "-m", "bench.hostile.flood", str(descriptor), str(port), str(secs)]
    process = await asyncio.create_subprocess_exec(*arguments, stdin=framed, stdout=asyncio.subprocess.PIPE, pass_fds=(descriptor,))
    printed, _ = await process.communicate()
    os.close(descriptor)
    began, ended = map(float, printed.split())
    return began, ended


def stranger() -> socket.socket:
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("127.0.0.1", 0))
    out.setblocking(False)
    return out


def received(out: socket.socket, *, count_bytes: bool = False) -> int:
    total = 0
    while True:
        try:
            answer = out.recv(2_048)
            total += len(answer) if count_bytes else 1
        except BlockingIOError:
            return total


def rtp(number: int, ssrc: int, payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, number & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc) + payload


def binding_request(number: int) -> bytes:
    username = b"\x00\x06\x00\x0dabcdefgh:peer\x00\x00\x00"
    body = username + b"\x00\x24\x00\x04" + bytes(4) + b"\x00\x08\x00\x14" + bytes(20)
    return struct.pack("!HHI", 1, len(body), 0x2112A442) + number.to_bytes(12, "big") + body


def client_hello(number: int) -> bytes:
    """DTLS 1.2; every other one has the null cipher alone, the others one that is good as well."""
    suites = b"\x00\x00" if number % 2 else b"\x00\x00\xc0\x2b"
    body = b"\xfe\xfd" + number.to_bytes(32, "big") + b"\x00\x00" + len(suites).to_bytes(2, "big") + suites + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3, "big") + b"\x00\x00" + b"\x00\x00\x00" + len(body).to_bytes(3, "big") + body
    return b"\x16\xfe\xfd" + bytes(8) + len(message).to_bytes(2, "big") + message
