"""Running a room without a mouse and without seeing it: every act by the keyboard, every happening as a sentence."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.foreign import in_the_room
from tests.e2e.people import Person
from tests.e2e.sound import Saying

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_a_moderator_runs_a_room_with_the_keyboard_alone(
    visiting: Visiting, alice: Person, bob: Person, crowd: list[Person], sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    press = host.page.keyboard.press
    room = await host.open_room("By ear")
    ear = await host.ear()
    await guest.enter(room)
    async with in_the_room(crowd[0], host.origin, room) as other:
        await guest.raise_hand()
        await expect(host.see("hand")).to_have_count(1)
        await other.command(room, "raise_hand")
        await host.is_told("2 hands are up.")

        await press("n")
        await host.is_told("The next is invited.")
        await guest.accept_invitation()
        await host.is_told("Bob joined the stage.")
        await ear.until_heard(sayings["bob"], within_secs=30)

        await press("Shift+M")
        await host.is_told("Everybody else is muted.")
        await ear.until_silent(within_secs=5)
        await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
        await guest.is_told("Alice muted you. You can unmute whenever you like.")
        await guest.unmute()
        await ear.until_heard(sayings["bob"], within_secs=30)

        # Somebody on the stage, removed.
        await host.tab_to("stage-member", handle="bob")
        await press("Enter")
        await host.tab_to("remove-person")
        await press("Enter")
        await host.tab_to("remove-reason")
        await host.page.keyboard.type("Reads on.")
        await host.tab_to("confirm-remove")
        async with host.page.expect_request("**/remove_person"):
            await press("Enter")
        await ear.falls_silent(await ear.position())
        await guest.is_over("removed")
        await expect(host.see("person-sheet")).to_have_count(0)

        # The desk: closed, opened at the hands, and on to the people.
        await press("d")
        await press("q")
        await expect(host.see("desk-tab-hands")).to_be_focused()
        await expect(host.hand(crowd[0])).to_be_visible()
        await press("ArrowRight")
        await expect(host.see("desk-tab-people")).to_be_focused()
        await host.tab_to("undo-removal")
        await press("Enter")
        await expect(host.see("removal")).to_have_count(0)
        await guest.enter(room)
        await expect(guest.see("room")).to_have_attribute("data-role", "listener")
        await press("d")
        await expect(host.see("desk")).to_have_count(0)
