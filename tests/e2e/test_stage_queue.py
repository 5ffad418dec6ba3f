"""Hands in order, and the ways to the stage that need none."""

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.conftest import Visiting
from tests.e2e.foreign import in_the_room, refusal
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_hands_are_called_in_their_order_and_whoever_has_not_spoken_is_marked(
    *, visiting: Visiting, alice: Person, bob: Person, crowd: list[Person], sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    gaston, hanna, _ = crowd
    room = await host.open_room("Everybody in turn")
    await host.mute()
    ear = await host.ear()
    await guest.enter(room)
    await come_up(guest, host)
    await ear.until_heard(sayings["bob"], within_secs=30)
    await expect(host.member(bob).get_by_test_id("talk-time")).to_be_visible()  # so the house knows that bob has spoken
    await guest.see("step-down-button").click()
    await ear.until_silent(within_secs=5)

    async with in_the_room(gaston, host.origin, room) as first, in_the_room(hanna, host.origin, room) as last:
        await first.command(room, "raise_hand")
        await guest.raise_hand()
        await last.command(room, "raise_hand")
        queue = host.see("hand")
        await expect(queue).to_have_count(3)
        assert await order_of(queue) == [gaston.id, bob.id, hanna.id]
        await expect(guest.see("hand-position")).to_contain_text("2nd")
        await expect(host.hand(gaston)).to_contain_text("has not spoken yet")
        await expect(host.hand(bob)).not_to_contain_text("has not spoken yet")

        # With the fair floor who has not spoken comes first, each group oldest first.
        await host.see("fair-floor").click()
        await expect(host.see("fair-floor")).to_have_attribute("aria-checked", "true")
        await expect(guest.see("hand-position")).to_contain_text("3rd")
        assert await order_of(queue) == [gaston.id, hanna.id, bob.id]
        await host.see("invite-next").click()
        await expect(host.hand(gaston)).to_have_attribute("data-invited", "true")
        await host.see("invite-next").click()
        await expect(host.hand(hanna)).to_have_attribute("data-invited", "true")
        await expect(guest.see("invitation-sheet")).to_have_count(0)
        await host.see("invite-next").click()
        await guest.accept_invitation()
        await ear.until_heard(sayings["bob"], within_secs=30)
        await expect(host.hand(bob)).to_have_count(0)

        # Cleared: no hand, no invitation, and one may raise a hand again.
        await guest.see("step-down-button").click()
        await guest.raise_hand()
        await expect(queue).to_have_count(3)
        await host.see("clear-hands").click()
        await host.see("confirm-clear-hands").click()
        await expect(queue).to_have_count(0)
        await guest.is_told("Alice cleared the hand queue")
        await expect(guest.see("hand-button")).to_have_attribute("data-raised", "false")
        assert await refusal(first.command(room, "accept_invitation")) == (403, "not_invited")
        await guest.raise_hand()
        await expect(guest.see("hand-position")).to_contain_text("1st")
    assert guest.sessions == {"listen": 1, "speak": 2}


async def test_without_hands_a_moderator_invites_and_on_an_open_stage_one_steps_up(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("Step up")
    await host.mute()
    ear = await host.ear()
    await guest.enter(room)
    await host.desk("settings")

    await host.see("setting-hand-policy").select_option("nobody")
    await expect(guest.see("hands-closed")).to_have_text("No hands here: moderators invite.")
    await expect(guest.see("hand-button")).to_have_count(0)
    await guest.page.keyboard.press("h")
    await expect(guest.see("toast")).to_contain_text("No hands in this room: the moderators invite.")
    async with bob.api(host.origin) as api:
        assert await refusal(api.command(room, "raise_hand")) == (403, "hands_not_allowed")

        await host.see("setting-hand-policy").select_option("open_stage")
        await expect(guest.see("step-up-button")).to_be_visible()
        assert await refusal(api.command(room, "raise_hand")) == (409, "stage_is_open")
    await guest.see("step-up-button").click()
    await guest.is_speaking()
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
    await expect(host.member(bob)).to_have_attribute("data-muted", "true")
    await ear.stays_silent(2.0)
    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=30)
    assert guest.sessions == {"listen": 1, "speak": 1}


async def order_of(queue: Locator) -> list[str | None]:
    return [await hand.get_attribute("data-person") for hand in await queue.all()]
