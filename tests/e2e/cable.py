"""A cable between one browser and the server that can be pulled out, or changed for another: HTTP, WebSocket and sound go through it.

TCP is relayed from a port of its own. Sound would go straight to the server's UDP port, so the candidates in the SDP that the page gets
are rewritten to the cable's UDP port; the server then knows the browser by the cable's address, as behind any NAT.
"""

import asyncio
import contextlib
import re
from typing import Any, Self, cast

from playwright.async_api import BrowserContext, Route

Address = tuple[str, int]


class Cable:
    def __init__(self, http_port: int, media_port: int) -> None:
        """The server's own ports, on loopback."""
        self._http_port = http_port
        self._media_port = media_port
        self._is_plugged = True
        self._tcp: set[asyncio.StreamWriter] = set()
        self._udp: _Sound | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay_connection, "127.0.0.1", 0)
        _, self._udp = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Sound(("127.0.0.1", self._media_port)), local_addr=("127.0.0.1", 0)
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.unplug()
        self._server.close()
        if self._udp:
            self._udp.close()

    @property
    def origin(self) -> str:
        return f"http://localhost:{self._server.sockets[0].getsockname()[1]}"

    async def lay(self, context: BrowserContext) -> None:
        """Rewrite the candidates in all signalling of `context`, whose pages must be opened at `origin`."""
        await context.route(re.compile(r"/api/v1/(rooms/[a-z2-7]+/(listen|speak)|media/)"), self._rewrite)

    def unplug(self) -> None:
        """Connections break, new ones are refused, packets vanish."""
        self._is_plugged = False
        for writer in list(self._tcp):
            writer.transport.abort()
        if self._udp:
            self._udp.is_plugged = False

    def change_network(self) -> None:
        """As from Wi-Fi to mobile: what is open is dead, without a word, and what is opened from now on works."""
        for writer in list(self._tcp):
            writer.transport.abort()
        if self._udp:
            self._udp.forsake_present_sockets()

    def plug(self) -> None:
        self._is_plugged = True
        if self._udp:
            self._udp.is_plugged = True

    async def _rewrite(self, route: Route) -> None:
        if not self._is_plugged:
            await route.abort("internetdisconnected")
            return
        answer = await route.fetch()
        body = (await answer.text()).replace(f" {self._media_port} typ host", f" {self._udp_port} typ host")
        await route.fulfill(response=answer, body=body)

    @property
    def _udp_port(self) -> int:
        assert self._udp is not None
        return self._udp.port

    async def _relay_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_plugged:
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._http_port)
        except OSError:
            writer.transport.abort()
            return
        self._tcp |= {writer, upstream_writer}
        try:
            await asyncio.gather(_pump(reader, upstream_writer), _pump(upstream_reader, writer))
        finally:
            self._tcp -= {writer, upstream_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.transport.abort() if reader.exception() else writer.close()


class _Sound(asyncio.DatagramProtocol):
    """Relays datagrams; each of the browser's sockets gets one of its own towards the server, as behind a NAT."""

    def __init__(self, upstream: Address) -> None:
        self.is_plugged = True
        self._upstream = upstream
        self._towards_server: dict[Address, asyncio.Task[_Return]] = {}
        self._forsaken: set[Address] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.is_plugged or addr in self._forsaken:
            return
        if addr not in self._towards_server:
            self._towards_server[addr] = asyncio.get_running_loop().create_task(self._open(addr))
        opening = self._towards_server[addr]
        if opening.done():
            opening.result().send(data)
        else:
            opening.add_done_callback(lambda done: done.result().send(data))

    def forsake_present_sockets(self) -> None:
        """Nothing passes any more, in either direction, for the browser's sockets that there are now."""
        self._forsaken |= self._towards_server.keys()

    def give_back(self, data: bytes, addr: Address) -> None:
        if self.is_plugged and addr not in self._forsaken:
            self._transport.sendto(data, addr)

    def close(self) -> None:
        for opening in self._towards_server.values():
            if opening.done():
                opening.result().close()
        self._transport.close()

    async def _open(self, addr: Address) -> "_Return":
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Return(self, addr), remote_addr=self._upstream)
        return protocol


class _Return(asyncio.DatagramProtocol):
    def __init__(self, sound: _Sound, addr: Address) -> None:
        self._sound = sound
        self._addr = addr

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._sound.give_back(data, self._addr)

    def error_received(self, exc: Exception) -> None:
        """The server is down: the packet is lost, as on a network."""

    def send(self, data: bytes) -> None:
        self._transport.sendto(data)

    def close(self) -> None:
        self._transport.close()
