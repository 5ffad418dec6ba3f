"""Rooms whose host is gone: the deputy takes over after half a minute, or the stage locks; and the host who returns is host again."""

import asyncio

import pytest
from playwright.async_api import expect

from salon.demo.client import Whep
from tests.e2e.conftest import Visiting
from tests.e2e.foreign import refusal
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import Visit, come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400)]
_NOTICED_MS = 60_000
"""Whoever closes a window has not left: the room keeps them for some seconds."""
_GRACE_MS = 60_000
"""Half a minute, and the machine's own time."""


async def test_a_room_whose_host_is_gone_passes_to_the_deputy_or_waits(
    *, visiting: Visiting, alice: Person, bob: Person, carol: Person, crowd: list[Person], sayings: dict[str, Saying]
) -> None:
    """Two rooms at once, so that the half minute is waited for once."""
    host, deputy, listener = await visiting(alice), await visiting(bob), await visiting(carol)
    gaston = crowd[0]
    room = await host.open_room("With a deputy")
    await deputy.enter(room)
    await come_up(deputy, host)
    await host.member(bob).click()
    await host.see("name-deputy").click()
    await deputy.is_told("You are the deputy now")
    async with gaston.api(host.origin) as lonely:
        orphan = (await lonely.post("/api/v1/rooms", {"title": "Without a deputy", "language": "en", "hand_policy": "open_stage"}))["id"]
        lonely_sound = Whep(lonely, orphan)
        await lonely_sound.connect()
        await listener.enter(orphan)

        await host.page.close()
        await lonely_sound.close()
        await asyncio.gather(the_deputy_takes_over(deputy), the_stage_locks(listener, orphan))

        back, lonely_sound = await visiting(alice), Whep(lonely, orphan)
        ear, _ = await asyncio.gather(back.enter(room), lonely_sound.connect())
        await asyncio.gather(the_host_is_back(back, deputy), the_stage_opens(listener))
        assert (await lonely.get(f"/api/v1/rooms/{orphan}"))["mine"]["role"] == "host"
        await ear.until_heard(sayings["bob"], within_secs=20)
        await lonely_sound.close()
    assert deputy.sessions == {"listen": 1, "speak": 1}


async def the_deputy_takes_over(deputy: Visit) -> None:
    await expect(deputy.see("stage-notice")).to_have_attribute("data-kind", "succession", timeout=_NOTICED_MS)
    await expect(deputy.see("grace-countdown")).to_contain_text("Bob takes over")
    await deputy.is_told("The host has gone for a moment.")
    await expect(deputy.see("room")).to_have_attribute("data-role", "host", timeout=_GRACE_MS)
    await deputy.is_told("You are the host of this room now.")
    await expect(deputy.see("stage-notice")).to_have_count(0)
    await deputy.desk("settings")
    await deputy.see("setting-title").fill("In good hands")
    await deputy.see("save-about").click()
    await expect(deputy.page.get_by_role("heading", level=1)).to_have_text("In good hands")


async def the_stage_locks(listener: Visit, room: str) -> None:
    await expect(listener.see("step-up-button")).to_be_visible()
    await expect(listener.see("stage-notice")).to_have_attribute("data-kind", "succession", timeout=_NOTICED_MS)
    await expect(listener.see("stage-notice")).to_have_attribute("data-kind", "host-away", timeout=_GRACE_MS)
    await listener.is_told("The host is away: the stage is locked.")
    await expect(listener.see("room")).to_have_attribute("data-role", "listener")  # nobody from the audience inherits a room
    await expect(listener.see("hands-closed")).to_have_text("The stage is locked.")
    await expect(listener.see("step-up-button")).to_have_count(0)
    assert listener.person is not None
    async with listener.person.api(listener.origin) as api:
        assert await refusal(api.command(room, "step_up")) == (409, "stage_locked")


async def the_host_is_back(host: Visit, deputy: Visit) -> None:
    await host.is_speaking()
    await expect(host.see("room")).to_have_attribute("data-role", "host")
    await expect(deputy.see("room")).to_have_attribute("data-role", "moderator")
    await deputy.is_told("The host is back and runs the room again. You stay a moderator.")
    await expect(host.page.get_by_role("heading", level=1)).to_have_text("In good hands")


async def the_stage_opens(listener: Visit) -> None:
    await expect(listener.see("stage-notice")).to_have_count(0)
    await listener.is_told("A moderator is back.")
    await expect(listener.see("step-up-button")).to_be_visible()
