"""Everything is stopped and started again under a conversation: all return by themselves, to the same room and the same places."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.server import Server
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_a_restart_of_the_whole_server_brings_everybody_back(
    server: Server, visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest, visitor = await visiting(alice), await visiting(bob), await visiting()
    room = await host.open_room("After the break")
    hosts_ear, guests_ear, visitors_ear = await host.ear(), await guest.enter(room), await visitor.enter(room)
    await come_up(guest, host)
    await hosts_ear.until_heard(sayings["bob"], within_secs=15)

    await asyncio.to_thread(server.restart)

    await asyncio.gather(hosts_ear.until_heard(sayings["bob"], within_secs=40), guests_ear.until_heard(sayings["alice"], within_secs=40))
    await expect(guest.member(bob)).to_have_attribute("data-muted", "false")
    await expect(host.see("end-room-button")).to_be_visible()
    await host.mute()  # two voices at once would be measured as one
    await visitors_ear.until_heard(sayings["bob"], within_secs=20)
    await guest.mute()  # and commands and events work again
    await expect(visitor.member(bob)).to_have_attribute("data-muted", "true")
    await visitors_ear.until_silent(within_secs=5)
