"""bob raises a hand, is invited, checks the microphone, accepts, and is heard. Nobody's sound is interrupted."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_a_hand_an_invitation_and_acceptance_make_a_listener_heard(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    room = await host.open_room("One at a time")
    hosts_ear = await host.ear()
    guests_ear = await guest.enter(room)
    await guests_ear.until_heard(sayings["alice"], within_secs=30)
    peers_before = await guest.page.evaluate("ear.peers().length")

    await guest.raise_hand()
    await expect(guest.see("hand-position")).to_be_visible()
    await hosts_ear.until_silent(within_secs=5)  # a hand is no voice
    await host.invite(bob)
    await expect(guest.see("invitation-sheet")).to_be_visible()
    await expect(guest.see("level-bar")).to_be_visible()
    await hosts_ear.until_silent(within_secs=5)  # nor is an invitation
    await guest.accept_invitation()
    await expect(host.member(bob)).to_be_visible()

    await host.mute()  # two voices at once would be measured as one
    await hosts_ear.until_heard(sayings["bob"], within_secs=30, at_least=0.95)
    assert guest.sessions == {"listen": 1, "speak": 1}
    assert host.sessions == {"listen": 1, "speak": 1}
    assert await guest.page.evaluate("ear.peers().length") == peers_before + 1
    assert [peer["connection"] for peer in await guest.page.evaluate("ear.peers()")] == ["connected", "connected"]


async def test_declining_leaves_a_listener_a_listener(visiting: Visiting, alice: Person, bob: Person) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    await guest.enter(await host.open_room("No, thank you"))
    await guest.raise_hand()
    await host.invite(bob)
    await guest.see("decline-invitation").click()
    await expect(guest.see("hand-button")).to_have_attribute("data-raised", "false")
    await expect(host.member(bob)).to_have_count(0)
    assert guest.sessions == {"listen": 1}


async def test_stepping_down_is_silence_and_listening_goes_on(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    hosts_room = await host.open_room("Up and down")
    hosts_ear = await host.ear()
    guests_ear = await guest.enter(hosts_room)
    await come_up(guest, host)
    await hosts_ear.until_heard(sayings["bob"], within_secs=30)

    await guest.see("step-down-button").click()
    await guest.is_not_speaking()
    await hosts_ear.until_silent(within_secs=5)
    await guests_ear.until_heard(sayings["alice"], within_secs=30)
    assert guest.sessions == {"listen": 1, "speak": 1}
