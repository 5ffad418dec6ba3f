"""Peers of the engine's that hear, speak, and do worse: aiortc, with its keys and its socket in our hands."""

import asyncio
import json
import re
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from bench.programs import BenchFailed

_PATIENCE_SECS = 20
_IMPOSTOR_SECS = 3


@dataclass
class Peer:
    connection: RTCPeerConnection
    heard: list[tuple[float, int, int, int]] = field(default_factory=list)
    """(when, CSRC, SSRC, sequence number) of each packet of sound, as it came."""

    @property
    def _transport(self) -> Any:
        return self.connection.getTransceivers()[0].receiver.transport

    @property
    def socket(self) -> socket.socket:
        ice = self._transport.transport._connection
        protocol = next(iter(ice._nominated.values())).protocol
        found: socket.socket = protocol.transport.get_extra_info("socket")
        return found

    def protect(self, packet: bytes) -> bytes:
        """Sealed with the session's own keys."""
        sealed: bytes = self._transport._tx_srtp.protect(packet)
        return sealed

    def packets_of(self, csrc: int, since: float) -> list[tuple[float, int, int, int]]:
        return [heard for heard in self.heard if heard[1] == csrc and heard[0] >= since]

    def watch(self) -> None:
        """Note every packet that is authentic."""
        transport = self._transport
        handle = transport._handle_rtp_data

        async def noted(data: bytes, arrival_time_ms: int) -> None:
            if data[0] & 0x0F:
                sequence, _, ssrc, csrc = struct.unpack("!HIII", data[2:16])
                self.heard.append((time.monotonic(), csrc, ssrc, sequence))
            await handle(data, arrival_time_ms)

        transport._handle_rtp_data = noted


class Engine:
    """The engine's process, and a way to open sessions there."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self._lock = asyncio.Lock()
        self._opened = 0

    async def join(self, person: str, *, speaks: bool = False, talks: bool = False) -> Peer:
        """Raises BenchFailed if it does not connect."""
        connection = await self._connecting(person, speaks=speaks, talks=talks)
        began = time.monotonic()
        while connection.connectionState != "connected":
            if time.monotonic() - began > _PATIENCE_SECS or connection.connectionState == "failed":
                raise BenchFailed(f"{person} did not connect within {_PATIENCE_SECS} s")
            await asyncio.sleep(0.01)
        return Peer(connection)

    async def try_to_join(self, person: str) -> None:
        """With another certificate than is announced, as who sits between two peers has. Returns when that has come to its end."""
        connection = await self._connecting(person, is_impostor=True)
        over = asyncio.Event()
        connection.on("connectionstatechange", lambda: over.set() if connection.connectionState in ("closed", "failed") else None)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), _IMPOSTOR_SECS)
        await connection.close()

    async def ended(self) -> dict[str, str]:
        """Why somebody's session ended, by person, of those that have."""
        ended: dict[str, str] = await self._ask({"ended": True})
        return ended

    async def _ask(self, request: dict[str, Any]) -> Any:
        async with self._lock:
            assert self.process.stdin
            assert self.process.stdout
            self.process.stdin.write((json.dumps(request) + "\n").encode())
            return json.loads(await self.process.stdout.readline())

    async def _connecting(self, person: str, *, speaks: bool = False, talks: bool = False, is_impostor: bool = False) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        if speaks:
            connection.addTransceiver(AudioStreamTrack() if talks else "audio", direction="sendonly")
        else:
            for _ in range(2):
                connection.addTransceiver("audio", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription.sdp
        if is_impostor:
            offer = re.sub(r"(?m)^a=fingerprint:.*$", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), offer)
        self._opened += 1
        request = {"person": person, "direction": "speak" if speaks else "listen", "offer": offer}
        answer = (await self._ask({"session": f"session-{self._opened}", **request}))["answer"]
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return connection
