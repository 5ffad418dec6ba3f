"""A telephone call: the system takes the microphone, the room sees why, and the place on the stage is kept."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import Saying
from tests.e2e.visits import Visit, come_up

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
# What a browser does to a page when the system takes the microphone: its track yields silence, and says `mute`.
_PHONE = """
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const lines = [];
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        const microphone = await ask(wanted);
        const context = new AudioContext({sampleRate: 48000});
        const line = context.createGain();
        const heard = context.createMediaStreamDestination();
        context.createMediaStreamSource(microphone).connect(line).connect(heard);
        await context.resume();
        lines.push({gain: line.gain, track: heard.stream.getAudioTracks()[0]});
        return heard.stream;
    };
    const all = (loudness, happened) => {
        for (const {gain, track} of lines) {
            gain.value = loudness;
            track.dispatchEvent(new Event(happened));
        }
    };
    window.phone = {rings: () => all(0, 'mute'), isDown: () => all(1, 'unmute')};
"""


async def test_a_call_is_shown_and_who_returns_is_on_the_stage_still(
    visiting: Visiting, alice: Person, bob: Person, sayings: dict[str, Saying]
) -> None:
    host, guest = await visiting(alice), await visiting(bob)
    await guest.page.add_init_script(_PHONE)
    room = await host.open_room("The telephone rings")
    await host.mute()
    ear = await host.ear()
    await guest.enter(room)
    await come_up(guest, host)
    await ear.until_heard(sayings["bob"], within_secs=30)

    await guest.page.evaluate("phone.rings()")
    await is_on_a_call(host, guest, bob)
    await expect(guest.see("stage-notice")).to_contain_text("You are on a call")
    await ear.until_silent(within_secs=5)
    await guest.page.evaluate("phone.isDown()")
    await is_back(host, guest, bob)
    await ear.until_heard(sayings["bob"], within_secs=30)

    # Said by hand, where the system says nothing: the microphone closes, and is opened again by hand.
    await guest.see("own-menu-button").click()
    await guest.see("on-a-call").click()
    await is_on_a_call(host, guest, bob)
    await guest.page.keyboard.press("Escape")
    await ear.until_silent(within_secs=5)
    await guest.see("back-from-call").click()
    await is_back(host, guest, bob)
    await expect(guest.see("mute-button")).to_have_attribute("data-muted", "true")
    await guest.unmute()
    await ear.until_heard(sayings["bob"], within_secs=30)
    assert guest.sessions == {"listen": 1, "speak": 1}


async def is_on_a_call(host: Visit, guest: Visit, person: Person) -> None:
    await expect(host.member(person)).to_have_attribute("data-status", "on_a_call")
    await expect(host.member(person)).to_contain_text("on a call")
    await expect(guest.see("stage-notice")).to_have_attribute("data-kind", "on-a-call")


async def is_back(host: Visit, guest: Visit, person: Person) -> None:
    await expect(host.member(person)).not_to_have_attribute("data-status", "on_a_call")
    await expect(host.member(person)).to_be_visible()
    await expect(guest.see("stage-notice")).to_have_count(0)
