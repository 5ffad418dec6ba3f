"""A moderator blocks somebody in the room: out of it within a second, and the door is no more, until the block is undone."""

import asyncio

import pytest
from playwright.async_api import expect

from salon.demo.client import Whep
from tests.e2e.conftest import Visiting
from tests.e2e.foreign import refusal
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_a_moderators_block_puts_a_speaker_out_and_hides_the_room(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("Not with you")
    hosts_ear = await host.ear()
    guests_ear = await guest.enter(room)
    await come_up(guest, host)
    await asyncio.gather(hosts_ear.until_heard(sayings["bob"], within_secs=30), guests_ear.until_heard(sayings["alice"], within_secs=15))

    await host.member(bob).click()
    await host.see("block-button").click()
    async with host.page.expect_request(f"**/people/{bob.handle}/block"):
        await host.see("confirm-block").click()
    blocked_at_host, blocked_at_guest = await hosts_ear.position(), await guests_ear.position()
    try:
        await asyncio.gather(hosts_ear.falls_silent(blocked_at_host), guests_ear.falls_silent(blocked_at_guest))
        await guest.is_over("removed")
        await expect(host.member(bob)).to_have_count(0)
        await guest.go()
        await expect(guest.see("open-room").first).to_be_visible()
        await expect(guest.door_to(room)).to_have_count(0)
        await guest.go(f"/room/{room}")
        await guest.is_over("gone")
        async with bob.api(host.origin) as api:
            assert await refusal(Whep(api, room).connect()) == (404, "not_found")
        await host.desk("people")
        await expect(host.see("removal")).to_have_count(0)  # a block is no removal

        await host.go("/settings")
        await host.see("blocked-person").get_by_test_id("unblock").click()
        await expect(host.see("blocked-person")).to_have_count(0)
    finally:
        async with alice.api(host.origin) as api:
            await api.request("DELETE", f"/api/v1/people/{bob.handle}/block")
    await host.enter(room)
    await guest.go()
    await guest.door_to(room).click()
    await guest.is_listening()
    await guest.hears()
    ear = await guest.ear()
    await ear.until_heard(sayings["alice"], within_secs=20)
