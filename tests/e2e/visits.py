"""What a person does in the client, by the names that docs/subsystems/client.md promises."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from playwright.async_api import BrowserContext, Locator, Page, Request, expect

from tests.e2e.ears import Ear
from tests.e2e.people import Person

_CONNECT_MS = 15_000
_POLL_SECS = 0.05
_MOST_TABS = 80
_SESSION_PATH = re.compile(r"/api/v1/rooms/[a-z2-7]{26}/(listen|speak)$")


@dataclass
class Visit:
    """One window of one person, or of a visitor."""

    page: Page
    origin: str
    person: Person | None
    sessions: Counter[str] = field(default_factory=Counter)
    """How often this window asked to `listen` and to `speak`."""

    @classmethod
    async def begin(cls, context: BrowserContext, origin: str, person: Person | None) -> Self:
        if person:
            await context.add_cookies(person.cookies_at(origin))
        visit = cls(await context.new_page(), origin, person)
        visit.page.on("request", visit._count)
        return visit

    def see(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    async def go(self, path: str = "/") -> None:
        await self.page.goto(self.origin + path)

    async def open_room(self, title: str, *, visibility: str = "open", capacity: int | None = None) -> str:
        """From the hallway, by the form; returns the room's id once its host can be heard there."""
        await self.go()
        await self.see("open-room").first.click()
        await self.see("room-title").fill(title)
        if visibility != "open":
            await self.page.locator(f'[data-testid="room-visibility-choice"][value="{visibility}"]').check()
        if capacity is not None:
            await self.see("more-settings").click()
            await self.see("room-capacity").fill(str(capacity))
        await self.see("open-room-submit").click()
        await self.is_listening()
        await self.is_speaking()
        return self.page.url.rpartition("/")[2]

    async def enter(self, room: str) -> Ear:
        """By its address; returns what is heard there."""
        await self.go(f"/room/{room}")
        await self.is_listening()
        await self.hears()
        return await self.ear()

    async def hears(self) -> None:
        """Until the page plays. A browser may want a gesture first, on a page that has seen none; a person taps then, and so do we."""
        async with asyncio.timeout(_CONNECT_MS / 1000):
            while not await self.page.evaluate("ear.playing()"):
                if await self.see("tap-to-listen").is_visible():
                    await self.see("tap-to-listen").click()
                await asyncio.sleep(_POLL_SECS)

    async def ear(self) -> Ear:
        return await Ear.open(self.page)

    async def is_listening(self) -> None:
        await expect(self.see("room")).to_have_attribute("data-listening", "connected", timeout=_CONNECT_MS)

    async def is_speaking(self) -> None:
        await expect(self.see("room")).to_have_attribute("data-speaking-session", "connected", timeout=_CONNECT_MS)

    async def is_not_speaking(self) -> None:
        await expect(self.see("room")).not_to_have_attribute("data-speaking-session", "connected", timeout=_CONNECT_MS)

    def member(self, person: Person) -> Locator:
        """Somebody on the stage, as this window shows them."""
        return self.page.locator(f'[data-testid="stage-member"][data-handle="{person.handle}"]')

    def listener(self, person: Person) -> Locator:
        """Somebody in the audience, as this window shows them."""
        return self.page.locator(f'[data-testid="audience-member"][data-handle="{person.handle}"]')

    def hand(self, person: Person) -> Locator:
        """Somebody in the hand queue, as this moderator's desk shows them."""
        return self.page.locator(f'[data-testid="hand"][data-person="{person.id}"]')

    def door_to(self, room: str) -> Locator:
        """The room's card in the hallway."""
        return self.page.locator(f'[data-testid="room-card"][data-room="{room}"]')

    async def is_over(self, phase: str) -> None:
        await expect(self.see("room-over")).to_have_attribute("data-phase", phase, timeout=_CONNECT_MS)

    async def desk(self, tab: str) -> None:
        """A moderator, to a part of the desk that stands open beside the stage."""
        await self.see(f"desk-tab-{tab}").click()

    async def hold_mute(self, person: Person, reason: str) -> None:
        """A moderator, of somebody on the stage; returns as soon as the server is asked."""
        await self.member(person).click()
        await self.see("hold-mute").click()
        await self.see("hold-reason").fill(reason)
        async with self.page.expect_request("**/hold_mute"):
            await self.see("confirm-hold").click()

    async def remove(self, person: Person, reason: str) -> None:
        """A moderator, of somebody on the stage; returns as soon as the server is asked."""
        await self.member(person).click()
        await self.see("remove-person").click()
        await self.see("remove-reason").fill(reason)
        async with self.page.expect_request("**/remove_person"):
            await self.see("confirm-remove").click()

    async def is_told(self, *sentences: str) -> None:
        """Until a screen reader has been told each of `sentences`, alone or among others, at any time since the page was loaded."""
        said: list[str] = []
        try:
            async with asyncio.timeout(_CONNECT_MS / 1000):
                while not all(any(sentence in heard for heard in said) for sentence in sentences):
                    await asyncio.sleep(_POLL_SECS)
                    said = await self.page.evaluate("screenReader.said()")
        except TimeoutError:
            raise AssertionError(f"of {sentences} a screen reader was told only {said}") from None

    async def tab_to(self, name: str, **attributes: str) -> None:
        """Press Tab until the element of that test id has the focus."""
        wanted = "".join(f'[data-{key}="{value}"]' for key, value in attributes.items())
        for _ in range(_MOST_TABS):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate(f"document.activeElement?.matches('[data-testid=\"{name}\"]{wanted}')"):
                return
        raise AssertionError(f"{name} cannot be reached with the keyboard")

    async def mute(self) -> None:
        await self.see("mute-button").click()
        await expect(self.see("mute-button")).to_have_attribute("data-muted", "true")

    async def unmute(self) -> None:
        await self.see("mute-button").click()
        await expect(self.see("mute-button")).to_have_attribute("data-muted", "false")

    async def raise_hand(self) -> None:
        await self.see("hand-button").click()
        await expect(self.see("hand-button")).to_have_attribute("data-raised", "true")

    async def invite(self, person: Person) -> None:
        """A moderator, from the hand queue beside the stage."""
        await self.page.locator(f'[data-testid="hand"][data-person="{person.id}"]').first.get_by_test_id("invite-button").click()

    async def accept_invitation(self) -> None:
        """After the microphone check has shown that something is heard."""
        await expect(self.see("invitation-sheet")).to_be_visible()
        await self.see("accept-invitation").click()
        await self.is_speaking()

    def _count(self, request: Request) -> None:
        found = _SESSION_PATH.search(request.url)
        if found and request.method == "POST":
            self.sessions[found.group(1)] += 1


async def come_up(guest: Visit, host: Visit) -> None:
    """A listener's whole way to the stage, in the windows of both."""
    assert guest.person is not None
    await guest.raise_hand()
    await host.invite(guest.person)
    await guest.accept_invitation()
    await expect(guest.member(guest.person)).to_be_visible()
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "false")
