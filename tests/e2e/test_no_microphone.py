"""Invited without a usable microphone: one plain sentence, and listening goes on."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import Saying

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("fault", "options", "sentence"),
    [
        pytest.param("missing", {"microphone": False}, "No microphone", id="missing"),
        pytest.param("refused", {"microphone": False, "refuses_microphone": True}, "not allowed", id="refused"),
    ],
)
async def test_a_microphone_that_cannot_be_used_is_said_plainly(
    *, visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying], fault: str, options: dict[str, bool], sentence: str
) -> None:
    host, guest = await visiting(alice), await visiting(bob, **options)
    ear = await guest.enter(await host.open_room("Without a word"))
    await guest.raise_hand()
    await host.invite(bob)

    told = guest.see("microphone-fault")
    await expect(told).to_have_attribute("data-fault", fault)
    await expect(told).to_contain_text(sentence)
    await expect(told).to_have_attribute("role", "alert")
    await expect(guest.see("accept-invitation")).to_be_disabled()
    await guest.see("decline-invitation").click()
    await expect(guest.see("invitation-sheet")).to_have_count(0)
    await ear.until_heard(sayings["alice"], within_secs=15)
    assert guest.sessions == {"listen": 1}
