"""A client that obeys nothing goes on sending after it was muted and after it was moved. Nobody hears it."""

from pathlib import Path

import pytest
from aiortc import RTCDtlsTransport
from OpenSSL import SSL

from salon.demo.client import Api, Whep, Whip
from salon.demo.speech import SpeechTrack
from tests.e2e.conftest import Visiting
from tests.e2e.foreign import encode, repeating
from tests.e2e.people import Person
from tests.e2e.server import Server
from tests.e2e.sound import SILENT_RMS, Saying, loudest_window
from tests.e2e.test_foreign_clients import until_in_room

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_sound_sent_while_muted_or_off_the_stage_is_heard_by_nobody(
    *, server: Server, visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying], tmp_path: Path
) -> None:
    visitor = await visiting()
    async with alice.api(server.origin) as host, bob.api(server.origin) as hostile:
        room = (await host.post("/api/v1/rooms", {"title": "Order, order", "language": "en"}))["id"]
        hosts_sound, hostile_sound, track = Whep(host, room), Whep(hostile, room), SpeechTrack()
        await hosts_sound.connect()
        await hostile_sound.connect()
        speaking = Whip(hostile, room, track)
        await to_the_stage(host, hostile, bob, room)
        await speaking.connect()
        ignore_goodbyes(speaking)
        ear = await visitor.enter(room)
        async with repeating(track, encode(sayings["bob"], tmp_path / "bob.opus")):
            await ear.until_heard(sayings["bob"], within_secs=15)

            await host.command(room, "mute_speaker", person=bob.id)
            await ear.until_silent(within_secs=3)
            assert loudest_window(await ear.record(3.0)) < SILENT_RMS
            await hostile.command(room, "unmute")
            await ear.until_heard(sayings["bob"], within_secs=10)

            await host.command(room, "move_to_audience", person=bob.id)
            sent_before = packets_sent(speaking)
            await ear.until_silent(within_secs=3)
            assert loudest_window(await ear.record(3.0)) < SILENT_RMS
            assert packets_sent(speaking) > sent_before + 100  # it did go on sending
        for session in (speaking, hostile_sound, hosts_sound):
            await session.close()


async def to_the_stage(host: Api, guest: Api, person: Person, room: str) -> None:
    await until_in_room(guest, room)
    await guest.command(room, "raise_hand")
    await host.command(room, "invite_to_stage", person=person.id)
    await guest.command(room, "accept_invitation")


def ignore_goodbyes(speaking: Whip) -> None:
    """Keep the transport open when the server closes it: a DTLS close becomes mere noise."""
    connection = transport_of(speaking)._ssl
    receive = connection.recv

    def deaf(size: int) -> bytes:
        try:
            return receive(size)
        except SSL.ZeroReturnError:
            raise SSL.Error from None

    connection.recv = deaf


def packets_sent(speaking: Whip) -> int:
    report = transport_of(speaking)._get_stats()
    return sum(stats.packetsSent for stats in report.values() if stats.type == "transport")


def transport_of(speaking: Whip) -> RTCDtlsTransport:
    return speaking.peer.getSenders()[0].transport
