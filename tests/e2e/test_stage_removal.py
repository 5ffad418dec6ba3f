"""A moderator removes a speaker: silence in both directions within a second, a reason, no way back; until it is undone."""

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


async def test_removing_a_speaker_is_silence_both_ways_within_a_second(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("House rules")
    hosts_ear = await host.ear()
    guests_ear = await guest.enter(room)
    await come_up(guest, host)
    await asyncio.gather(hosts_ear.until_heard(sayings["bob"], within_secs=30), guests_ear.until_heard(sayings["alice"], within_secs=15))

    await host.remove(bob, "Reads the telephone book aloud.")
    removed_at_host, removed_at_guest = await hosts_ear.position(), await guests_ear.position()
    await asyncio.gather(hosts_ear.falls_silent(removed_at_host), guests_ear.falls_silent(removed_at_guest))
    await guest.is_over("removed")
    await expect(guest.see("room-over")).to_contain_text("Reads the telephone book aloud.")
    await expect(guest.see("room-over")).to_contain_text("Alice")

    await guest.go(f"/room/{room}")
    await guest.is_over("gone")
    await guest.go()
    await expect(guest.see("open-room").first).to_be_visible()
    await expect(guest.door_to(room)).to_have_count(0)
    async with bob.api(host.origin) as api:
        assert await refusal(Whep(api, room).connect()) == (404, "not_found")

    # Listed with its reason, and undone: a listener again, who hears.
    await host.desk("people")
    removal = host.see("removal")
    await expect(removal).to_have_attribute("data-person", bob.id)
    await expect(removal).to_contain_text("Reads the telephone book aloud.")
    await expect(removal).to_contain_text("for good")
    await removal.get_by_test_id("undo-removal").click()
    await expect(removal).to_have_count(0)
    await guest.go()
    await guest.door_to(room).click()
    await guest.is_listening()
    await expect(guest.see("room")).to_have_attribute("data-role", "listener")
    await guest.hears()
    ear = await guest.ear()
    await ear.until_heard(sayings["alice"], within_secs=30)
    await host.desk("log")
    for action in ("remove_person", "undo_removal"):
        await expect(host.page.locator(f'[data-testid="log-entry"][data-action="{action}"][data-target="{bob.id}"]')).to_be_visible()
