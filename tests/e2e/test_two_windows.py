"""One person opens a room in two windows: the newer one has the sound, the older one says so and can take it back."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import Saying

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_the_newer_window_takes_over_and_the_older_one_says_so(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, first, second = await visiting(alice), await visiting(bob), await visiting(bob)
    room = await host.open_room("Twice the same")
    first_ear = await first.enter(room)
    await first_ear.until_heard(sayings["alice"], within_secs=15)

    second_ear = await second.enter(room)
    await second_ear.until_heard(sayings["alice"], within_secs=15)
    await expect(first.see("sound-notice")).to_have_attribute("data-kind", "elsewhere")
    await first_ear.until_silent(within_secs=5)

    await first.see("play-here").click()
    await first_ear.until_heard(sayings["alice"], within_secs=15)
    await expect(second.see("sound-notice")).to_have_attribute("data-kind", "elsewhere")
    await second_ear.until_silent(within_secs=5)
