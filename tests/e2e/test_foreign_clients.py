"""A WHIP and a WHEP client that know nothing but docs/protocol.md and a token."""

import asyncio
from pathlib import Path

import pytest

from salon.demo.client import Api, Events, Refused, Whep, Whip
from salon.demo.speech import SpeechTrack
from tests.e2e.foreign import encode, hear, repeating
from tests.e2e.people import Person
from tests.e2e.server import Server
from tests.e2e.sound import Saying, intelligibility, one_round, recognised

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]
CANDIDATE_ONLY = "a=mid:0\r\na=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n"
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}


async def test_whip_and_whep_clients_speak_and_listen_with_a_token_from_the_command_line(
    server: Server, carol: Person, sayings: dict[str, Saying], tmp_path: Path
) -> None:
    token = server.salon("token", "dora", "--create")
    said = sayings["alice"]
    async with Api(server.origin, token) as dora, carol.api(server.origin) as stranger, Api(server.origin) as visitor:
        room = (await dora.post("/api/v1/rooms", {"title": "From afar", "language": "en"}))["id"]
        listening_too, track = Whep(dora, room), SpeechTrack()
        await listening_too.connect()
        speaking, listening = Whip(dora, room, track), Whep(visitor, room)
        await speaking.connect()
        await listening.connect()

        async with repeating(track, encode(said, tmp_path / "said.opus")):
            heard = await hear(listening.tracks[0], 3.1 * said.seconds)
        heard_by_speaker = await hear(listening_too.tracks[0], 0.5)
        round_ = one_round(said, heard[int(0.5 * said.seconds * 48_000) :])
        assert recognised(round_) == said.words
        assert intelligibility(said, round_) > 0.95
        assert intelligibility(said, heard_by_speaker) == 0.0  # nobody hears themselves

        for method in ("PATCH", "DELETE"):
            with pytest.raises(Refused) as refused:
                await stranger.request(method, speaking.location, data=CANDIDATE_ONLY, headers=FRAGMENT)
            assert (refused.value.status, refused.value.code) == (404, "not_found")
        status, _, _ = await dora.request("PATCH", speaking.location, data=CANDIDATE_ONLY, headers=FRAGMENT)
        assert status == 204

        location = speaking.location
        await speaking.close()
        with pytest.raises(Refused) as gone:
            await dora.request("DELETE", location)
        assert (gone.value.status, gone.value.code) == (404, "not_found")
        assert listening.is_connected
        await listening.close()
        await listening_too.close()


async def test_events_tell_a_script_what_a_window_would_show(server: Server, alice: Person, bob: Person) -> None:
    async with alice.api(server.origin) as host, bob.api(server.origin) as guest:
        room = (await host.post("/api/v1/rooms", {"title": "Told in numbers", "language": "en"}))["id"]
        hosts_sound, guests_sound = Whep(host, room), Whep(guest, room)
        await hosts_sound.connect()
        async with Events(host) as events:
            snapshot = await events.watch(f"room/{room}")
            assert [member["person"]["handle"] for member in snapshot["state"]["stage"]] == ["alice"]
            await events.watch(f"hands/{room}")
            await guests_sound.connect()
            await until_in_room(guest, room)
            await guest.command(room, "raise_hand")
            seen = {}
            async for frame in events:
                if frame["type"] == "event":
                    seen[frame["kind"]] = frame
                if {"hand_raised", "hand_count_changed"} <= seen.keys():
                    break
            assert seen["hand_raised"]["data"]["person"]["handle"] == "bob"
            assert seen["hand_count_changed"]["data"] == {"hand_count": 1}
            assert await events.command(room, "end_room") > seen["hand_count_changed"]["seq"]
        for session in (hosts_sound, guests_sound):
            await session.close()


async def until_in_room(api: Api, room: str) -> None:
    """The place is made when the sound has connected, a moment after the client knows it has."""
    for _ in range(50):
        if (await api.get(f"/api/v1/rooms/{room}"))["mine"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("no place was made")
