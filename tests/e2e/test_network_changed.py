"""A listener and speaker walks out of the Wi-Fi: the old path is dead without a word, and sound goes on over another within two seconds."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.cable import Cable
from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.server import Server
from tests.e2e.sound import Saying, longest_silence
from tests.e2e.visits import Visit, come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]
GAP_SECS = 2.0
REPORTED_WITHIN_SECS = 30


async def kept_quality(visit: Visit, room: str) -> set[tuple[str, str]]:
    """(direction, transport) of what is kept of one's sound in a room: it is reported ten seconds after it began, and kept soon after."""
    async with asyncio.timeout(REPORTED_WITHIN_SECS):
        while True:
            answer = await visit.page.evaluate("fetch('/api/v1/me/sound-quality').then((answer) => answer.json())")
            rows = {(row["direction"], row["transport"]) for row in answer["quality"] if row["room"] == room}
            if {direction for direction, _ in rows} == {"listen", "speak"}:
                return rows
            await asyncio.sleep(0.5)


async def test_another_network_costs_less_than_two_seconds_of_sound_and_no_session(
    server: Server, visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    async with Cable(server.port, server.media_port) as cable:
        host, guest = await visiting(alice), await visiting(bob, cable=cable)
        room = await host.open_room("On the way home")
        hosts_ear, guests_ear = await host.ear(), await guest.enter(room)
        await come_up(guest, host)
        await asyncio.gather(
            hosts_ear.until_heard(sayings["bob"], within_secs=15), guests_ear.until_heard(sayings["alice"], within_secs=15)
        )
        sessions = dict(guest.sessions)

        starts = await asyncio.gather(hosts_ear.position(), guests_ear.position())
        cable.change_network()
        # What the system tells the page where it has moved from one network to another.
        await guest.page.evaluate("window.dispatchEvent(new Event('online'))")

        ears = zip((hosts_ear, guests_ear), starts, strict=True)
        gaps = [longest_silence(heard) for heard in await asyncio.gather(*(ear.between(start, 8.0) for ear, start in ears))]
        assert max(gaps) < GAP_SECS, gaps
        await asyncio.gather(
            hosts_ear.until_heard(sayings["bob"], within_secs=10), guests_ear.until_heard(sayings["alice"], within_secs=10)
        )
        # By ICE restarts in the sessions there were: nobody had to come back.
        assert dict(guest.sessions) == sessions
        await expect(guest.see("sound-notice")).to_have_count(0)
        await expect(guest.see("mute-button")).to_have_attribute("data-muted", "false")
        assert await kept_quality(guest, room) == {("listen", "udp"), ("speak", "udp")}
