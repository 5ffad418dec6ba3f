"""Doors: closed ones that nobody can tell from a wall, one that is widened, one that is locked, and the line before a full room."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.foreign import refusal
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import Visit

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
_NOWHERE = "a" * 26
"""An id as rooms have them, of none."""


async def test_a_closed_room_is_no_room_until_it_is_opened_and_a_locked_one_says_so(
    *, visiting: Visiting, alice: Person, bob: Person, carol: Person, sayings: dict[str, Saying]
) -> None:
    host, guest, outsider = await visiting(alice), await visiting(bob), await visiting(carol)
    room = await host.open_room("Rehearsal", visibility="closed")
    await expect(host.see("room-visibility")).to_have_attribute("data-visibility", "closed")
    assert await what_is_seen(outsider, room) == await what_is_seen(outsider, _NOWHERE)
    async with carol.api(host.origin) as api:
        for door in (room, _NOWHERE):
            assert await refusal(api.get(f"/api/v1/rooms/{door}")) == (404, "not_found")
            assert await refusal(api.command(door, "raise_hand")) == (404, "not_found")
    await outsider.go()
    await expect(outsider.see("open-room").first).to_be_visible()
    await expect(outsider.door_to(room)).to_have_count(0)

    await host.see("bring-somebody").click()
    await host.see("invite-in-handle").fill("bob")
    await host.see("invite-in").click()
    await expect(host.see("toast")).to_contain_text("Bob may come in now.")
    await host.page.keyboard.press("Escape")
    ear = await guest.enter(room)
    await ear.until_heard(sayings["alice"], within_secs=30)

    await host.desk("settings")
    await host.see("setting-locked").click()
    await expect(host.see("room-locked")).to_be_visible()
    await host.see("setting-visibility").select_option("open")
    await host.see("confirm-widen").click()
    await expect(host.see("room-visibility")).to_have_count(0)
    await expect(outsider.door_to(room)).to_be_visible()  # by itself

    await outsider.door_to(room).click()
    await outsider.is_over("locked")
    await expect(outsider.see("room-over")).to_contain_text("The door is locked for now")
    await host.see("setting-locked").click()
    await expect(host.see("room-locked")).to_have_count(0)
    await outsider.see("try-again").click()
    await outsider.is_listening()
    await outsider.hears()
    ear = await outsider.ear()
    await ear.until_heard(sayings["alice"], within_secs=30)


async def test_a_full_room_has_a_line_and_lets_the_next_in_by_itself(
    visiting: Visiting, alice: Person, bob: Person, carol: Person, sayings: dict[str, Saying]
) -> None:
    host, guest, next_one, last = await visiting(alice), await visiting(bob), await visiting(carol), await visiting()
    room = await host.open_room("Two chairs", capacity=2)
    await guest.enter(room)

    await next_one.go(f"/room/{room}")
    await next_one.is_over("full")
    await expect(next_one.see("line-position")).to_have_text("You are next")
    await last.go(f"/room/{room}")
    await last.is_over("full")
    await expect(last.see("line")).to_have_attribute("data-position", "2")
    await expect(last.see("line-length")).to_have_text("2 people are waiting.")

    await guest.see("leave-button").click()
    await next_one.is_listening()
    await next_one.is_told("A chair is free: you are coming into “Two chairs”.")
    await next_one.hears()
    ear = await next_one.ear()
    await ear.until_heard(sayings["alice"], within_secs=30)
    await expect(last.see("line")).to_have_attribute("data-position", "1", timeout=40_000)
    # Whoever has left waits like everybody else.
    await guest.go(f"/room/{room}")
    await guest.is_over("full")
    await expect(guest.see("line")).to_have_attribute("data-position", "2")


async def what_is_seen(outsider: Visit, room: str) -> tuple[str, str]:
    await outsider.go(f"/room/{room}")
    await outsider.is_over("gone")
    return await outsider.page.title(), await outsider.see("room-over").inner_text()
