"""A speaker's network is gone for half a minute: sound returns by itself in both directions, the role is kept."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.cable import Cable
from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.server import Server
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]
GONE_SECS = 30.0


async def test_half_a_minute_without_network_ends_with_sound_and_the_same_role(
    server: Server, visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    async with Cable(server.port, server.media_port) as cable:
        host, guest = await visiting(alice), await visiting(bob, cable=cable)
        room = await host.open_room("In the tunnel")
        hosts_ear, guests_ear = await host.ear(), await guest.enter(room)
        await come_up(guest, host)
        await asyncio.gather(
            hosts_ear.until_heard(sayings["bob"], within_secs=15), guests_ear.until_heard(sayings["alice"], within_secs=15)
        )

        cable.unplug()
        await guest.page.context.set_offline(True)
        began = asyncio.get_running_loop().time()
        await guests_ear.until_silent(within_secs=5)
        await hosts_ear.until_silent(within_secs=5)
        await expect(guest.see("sound-notice")).to_have_attribute("data-kind", "reconnecting")
        await expect(guest.see("link-banner")).to_be_visible()
        await asyncio.sleep(GONE_SECS - (asyncio.get_running_loop().time() - began))  # the journey's subject, not a hope
        cable.plug()
        await guest.page.context.set_offline(False)

        await asyncio.gather(
            guests_ear.until_heard(sayings["alice"], within_secs=20), hosts_ear.until_heard(sayings["bob"], within_secs=20)
        )
        await expect(guest.see("mute-button")).to_have_attribute("data-muted", "false")
        await expect(guest.see("sound-notice")).to_have_count(0)
        await expect(host.member(bob)).to_have_attribute("data-connected", "true")
