"""Walking around the hallway while listening: the page is never unloaded, the sound never stops."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import RATE_HZ, SILENT_RMS, Saying, rms

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_the_mini_player_keeps_the_sound_on_other_pages(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    ear = await guest.enter(await host.open_room("Background"))
    await ear.until_heard(sayings["alice"], within_secs=15)

    left_at = await ear.position()
    await guest.see("back-to-hallway").click()
    await expect(guest.see("mini-player")).to_contain_text("Background")
    await guest.page.go_back()
    await expect(guest.see("room")).to_be_visible()
    await guest.page.go_forward()
    await guest.see("mini-player").get_by_test_id("back-to-room").click()
    await expect(guest.see("room")).to_be_visible()

    heard = await ear.between(left_at, 5.0)
    assert all(rms(heard[at : at + RATE_HZ]) > SILENT_RMS for at in range(0, len(heard), RATE_HZ))
    await ear.until_heard(sayings["alice"], within_secs=10, at_least=0.95)
    assert guest.sessions == {"listen": 1}


async def test_leaving_from_the_mini_player_ends_the_sound(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    ear = await guest.enter(await host.open_room("On the way out"))
    await ear.until_heard(sayings["alice"], within_secs=15)
    await guest.see("back-to-hallway").click()
    await guest.see("mini-leave").click()
    await expect(guest.see("mini-player")).to_have_count(0)
    await ear.until_silent(within_secs=5)
