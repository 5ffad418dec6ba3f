"""The whole way from the hallway to the stage without a mouse, and what a screen reader would trip over."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import Saying

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


async def test_from_the_hallway_to_speaking_with_the_keyboard_alone(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("Without a mouse")
    hosts_ear = await host.ear()
    await guest.go()
    await expect(guest.page.locator(f'[data-room="{room}"]')).to_be_visible()

    await guest.tab_to("room-card", room=room)
    await guest.page.keyboard.press("Enter")
    await guest.is_listening()
    await guest.tab_to("hand-button")
    await guest.page.keyboard.press("Space")
    await host.invite(bob)
    await expect(guest.see("invitation-sheet")).to_be_visible()
    await guest.tab_to("accept-invitation")
    await guest.page.keyboard.press("Enter")
    await guest.is_speaking()
    await guest.tab_to("mute-button")
    await guest.page.keyboard.press("Space")
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
    await guest.page.keyboard.press("m")
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "false")
    await host.mute()
    await hosts_ear.until_heard(sayings["bob"], within_secs=15)


async def test_pages_have_nothing_that_axe_objects_to(visiting: Visiting, alice: Person, bob: Person) -> None:
    host, guest, visitor = await visiting(alice), await visiting(bob), await visiting()
    await visitor.go("/sign-in")
    await expect(visitor.see("email")).to_be_visible()
    assert await objections(visitor.page) == []
    room = await host.open_room("Easy to read")
    assert await objections(host.page) == []
    await guest.go()
    await expect(guest.page.locator(f'[data-room="{room}"]')).to_be_visible()
    assert await objections(guest.page) == []
    await guest.enter(room)
    await guest.raise_hand()
    await host.invite(bob)
    await expect(guest.see("invitation-sheet")).to_be_visible()
    assert await objections(guest.page) == []


async def objections(page: Page) -> list[str]:
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{violation['id']}: {node['html'][:120]}" for violation in found["violations"] for node in violation["nodes"]]
