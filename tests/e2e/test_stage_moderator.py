"""A moderator keeps the stage: a mute that is held, one that closes every microphone, and help that can be taken back."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from salon.demo.client import Whip
from salon.demo.speech import SpeechTrack
from tests.e2e.conftest import Visiting
from tests.e2e.foreign import encode, in_the_room, refusal, repeating
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_a_held_mute_is_silence_until_it_is_released(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest, visitor = await visiting(alice), await visiting(bob), await visiting()
    room = await host.open_room("One at a time")
    await host.mute()
    await guest.enter(room)
    ear = await visitor.enter(room)
    await come_up(guest, host)
    await ear.until_heard(sayings["bob"], within_secs=30)

    await host.hold_mute(bob, "Let the others finish.")
    await ear.falls_silent(await ear.position())
    await expect(host.member(bob)).to_have_attribute("data-held", "true")

    # The speaker is told why, and cannot undo it.
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "true")
    await guest.is_told("Alice keeps you muted until a moderator releases it. The reason given: “Let the others finish.”")
    await guest.see("mute-button").click()
    await expect(guest.see("mute-held-sheet")).to_contain_text("Let the others finish.")
    await expect(guest.see("mute-held-sheet")).to_contain_text("Alice")
    await guest.page.keyboard.press("Escape")
    async with bob.api(host.origin) as api:
        assert await refusal(api.command(room, "unmute")) == (403, "mute_held")

    # Stepping down and coming up again does not shake it off.
    await guest.see("step-down-button").click()
    await guest.raise_hand()
    await host.invite(bob)
    await guest.accept_invitation()
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "true")
    await ear.stays_silent(2.0)

    await host.member(bob).click()
    await host.see("release-mute").click()
    await expect(guest.see("mute-button")).to_have_attribute("data-held", "false")
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
    await ear.stays_silent(1.0)
    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=30)
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
    await ear.until_heard(sayings["bob"], within_secs=30)

    await host.unmute()
    await host.see("desk-tab-people").click()
    async with host.page.expect_request("**/mute_all"):
        await host.see("mute-all").click()
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
    await expect(host.see("mute-button")).to_have_attribute("data-muted", "false")
    await host.mute()
    await ear.until_silent(within_secs=3)
    await ear.stays_silent(1.0)

    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=30)


async def test_an_appointed_moderator_mutes_and_removes_until_it_is_taken_back(
    *, visiting: Visiting, alice: Person, bob: Person, crowd: list[Person], sayings: dict[str, Saying], tmp_path: Path
) -> None:
    host, helper, loud = await visiting(alice), await visiting(bob), crowd[2]
    room = await host.open_room("Four eyes")
    await host.mute()
    ear = await host.ear()
    await helper.enter(room)
    await expect(helper.see("desk")).to_have_count(0)
    async with in_the_room(loud, host.origin, room) as speaker:
        await speaker.command(room, "raise_hand")
        await host.invite(loud)
        await expect(host.hand(loud)).to_have_attribute("data-invited", "true")
        track = SpeechTrack()
        await speaker.command(room, "accept_invitation")
        speaking = Whip(speaker, room, track)
        await speaking.connect()
        async with repeating(track, encode(sayings["bob"], tmp_path / "loud.opus")):
            await ear.until_heard(sayings["bob"], within_secs=30)

            await host.listener(bob).click()
            await host.see("appoint-moderator").click()
            await host.see("confirm-appoint").click()
            await helper.is_told("Alice made you a moderator of this room.")
            await expect(helper.see("desk")).to_be_visible()
            await helper.member(loud).click()
            async with helper.page.expect_request("**/mute_speaker"):
                await helper.see("mute-speaker").click()
            await ear.falls_silent(await ear.position())
            await speaker.command(room, "unmute")
            await ear.until_heard(sayings["bob"], within_secs=30)
            await helper.remove(loud, "Twice was enough.")
            await ear.falls_silent(await ear.position())
            assert await refusal(speaker.command(room, "unmute")) == (404, "not_found")
        await speaking.close()

    await host.desk("log")
    for action in ("mute_speaker", "remove_person"):
        entry = host.page.locator(f'[data-testid="log-entry"][data-action="{action}"][data-target="{loud.id}"]')
        await expect(entry).to_contain_text("Bob")
    await expect(host.page.locator('[data-testid="log-entry"][data-action="remove_person"]')).to_contain_text("Twice was enough.")

    await host.desk("people")
    await host.page.locator(f'[data-testid="moderator"][data-person="{bob.id}"] button').click()
    await host.see("revoke-moderator").click()
    await host.see("confirm-revoke").click()
    await helper.is_told("Alice took the role of moderator back.")
    await expect(helper.see("desk")).to_have_count(0)
    await expect(helper.see("desk-button")).to_have_count(0)
    async with bob.api(host.origin) as api:
        assert await refusal(api.command(room, "mute_all")) == (403, "not_a_moderator")
