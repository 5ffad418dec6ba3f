"""From nobody to a person with a room, by a code sent by e-mail; in English and in French."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import newest_code

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("locale", "language", "handle", "open_a_room"),
    [("en-GB", "en", "erin", "Open a room"), ("fr-FR", "fr", "fanny", "Ouvrir un salon")],
    ids=["English", "French"],
)
async def test_signing_up_by_code_out_and_in_again(visiting: Visiting, locale: str, language: str, handle: str, open_a_room: str) -> None:
    visitor = await visiting(locale=locale)
    email = f"{handle}@example.org"
    await visitor.go("/sign-in")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", language)
    await visitor.see("sign-up-tab").click()
    await visitor.see("sign-up-email").fill(email)
    await visitor.see("sign-up-handle").fill(handle)
    await visitor.see("sign-up-name").fill(handle.title())
    await visitor.see("sign-up").click()
    await visitor.see("code").fill("000000")
    await visitor.see("confirm-code").click()
    await expect(visitor.page.get_by_role("alert").or_(visitor.page.locator("[aria-invalid=true]")).first).to_be_visible()
    await visitor.see("code").fill(await newest_code(visitor.origin, email))
    await visitor.see("confirm-code").click()
    await expect(visitor.see("my-menu")).to_be_visible()

    await visitor.see("my-menu").click()
    await visitor.see("sign-out").click()
    await expect(visitor.see("sign-in-link")).to_be_visible()
    await visitor.go("/sign-in")
    await visitor.see("email").fill(email)
    await visitor.see("request-code").click()
    await expect(visitor.see("code")).to_be_visible()
    await visitor.see("code").fill(await newest_code(visitor.origin, email))
    await visitor.see("confirm-code").click()
    await expect(visitor.see("my-menu")).to_be_visible()
    await expect(visitor.page.get_by_role("heading", level=1)).to_contain_text(handle.title())
    await expect(visitor.see("open-room").first).to_have_text(open_a_room)
