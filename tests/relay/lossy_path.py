"""A path that loses sound: a proxy in front of the engine's port."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Address = tuple[str, int]


class LossyPath(asyncio.DatagramProtocol):
    """Hands datagrams on in both directions, less a share of RTP and RTCP; checks and handshakes all come through.

    Each peer has a socket of its own behind the proxy, so that the engine tells them apart by address.
    """

    def __init__(self, port: int, engine_port: int, loss: float) -> None:
        self.port, self.loss = port, loss
        self._engine: Address = ("127.0.0.1", engine_port)
        self._random = random.Random(port)
        self._front: asyncio.DatagramTransport | None = None
        self._behind: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}

    def through(self, answer: str) -> str:
        """An answer whose candidates lead through here; those of other kinds than UDP are taken out."""
        lines = [line for line in answer.split("\r\n") if not re.match(r"a=candidate:\S+ \d+ tcp", line, re.IGNORECASE)]
        return "\r\n".join(lines).replace(f" {self._engine[1]} ", f" {self.port} ")

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._front = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self._loses(data):
            return
        if addr not in self._behind:
            self._behind[addr] = asyncio.ensure_future(self._open(addr))
        self._behind[addr].add_done_callback(lambda behind: behind.cancelled() or behind.result().sendto(data))

    async def _open(self, peer: Address) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Back(self, peer), remote_addr=self._engine)
        return transport

    def hand_back(self, data: bytes, peer: Address) -> None:
        if self._front is not None and not self._loses(data):
            self._front.sendto(data, peer)

    def _loses(self, data: bytes) -> bool:
        is_sound = 128 <= data[0] <= 191  # RFC 7983
        return is_sound and self._random.random() < self.loss

    def close(self) -> None:
        if self._front is not None:
            self._front.close()
        for behind in self._behind.values():
            if behind.done() and not behind.cancelled():
                behind.result().close()


class _Back(asyncio.DatagramProtocol):
    def __init__(self, path: LossyPath, peer: Address) -> None:
        self._path, self._peer = path, peer

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._path.hand_back(data, self._peer)


@asynccontextmanager
async def lossy_path(port: int, engine_port: int, loss: float) -> AsyncIterator[LossyPath]:
    path = LossyPath(port, engine_port, loss)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: path, local_addr=("127.0.0.1", port))
    try:
        yield path
    finally:
        path.close()
