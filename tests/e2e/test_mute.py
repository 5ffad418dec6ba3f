"""A speaker who mutes falls silent at once for everybody, and is heard again afterwards."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import RATE_HZ, SILENT_RMS, Saying, loudest_window, silent_from
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_muting_oneself_is_silence_within_a_second_and_unmuting_is_sound(
    visiting: Visiting, alice: Person, sayings: dict[str, Saying]
) -> None:
    host, visitor = await visiting(alice), await visiting()
    ear = await visitor.enter(await host.open_room("Now and then"))
    await ear.until_heard(sayings["alice"], within_secs=15)

    muted_at = await ear.position()
    await host.mute()
    after = await ear.between(muted_at, 3.0)
    assert silent_from(after) < 1.0
    assert loudest_window(after[RATE_HZ:]) < SILENT_RMS

    await host.unmute()
    await ear.until_heard(sayings["alice"], within_secs=10)
    assert host.sessions == {"listen": 1, "speak": 1}


async def test_a_moderator_mutes_a_speaker_who_may_unmute_at_once(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest, visitor = await visiting(alice), await visiting(bob), await visiting()
    room = await host.open_room("Quiet, please")
    await host.mute()
    await guest.enter(room)
    ear = await visitor.enter(room)
    await come_up(guest, host)
    await ear.until_heard(sayings["bob"], within_secs=15)

    await host.member(bob).click()
    async with host.page.expect_request("**/mute_speaker"):
        await host.see("mute-speaker").click()
    after = await ear.between(await ear.position(), 3.0)
    assert silent_from(after) < 1.0
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")

    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=10)
