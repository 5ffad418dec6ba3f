"""The page is loaded anew: the place in the hand queue, the place on the stage and a held mute are where they were."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.foreign import in_the_room
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_a_listener_who_reloads_keeps_the_place_in_the_queue(
    visiting: Visiting, alice: Person, bob: Person, crowd: list[Person], sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("Where was I?")
    await guest.enter(room)
    async with in_the_room(crowd[0], host.origin, room) as first, in_the_room(crowd[1], host.origin, room) as last:
        await first.command(room, "raise_hand")
        await guest.raise_hand()
        await last.command(room, "raise_hand")
        await expect(guest.see("hand-position")).to_contain_text("2nd")

        await guest.page.reload()
        await guest.is_listening()
        await expect(guest.see("hand-button")).to_have_attribute("data-raised", "true")
        await expect(guest.see("hand-position")).to_contain_text("2nd")
        await expect(host.see("hand")).to_have_count(3)
        assert await host.see("hand").nth(1).get_attribute("data-person") == bob.id
        await guest.hears()
        ear = await guest.ear()
        await ear.until_heard(sayings["alice"], within_secs=30)
        await first.command(room, "lower_hand")
        await expect(guest.see("hand-position")).to_contain_text("1st")
        await last.command(room, "lower_hand")


async def test_a_speaker_who_reloads_stays_on_the_stage_and_held(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("Still here")
    await host.mute()
    ear = await host.ear()
    await guest.enter(room)
    await come_up(guest, host)
    await ear.until_heard(sayings["bob"], within_secs=30)

    await guest.page.reload()
    await guest.is_speaking()
    await expect(guest.see("room")).to_have_attribute("data-role", "speaker")
    await ear.until_heard(sayings["bob"], within_secs=30)  # an open microphone stays open

    await host.hold_mute(bob, "One moment.")
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "true")
    await guest.page.reload()
    await guest.is_speaking()
    await expect(guest.see("room")).to_have_attribute("data-role", "speaker")
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "true")
    await expect(guest.see("stage-notice")).to_contain_text("One moment.")
    await expect(host.member(bob)).to_have_attribute("data-held", "true")
    await ear.stays_silent(2.0)
    await host.member(bob).click()
    await host.see("release-mute").click()
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "false")
    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=30)
