"""A Salon client in Python, written from docs/protocol.md alone: HTTP, WHIP, WHEP and events.

aiortc does the WebRTC and aiohttp the rest; nothing of the server is imported. Everything belongs to one running event loop.
"""

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncIterator
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpsender import RTCEncodedFrame, RTCRtpSender

_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=10)
_CONNECT_SECS = 10.0
_LONGEST_RETRY_SECS = 30.0


class Refused(Exception):
    """The server said no, with a code of docs/protocol.md section 8."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code

    @property
    def is_final(self) -> bool:
        """The room or session is gone. Everything else, asked again later, may succeed."""
        return self.status in (404, 410)


class SessionLost(Exception):
    """A sound session did not connect or did not last."""


def backoff_secs(attempt: int, longest: float = _LONGEST_RETRY_SECS) -> float:
    """How long to wait before try number `attempt` (from 1): random, up to 2 s, doubling up to `longest`; section 6."""
    return random.uniform(0.2, min(longest, 2.0 * 2 ** (attempt - 1)))  # noqa: S311  (spreads load, hides nothing)


class Api:
    """One person, or a visitor where `token` is None, at the HTTP API of `origin`."""

    def __init__(self, origin: str, token: str | None = None) -> None:
        self.origin = origin.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = aiohttp.ClientSession(headers=self._headers, timeout=_REQUEST_TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.close()

    async def get(self, path: str) -> Any:
        _, _, body = await self.request("GET", path)
        return json.loads(body)

    async def post(self, path: str, fields: object = None) -> Any:
        _, _, body = await self.request("POST", path, json=fields if fields is not None else {})
        return json.loads(body)

    async def command(self, room: str, name: str, **fields: object) -> int:
        """Do one command in a room; the room stream's number after it."""
        return int((await self.post(f"/api/v1/rooms/{room}/{name}", fields))["seq"])

    async def request(self, method: str, path: str, **options: Any) -> tuple[int, Any, str]:
        """(status, headers, body). Raises Refused for a status from 400 on, aiohttp.ClientError or TimeoutError where nobody answers."""
        async with self._http.request(method, urljoin(self.origin, path), **options) as response:
            body = await response.text()
            if response.status >= 400:
                raise _refusal(response.status, body)
            return response.status, response.headers, body

    async def socket(self) -> aiohttp.ClientWebSocketResponse:
        return await self._http.ws_connect(self.origin + "/ws", protocols=["salon.v1"], max_msg_size=1 << 20)


def _refusal(status: int, body: str) -> Refused:
    try:
        said = json.loads(body)
        return Refused(status, said["code"], said["message"])
    except (ValueError, KeyError, TypeError):
        return Refused(status, "unknown", body[:200])


class SoundSession:
    """What WHIP and WHEP share: one offer, one POST, one peer connection, one Location to delete."""

    def __init__(self, api: Api, room: str, kind: str) -> None:
        self._api = api
        self._path = f"/api/v1/rooms/{room}/{kind}"
        # The library's default asks a public STUN server; the server's answer carries all the candidates there are.
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.location: str | None = None
        self.etag: str | None = None
        self._settled = asyncio.Event()
        self.peer.on("connectionstatechange", self._notice_state)

    async def connect(self) -> None:
        """Raises Refused, SessionLost. On failure nothing is left open."""
        try:
            await self.peer.setLocalDescription(await self.peer.createOffer())
            _, headers, answer = await self._api.request(
                "POST", self._path, data=self.peer.localDescription.sdp, headers={"Content-Type": "application/sdp"}
            )
            self.location, self.etag = headers["Location"], headers.get("ETag")
            await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await asyncio.wait_for(self._settled.wait(), _CONNECT_SECS)
        except TimeoutError as error:
            await self.close()
            raise SessionLost(f"{self._path}: not connected after {_CONNECT_SECS} s") from error
        except BaseException:
            await self.close()
            raise
        if not self.is_connected:
            await self.close()
            raise SessionLost(f"{self._path}: {self.peer.connectionState}")

    @property
    def is_connected(self) -> bool:
        return bool(self.peer.connectionState == "connected")

    async def close(self) -> None:
        """Tell the server if it can be told, and stop. Never raises for a server that is gone."""
        location, self.location = self.location, None
        if location:
            with contextlib.suppress(Refused, aiohttp.ClientError, TimeoutError):
                await self._api.request("DELETE", location)
        await self.peer.close()

    def _notice_state(self) -> None:
        if self.peer.connectionState in ("connected", "failed", "closed"):
            self._settled.set()


