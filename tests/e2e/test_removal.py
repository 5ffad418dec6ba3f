"""A moderator removes a speaker: silence in both directions within a second, a reason, and no way back."""

import asyncio

import pytest
from playwright.async_api import expect

from salon.demo.client import Refused, Whep
from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import RATE_HZ, SILENT_RMS, Saying, loudest_window, silent_from
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_removing_a_speaker_is_silence_both_ways_within_a_second(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("House rules")
    hosts_ear = await host.ear()
    guests_ear = await guest.enter(room)
    await come_up(guest, host)
    await asyncio.gather(hosts_ear.until_heard(sayings["bob"], within_secs=15), guests_ear.until_heard(sayings["alice"], within_secs=15))

    await host.member(bob).click()
    await host.see("remove-person").click()
    await host.see("remove-reason").fill("Reads the telephone book aloud.")
    async with host.page.expect_request("**/remove_person"):
        await host.see("confirm-remove").click()
    removed_at_host, removed_at_guest = await hosts_ear.position(), await guests_ear.position()

    for ear, removed_at in ((hosts_ear, removed_at_host), (guests_ear, removed_at_guest)):
        after = await ear.between(removed_at, 3.0)
        assert silent_from(after) < 1.0
        assert loudest_window(after[RATE_HZ:]) < SILENT_RMS
    await expect(guest.see("room-over")).to_have_attribute("data-phase", "removed")
    await expect(guest.see("room-over")).to_contain_text("Reads the telephone book aloud.")
    await expect(guest.see("room-over")).to_contain_text("Alice")

    await guest.go(f"/room/{room}")
    await expect(guest.see("room-over")).to_have_attribute("data-phase", "gone")
    await guest.go()
    await expect(guest.page.locator(f'[data-room="{room}"]')).to_have_count(0)
    async with bob.api(host.origin) as api:
        with pytest.raises(Refused) as refused:
            await Whep(api, room).connect()
    assert (refused.value.status, refused.value.code) == (404, "not_found")
