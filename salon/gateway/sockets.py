"""`/ws`: real sockets around the protocol of `connection.py`."""

import asyncio
import contextlib
import logging
import time
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from salon.config.environment import Environment
from salon.gateway import limits
from salon.gateway.client import Client
from salon.gateway.close_codes import CloseCode
from salon.gateway.connection import Connection, MessageInvalid, Refused
from salon.gateway.gateway import Gateway
from salon.gateway.messages import Message
from salon.gateway.messages.hello import Hello
from salon.gateway.messages.ping import Ping
from salon.gateway.refusals import refusal

logger = logging.getLogger(__name__)

SUBPROTOCOL = "salon.v1"
SWEEP_INTERVAL_SECS = 1.0
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class ProtocolSocket(web.WebSocketResponse):
    """aiohttp's WebSocket with our close code for a frame that is too long for memory to be spent on."""

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        if code == WSCloseCode.MESSAGE_TOO_BIG:
            code = CloseCode.TOO_LARGE
        return await super().close(code=code, message=message, drain=drain)


class SocketOutlet:
    """Writes prepared frames past aiohttp's writer, straight to the transport: half the cost, and it never waits."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._socket = socket
        self._transport = transport
        self._goodbye: asyncio.Task[None] | None = None

    def write(self, frame: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(frame)

    def unsent_bytes(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self, code: CloseCode) -> None:
        # A peer that does not read would keep what waits for it, and the socket, for ever.
        asyncio.get_running_loop().call_later(limits.CUT_GRACE_SECS, self._transport.abort)
        self._goodbye = asyncio.create_task(self._say_goodbye(code), name="goodbye")

    async def finish(self) -> None:
        """Until the goodbye, if there is one, is said."""
        if self._goodbye is not None:
            await self._goodbye

    async def _say_goodbye(self, code: CloseCode) -> None:
        # Without draining: the transport keeps the close frame behind what waits, and goes when all is read or the grace is over.
        with contextlib.suppress(ConnectionError):
            await self._socket.close(code=code, message=code.name.lower().encode(), drain=False)


class Sockets:
    """Accepts WebSockets and runs each until one side ends it."""

    def __init__(self, gateway: Gateway, *, most: int) -> None:
        self._gateway = gateway
        self._most = most
        self._open: dict[Client, Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        if not origin_is_ours(request.headers.get("Origin"), self._gateway.settings):
            return web.json_response(refusal("not_found"), status=403)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.json_response(refusal("invalid", field="Upgrade"), status=400)
        if self._gateway.is_stopping or len(self._open) >= self._most:
            return web.json_response(refusal("starting"), status=503, headers={"Retry-After": "5"})
        # Compression would cost memory and time for each socket instead of each event. aiohttp itself ends a frame of twice the
        # limit before it is in memory; between the two, the protocol does.
        socket = ProtocolSocket(
            protocols=(SUBPROTOCOL,), compress=False, max_msg_size=2 * limits.FRAME_BYTES, timeout=limits.CUT_GRACE_SECS
        )
        await socket.prepare(request)
        assert request.transport is not None  # noqa: S101  (prepare has just written to it)
        await self._run(socket, request.transport)
        return socket

    async def _run(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        outlet = SocketOutlet(socket, transport)
        client = Client(outlet)
        connection = Connection(now=time.monotonic())
        inbox: asyncio.Queue[Message] = asyncio.Queue(limits.INBOX_MESSAGES)
        self._open[client] = connection
        answering = asyncio.create_task(self._answer(inbox, client), name="socket inbox")
        try:
            await self._read(socket, client, connection, inbox)
        finally:
            client.is_open = False
            answering.cancel()
            del self._open[client]
            self._gateway.people.remove(client.identity, client)
            self._gateway.streams.leave(client)
            await outlet.finish()

    async def _read(self, socket: web.WebSocketResponse, client: Client, connection: Connection, inbox: asyncio.Queue[Message]) -> None:
        """Judge every frame the moment it comes; what takes time waits in the inbox, in order."""
        async for raw in socket:
            if not client.is_open:
                continue  # being closed: what it had already sent is not looked at
            try:
                if raw.type is WSMsgType.BINARY:
                    connection.receive_binary()
                if raw.type is not WSMsgType.TEXT:
                    break
                message = connection.receive_text(raw.data, now=time.monotonic())
                if isinstance(message, Hello):
                    await message.handle(client, self._gateway)
                    connection.greeted(now=time.monotonic())
                elif isinstance(message, Ping):
                    await message.handle(client, self._gateway)
                else:
                    inbox.put_nowait(message)
            except MessageInvalid as invalid:
                client.refuse(invalid.reply_to, "invalid", invalid.field)
            except Refused as refused:
                client.close(refused.code)
            except asyncio.QueueFull:
                client.close(CloseCode.TOO_MANY_MESSAGES)

    async def _answer(self, inbox: asyncio.Queue[Message], client: Client) -> None:
        while True:
            message = await inbox.get()
            try:
                await message.handle(client, self._gateway)
            except Exception:
                extra = {"action": "socket_message_failed", "kind": type(message).__name__}
                logger.exception("A message could not be handled.", extra=extra)
                client.refuse(message.id, "starting")

    async def sweep(self) -> None:
        """For ever: end the sockets that have been silent too long. One timer for all is cheaper than one for each."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_SECS)
            now = time.monotonic()
            for client, connection in list(self._open.items()):
                try:
                    connection.check_deadline(now=now)
                except Refused as refused:
                    client.close(refused.code)


def origin_is_ours(origin: str | None, settings: Environment) -> bool:
    """Browsers always name the page's origin; scripts need not, and bring nothing that a browser would add by itself."""
    if origin is None or origin == settings.public_url:
        return True
    return settings.is_development and urlsplit(origin).hostname in _LOCAL_HOSTS
