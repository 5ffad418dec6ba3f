"""Policies against the real engine, and clients that do not care: what is forwarded agrees with the policy when `apply` returns."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from salon.common.ids import new_id
from salon.common.signing import Grant, sign_grant
from salon.config.environment import environment
from salon.relay import _engine
from salon.relay._engine import SessionTruth
from salon.relay.grants import GrantRefused
from salon.relay.policies import read_policy
from salon.relay.relay import Relay
from tests.fakes.bus import FakeBus
from tests.relay.conftest import policy
from tests.relay.engine_peers import Ear, Tone, start_engine

PORT = 18737
ROOM = new_id()
TRIALS = 50
SECS = 10


@dataclass
class Hostile:
    """A media process with its real engine, and peers that send whatever they are told."""

    relay: Relay
    peers: list[RTCPeerConnection]
    version: int = 0

    def obey(self, *, speakers: tuple[str, ...] = (), muted: tuple[str, ...] = (), **epochs: int) -> None:
        """Web has decided anew, and the media process has heard."""
        self.relay.apply(read_policy(self._policy(speakers=speakers, muted=muted, **epochs)))

    async def speak(self, person: str, *, speakers: tuple[str, ...]) -> str:
        peer = RTCPeerConnection()
        peer.addTrack(Tone(620))
        return await self._connect(peer, person, "speak", speakers)

    async def listen(self, person: str, *, speakers: tuple[str, ...]) -> tuple[str, Ear]:
        peer = RTCPeerConnection()
        ears: list[Ear] = []
        peer.on("track", lambda track: ears.append(Ear(track)))
        peer.addTransceiver("audio", direction="recvonly")
        session = await self._connect(peer, person, "listen", speakers)
        return session, ears[0]

    def truth(self, session: str) -> SessionTruth | None:
        return next((truth for truth in self.relay.engine.truth(ROOM) if truth.session == session), None)

    def count(self, session: str) -> tuple[int, int]:
        """(packets in, packets out) of a session that is open."""
        truth = self.truth(session)
        assert truth is not None
        return truth.packets_in, truth.packets_out

    async def until_sent(self, session: str, packets: int) -> None:
        """Wait until this many more have come in, muted or not."""
        before, _ = self.count(session)
        async with asyncio.timeout(SECS):
            while self.count(session)[0] < before + packets:  # noqa: ASYNC110  (the engine tells nobody of a packet)
                await asyncio.sleep(0.005)

    async def until_heard(self, session: str) -> None:
        _, before = self.count(session)
        async with asyncio.timeout(SECS):
            while self.count(session)[1] == before:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def _policy(self, **stage: object) -> dict[str, object]:
        self.version += 1
        return policy(ROOM, self.version, **stage)  # type: ignore[arg-type]

    async def _connect(self, peer: RTCPeerConnection, person: str, direction: str, speakers: tuple[str, ...]) -> str:
        self.peers.append(peer)
        await peer.setLocalDescription(await peer.createOffer())
        claims: Grant = {
            "id": new_id(), "session": new_id(), "room": ROOM, "person": person, "face": None,
            "direction": direction, "epoch": 0, "expires": int(time.time() + 60),
        }  # fmt: skip
        grant = sign_grant(claims, environment().secret_key)
        session, answer, _ = self.relay.open_session(grant, peer.localDescription.sdp, self._policy(speakers=speakers))
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(SECS):
            while not ((truth := self.truth(session)) and truth.connected):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return session


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    engine = start_engine(PORT)
    hostile = Hostile(Relay(replace(environment(), media_port=PORT), engine, _engine, FakeBus()), [])  # type: ignore[arg-type]
    try:
        yield hostile
    finally:
        for peer in hostile.peers:
            await peer.close()
        engine.close()


async def test_muted_or_held_sender_is_not_forwarded_in_any_of_fifty_trials(hostile: Hostile) -> None:
    ada = await hostile.speak("ada", speakers=("ada",))
    bob, _ = await hostile.listen("bob", speakers=("ada",))
    for trial in range(TRIALS):
        await hostile.until_heard(bob)

        hostile.obey(speakers=("ada",), muted=("ada",))
        _, forwarded = hostile.count(bob)
        await hostile.until_sent(ada, 2)
        assert hostile.count(bob)[1] == forwarded, f"trial {trial}"

        hostile.obey(speakers=("ada",))


async def test_sender_who_never_accepted_gets_no_session(hostile: Hostile) -> None:
    """Not with a grant either, such as one from before they lost their place."""
    with pytest.raises(GrantRefused, match="not on the stage"):
        await hostile.speak("eve", speakers=("ada",))

    assert hostile.relay.engine.truth(ROOM) == []


async def test_demoted_sender_has_no_session_when_the_policy_is_obeyed_and_gets_none(hostile: Hostile) -> None:
    bob, _ = await hostile.listen("bob", speakers=())
    for _ in range(3):
        ada = await hostile.speak("ada", speakers=("ada",))
        await hostile.until_heard(bob)

        hostile.obey()

        assert hostile.truth(ada) is None
        with pytest.raises(GrantRefused, match="not on the stage"):
            await hostile.speak("ada", speakers=())


async def test_removed_person_neither_sends_nor_receives_when_the_policy_is_obeyed(hostile: Hostile) -> None:
    stage = ("ada", "eve")
    eve_speaks = await hostile.speak("eve", speakers=stage)
    eve_listens, ear = await hostile.listen("eve", speakers=stage)
    ada = await hostile.speak("ada", speakers=stage)
    await hostile.until_heard(eve_listens)
    await ear.hear(0.2)

    hostile.obey(speakers=("ada",), eve=1)

    assert (hostile.truth(eve_speaks), hostile.truth(eve_listens)) == (None, None)
    sent = hostile.relay.engine.stats().packets_out
    await hostile.until_sent(ada, 5)
    assert hostile.relay.engine.stats().packets_out == sent, "nobody is left to hear her"
