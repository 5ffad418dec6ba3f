"""A peer that does not read is cut, and nobody else notices."""

import asyncio
import json
import socket

from salon.common.ids import new_id
from salon.gateway.client import Client
from salon.gateway.close_codes import CloseCode
from salon.gateway.limits import UNSENT_BYTES
from tests.gateway.conftest import Connect, Running, ticket

ROOM = new_id()
STREAM = f"room/{ROOM}"
EVENT_BYTES = 60_000


class FakeOutlet:
    """Takes everything; how much is unsent is what the test says."""

    def __init__(self) -> None:
        self.unsent = 0
        self.frames: list[bytes] = []
        self.code: CloseCode | None = None

    def write(self, frame: bytes) -> None:
        self.frames.append(frame)

    def unsent_bytes(self) -> int:
        return self.unsent

    def close(self, code: CloseCode) -> None:
        self.code = code


def test_peer_that_left_too_much_unread_is_cut() -> None:
    outlet = FakeOutlet()
    client = Client(outlet)
    outlet.unsent = UNSENT_BYTES
    client.send(b"still taken")
    outlet.unsent = UNSENT_BYTES + 1

    client.send(b"one too many")
    client.send(b"nothing any more")

    assert (outlet.frames, outlet.code, client.is_open) == ([b"still taken"], CloseCode.SLOW_READER, False)


def test_one_large_frame_cuts_nobody_who_reads() -> None:
    outlet = FakeOutlet()

    Client(outlet).send(b"x" * (4 * UNSENT_BYTES))

    assert outlet.code is None


async def test_slow_reader_is_cut_and_disturbs_nobody(gateway: Running, connect: Connect) -> None:
    reader, deaf = await connect(new_id()), await deaf_watcher(gateway)
    await reader.ask(type="watch", stream=STREAM)
    padding = "x" * EVENT_BYTES

    # Until the gateway has cut it: more than any kernel's buffers hold. The reader gets every single event meanwhile.
    seq = 0
    while len(gateway.door.gateway.streams.watchers(STREAM)) == 2:
        seq += 1
        await gateway.bus.publish(f"stream.{STREAM}", gateway.web.add_event(STREAM, data={"padding": padding}))
        assert (await reader.hear())["seq"] == seq
        assert seq * EVENT_BYTES < 100 * UNSENT_BYTES

    assert (await reader.ask(type="ping"))["type"] == "pong"
    # When it reads at last, what was on its way comes, and then why it was cut.
    received = await read_to_the_end(deaf)
    assert received.endswith(CloseCode.SLOW_READER.to_bytes(2, "big") + b"slow_reader")
    assert len(received) < seq * EVENT_BYTES + UNSENT_BYTES


async def deaf_watcher(gateway: Running) -> socket.socket:
    """A WebSocket by hand that watches the room and reads no byte of it, with the smallest buffer the kernel gives."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, ("127.0.0.1", gateway.settings.port))
    await loop.sock_sendall(
        deaf,
        b"GET /ws HTTP/1.1\r\nHost: salon.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    )
    await loop.sock_sendall(deaf, masked_text({"type": "hello", "id": 1, "ticket": ticket(gateway.settings, new_id())}))
    await loop.sock_sendall(deaf, masked_text({"type": "watch", "id": 2, "stream": STREAM}))
    async with asyncio.timeout(10):
        while not gateway.door.gateway.streams.watchers(STREAM):  # noqa: ASYNC110  (it reads nothing that could tell)
            await asyncio.sleep(0.01)
    return deaf


def masked_text(message: dict[str, object]) -> bytes:
    """A client's frame (RFC 6455 section 5.3), masked with zeros."""
    payload = json.dumps(message).encode()
    header = bytes((0x81, 0x80 | len(payload))) if len(payload) < 126 else b"\x81\xfe" + len(payload).to_bytes(2, "big")
    return header + bytes(4) + payload


async def read_to_the_end(deaf: socket.socket) -> bytes:
    received = bytearray()
    async with asyncio.timeout(10):
        while chunk := await asyncio.get_running_loop().sock_recv(deaf, 1 << 20):
            received += chunk
    deaf.close()
    return bytes(received)
