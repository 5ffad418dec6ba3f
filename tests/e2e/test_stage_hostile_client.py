"""A client that obeys nothing sends on while muted, held, moved and removed. Nobody hears it; once removed, it hears nobody."""

from pathlib import Path

import pytest
from aiortc import RTCDtlsTransport
from OpenSSL import SSL

from salon.demo.client import Api, Events, SoundSession, Whep, Whip
from salon.demo.speech import SpeechTrack
from tests.e2e.conftest import Visiting
from tests.e2e.foreign import encode, listening_to, refusal, repeating
from tests.e2e.people import Person
from tests.e2e.server import Server
from tests.e2e.sound import SILENT_RMS, Saying, loudest_window, silent_from
from tests.e2e.test_foreign_clients import until_in_room

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


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
            await ear.until_heard(sayings["bob"], within_secs=30)

            await host.command(room, "mute_speaker", person=bob.id)
            await ear.until_silent(within_secs=3)
            assert loudest_window(await ear.record(3.0)) < SILENT_RMS
            await hostile.command(room, "unmute")
            await ear.until_heard(sayings["bob"], within_secs=30)

            await host.command(room, "move_to_audience", person=bob.id)
            sent_before = packets_sent(speaking)
            await ear.until_silent(within_secs=3)
            assert loudest_window(await ear.record(3.0)) < SILENT_RMS
            assert packets_sent(speaking) > sent_before + 100  # it did go on sending
        for session in (speaking, hostile_sound, hosts_sound):
            await session.close()


async def test_a_hostile_client_is_neither_heard_nor_hears_once_removed(
    *, visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying], tmp_path: Path
) -> None:
    host = await visiting(alice)
    room = await host.open_room("Out is out")
    ear = await host.ear()
    async with bob.api(host.origin) as hostile, alice.api(host.origin) as moderator, Events(hostile) as events:
        listening, track = Whep(hostile, room), SpeechTrack()
        await listening.connect()
        await to_the_stage(moderator, hostile, bob, room)
        speaking = Whip(hostile, room, track)
        await speaking.connect()
        await events.watch(f"room/{room}")
        for session in (listening, speaking):
            ignore_goodbyes(session)
        words = encode(sayings["bob"], tmp_path / "bob.opus")
        async with repeating(track, words), listening_to(listening.tracks[0]) as heard:
            await ear.until_heard(sayings["bob"], within_secs=30)
            await heard.until_heard(sayings["alice"], within_secs=30)

            # Held: it sends on, and asks to be unmuted.
            await moderator.command(room, "hold_mute", person=bob.id, reason="Shouts.")
            await ear.falls_silent(await ear.position())
            assert await refusal(hostile.command(room, "unmute")) == (403, "mute_held")
            assert await refusal(events.command(room, "unmute")) == (0, "mute_held")
            sent_before = packets_sent(speaking)
            await ear.stays_silent(3.0)
            assert packets_sent(speaking) > sent_before + 100  # it did go on sending

            # Removed: nothing of it is heard, and nothing arrives.
            sent_before = packets_sent(speaking)
            await host.remove(bob, "Shouts on.")
            removed_at, removed_at_its_end = await ear.position(), heard.position
            await ear.falls_silent(removed_at)
            assert silent_from(heard.since(removed_at_its_end)) < 1.0
            assert packets_sent(speaking) > sent_before + 100

            for asking in (
                hostile.command(room, "unmute"),
                hostile.command(room, "raise_hand"),
                hostile.command(room, "accept_invitation"),
                events.command(room, "unmute"),
                events.watch(f"room/{room}"),
                events.watch(f"conversation/{room}"),
                Whep(hostile, room).connect(),
                Whip(hostile, room, SpeechTrack()).connect(),
                restart_ice(hostile, listening),
                restart_ice(hostile, speaking),
            ):
                status, code = await refusal(asking)
                assert (status or 404, code) == (404, "not_found"), asking
            refused_at = heard.position
            await ear.stays_silent(2.0)
            assert loudest_window(heard.since(refused_at)) < SILENT_RMS
        for session in (speaking, listening):
            await session.close()


async def restart_ice(hostile: Api, session: SoundSession) -> None:
    fragment = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=mid:0\r\n"
    headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
    assert session.location is not None
    await hostile.request("PATCH", session.location, data=fragment, headers=headers)


async def to_the_stage(host: Api, guest: Api, person: Person, room: str) -> None:
    await until_in_room(guest, room)
    await guest.command(room, "raise_hand")
    await host.command(room, "invite_to_stage", person=person.id)
    await guest.command(room, "accept_invitation")


def ignore_goodbyes(session: SoundSession) -> None:
    """Keep the transport open when the server closes it: a DTLS close becomes mere noise."""
    connection = transport_of(session)._ssl
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


def transport_of(session: SoundSession) -> RTCDtlsTransport:
    return session.peer.getTransceivers()[0].sender.transport
