"""What is written beside the stage: a question leads to the stage, a message is deleted, a poll, applause, a link."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import Visit

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_a_question_that_is_wanted_brings_its_author_to_the_stage(
    *, visiting: Visiting, alice: Person, bob: Person, carol: Person, sayings: dict[str, Saying]
) -> None:
    host, guest, other = await visiting(alice), await visiting(bob), await visiting(carol)
    room = await host.open_room("Ask me anything")
    await host.mute()
    ear = await host.ear()
    await asyncio.gather(guest.enter(room), other.enter(room))

    for window in (host, guest, other):
        await window.see("conversation-tab-questions").click()
    await guest.see("ask-text").fill("Why ten, and not twelve?")
    await guest.see("ask-send").click()
    await expect(other.see("question-text")).to_have_text("Why ten, and not twelve?")
    await expect(guest.see("vote-question")).to_be_disabled()  # one's own is wanted by oneself already
    await other.see("vote-question").click()
    await expect(other.see("vote-question")).to_have_attribute("aria-pressed", "true")
    for window in (host, guest, other):
        await expect(window.see("question-votes")).to_have_text("1")

    await host.see("take-question-invite").click()
    await expect(guest.see("question")).to_have_attribute("data-state", "invited")
    await guest.is_told("Your question was taken up: you are invited to ask it on the stage.")
    await ear.stays_silent(1.0)  # offered, not accepted
    await guest.accept_invitation()
    await ear.until_heard(sayings["bob"], within_secs=30)
    await host.see("close-question").click()
    await expect(other.see("question")).to_have_count(0)


async def test_what_is_written_is_seen_by_everybody_and_kept_in_order_by_moderators(
    *, visiting: Visiting, alice: Person, bob: Person, carol: Person
) -> None:
    host, guest, other = await visiting(alice), await visiting(bob), await visiting(carol)
    room = await host.open_room("Beside the stage")
    await asyncio.gather(guest.enter(room), other.enter(room))

    await guest.see("chat-text").fill("First!")
    await guest.see("chat-send").click()
    for window in (host, guest, other):
        await expect(window.see("message-text")).to_have_text("First!")
    await expect(other.see("delete-message")).to_have_count(0)
    await host.see("message").hover()
    await host.see("delete-message").click()
    for window in (host, guest, other):
        await expect(window.see("message")).to_have_count(0)

    applauded = asyncio.gather(*(seen_rising(window, "clap") for window in (host, guest)))
    await other.page.locator('[data-testid="react"][data-kind="clap"]').click()
    await applauded

    await host.see("pin-link").click()
    await host.see("link-url").fill("https://minutes.example.org/7")
    await host.see("link-title").fill("Minutes of the seventh evening")
    await host.see("confirm-pin-link").click()
    await expect(guest.see("pinned-link")).to_contain_text("Minutes of the seventh evening")
    await expect(guest.see("pinned-link")).to_contain_text("minutes.example.org")  # whatever it is called, one sees where it leads
    await expect(guest.see("pinned-link").locator("a")).to_have_attribute("href", "https://minutes.example.org/7")

    for window in (host, guest, other):
        await window.see("conversation-tab-poll").click()
    await host.see("open-poll").click()
    await host.see("poll-question").fill("Go on until midnight?")
    await host.see("poll-answer").nth(0).fill("Yes")
    await host.see("poll-answer").nth(1).fill("No")
    await host.see("start-poll").click()
    await guest.is_told("A poll was opened: Go on until midnight?")
    await guest.see("poll-option").nth(0).click()
    await other.see("poll-option").nth(1).click()
    for window in (guest, other):
        for answer in (0, 1):
            await expect(window.see("poll-result").nth(answer)).to_have_attribute("data-count", "1")
    await host.see("close-poll").click()
    await expect(guest.see("poll")).to_have_attribute("data-closed", "true")


async def seen_rising(window: Visit, kind: str) -> None:
    await window.page.wait_for_selector(f'[data-testid="rising-reaction"][data-kind="{kind}"]', state="attached")
