"""The media process is killed in the middle of a conversation: sound returns by itself, and everybody is still who they were."""

import asyncio
import os
import signal

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.server import Server
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_killing_the_media_process_costs_a_moment_of_sound_and_no_role(
    server: Server, visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("Still here")
    hosts_ear, guests_ear = await host.ear(), await guest.enter(room)
    await come_up(guest, host)
    await hosts_ear.until_heard(sayings["bob"], within_secs=15)

    killed = server.process_of("media")
    os.kill(killed, signal.SIGKILL)

    # Its successor goes on with the same sessions, in less time than a pause in speech may take: there is no silence to wait for.
    await asyncio.gather(hosts_ear.until_heard(sayings["bob"], within_secs=15), guests_ear.until_heard(sayings["alice"], within_secs=15))
    assert server.process_of("media") != killed
    await expect(guest.member(bob)).to_have_attribute("data-connected", "true")
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "false")
    await expect(host.see("end-room-button")).to_be_visible()
