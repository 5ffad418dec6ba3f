"""A moderator keeps the stage: a mute that stays until it is released, and one that closes every microphone at once."""

import pytest
from playwright.async_api import expect

from salon.demo.client import Refused
from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import RATE_HZ, SILENT_RMS, Saying, loudest_window, silent_from
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_a_held_mute_is_silence_until_it_is_released(visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]) -> None:
    host, guest, visitor = await visiting(alice), await visiting(bob), await visiting()
    room = await host.open_room("One at a time")
    await host.mute()
    await guest.enter(room)
    ear = await visitor.enter(room)
    await come_up(guest, host)
    await ear.until_heard(sayings["bob"], within_secs=15)

    await host.member(bob).click()
    await host.see("hold-mute").click()
    await host.see("hold-reason").fill("Let the others finish.")
    async with host.page.expect_request("**/hold_mute"):
        await host.see("confirm-hold").click()
    after = await ear.between(await ear.position(), 3.0)
    assert silent_from(after) < 1.0
    assert loudest_window(after[RATE_HZ:]) < SILENT_RMS
    await expect(host.member(bob)).to_have_attribute("data-held", "true")

    # The speaker is told why, and cannot undo it.
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "true")
    await expect(guest.see("live-urgent")).to_contain_text("Let the others finish.")
    await guest.see("mute-button").click()
    await expect(guest.see("mute-held-sheet")).to_contain_text("Let the others finish.")
    await expect(guest.see("mute-held-sheet")).to_contain_text("Alice")
    await guest.page.keyboard.press("Escape")
    async with bob.api(host.origin) as api:
        with pytest.raises(Refused) as refused:
            await api.command(room, "unmute")
    assert (refused.value.status, refused.value.code) == (403, "mute_held")

    # Stepping down and coming up again does not shake it off.
    await guest.see("step-down-button").click()
    await guest.raise_hand()
    await host.invite(bob)
    await guest.accept_invitation()
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "true")
    assert loudest_window(await ear.record(2.0)) < SILENT_RMS

    await host.member(bob).click()
    await host.see("release-mute").click()
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "false")
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
    assert loudest_window(await ear.record(1.0)) < SILENT_RMS
    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=10)
    assert guest.sessions["listen"] == 1


async def test_muting_all_closes_every_microphone_but_the_moderators_own(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest, visitor = await visiting(alice), await visiting(bob), await visiting()
    room = await host.open_room("All at once")
    await host.mute()
    await guest.enter(room)
    ear = await visitor.enter(room)
    await come_up(guest, host)
    await ear.until_heard(sayings["bob"], within_secs=15)

    await host.unmute()
    await host.see("desk-tab-people").click()
    async with host.page.expect_request("**/mute_all"):
        await host.see("mute-all").click()
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
    await expect(host.see("mute-button")).to_have_attribute("data-muted", "false")
    await host.mute()
    await ear.until_silent(within_secs=3)
    assert loudest_window(await ear.record(1.0)) < SILENT_RMS

    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=10)