class Whep(SoundSession):
    """Listening: enters the room."""

    def __init__(self, api: Api, room: str, *, slots: int = 1) -> None:
        super().__init__(api, room, "listen")
        for _ in range(slots):
            self.peer.addTransceiver("audio", direction="recvonly")

    @property
    def tracks(self) -> list[MediaStreamTrack]:
        """One for each slot, once connected."""
        return [transceiver.receiver.track for transceiver in self.peer.getTransceivers()]

    def stop_hearing(self) -> None:
        """Be in the room without decrypting and decoding what arrives: a listener made of software needs its place, not the sound.

        aiortc has no such switch. Without receiving keys its transport drops encrypted packets before it works on them.
        """
        for transceiver in self.peer.getTransceivers():
            transceiver.receiver.transport._rx_srtp = None  # type: ignore[assignment]


class Whip(SoundSession):
    """Speaking: sends what `track` yields at the pace of its `recv`; encoded packets as they are.

    A track with an attribute `level_dbov` (-127 silent to 0, of the packet last yielded) has it sent along; RFC 6464.
    """

    def __init__(self, api: Api, room: str, track: MediaStreamTrack) -> None:
        super().__init__(api, room, "speak")
        self.peer.addTransceiver(track, direction="sendonly")
        _send_levels(self.peer.getTransceivers()[0].sender)


def _send_levels(sender: RTCRtpSender) -> None:
    """Fill the RFC 6464 extension also for packets that come encoded: aiortc measures only what it encodes itself."""
    pack = sender._next_encoded_frame

    async def with_level(codec: Any) -> RTCEncodedFrame | None:
        frame = await pack(codec)
        if frame is not None and frame.audio_level is None:
            frame.audio_level = getattr(sender.track, "level_dbov", None)
        return frame

    sender._next_encoded_frame = with_level  # type: ignore[method-assign]


class Events:
    """The WebSocket: numbered events of the watched streams, and commands. Use as an async context manager, then iterate."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._arrived: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        ticket = (await self._api.post("/api/v1/realtime/ticket"))["ticket"]
        self._socket = await self._api.socket()
        self._tasks.append(asyncio.create_task(self._read()))
        try:
            welcome = await self.ask("hello", ticket=ticket)
        except BaseException:
            await self.__aexit__()
            raise
        self._tasks.append(asyncio.create_task(self._ping(welcome["heartbeat_secs"] / 2)))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()

    async def watch(self, stream: str, after: int | None = None) -> dict[str, Any]:
        """The answer: a frame `snapshot`, or `resumed` where `after` is still known. Events follow by iteration."""
        return await self.ask("watch", stream=stream, **({} if after is None else {"after": after}))

    async def command(self, room: str, name: str, **data: object) -> int:
        return int((await self.ask("command", room=room, name=name, data=data))["data"]["seq"])

    async def ask(self, kind: str, **fields: object) -> dict[str, Any]:
        """Send a frame and wait for its reply. Raises Refused for an `error`, ConnectionError when the socket closes."""
        number = next(self._ids)
        reply = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_str(json.dumps({"type": kind, "id": number, **fields}))
            frame: dict[str, Any] = await asyncio.wait_for(reply, 10)
        finally:
            del self._waiting[number]
        if frame["type"] == "error":
            raise Refused(0, frame["code"], frame["message"])
        return frame

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Frames that answer nothing: `event` and `presence`. Ends when the socket closes."""
        while (frame := await self._arrived.get()) is not None:
            yield frame

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                frame = json.loads(message.data)
                waiting = self._waiting.get(frame.get("reply_to") or 0)
                if waiting is None:
                    self._arrived.put_nowait(frame)
                elif not waiting.done():
                    waiting.set_result(frame)
        finally:
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(ConnectionError("the socket closed"))
            self._arrived.put_nowait(None)

    async def _ping(self, every_secs: float) -> None:
        while True:
            await asyncio.sleep(every_secs)
            await self.ask("ping")
