"""Somebody starts Salon for the first time: within ten seconds they hear people talk, and with one click they are one of them."""

import time
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from salon.demo.community import scripts
from tests.e2e.browsers import Browsers
from tests.e2e.ears import Ear
from tests.e2e.server import Server
from tests.e2e.sound import Saying, intelligibility, read_wav
from tests.e2e.visits import Visit

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]
NEWCOMER_HEARS_WITHIN_SECS = 10.0
PATIENCE_SECS = 15.0
"""For recording and measuring, and for a machine that is busy with other tests."""


@pytest.fixture(scope="module")
def demo_server() -> Iterator[Server]:
    with Server(SALON_DEMO="1") as server:
        yield server


def turns_of(title: str) -> list[Saying]:
    script = next(script for script in scripts() if script.title == title)
    return [Saying(turn.text, turn.speech, read_wav(turn.speech)) for turn in script.turns]


async def hears_one_of(ear: Ear, turns: list[Saying]) -> float:
    heard = await ear.record(1.8)
    return max(intelligibility(turn, heard) for turn in turns if turn.seconds > 2.0)


async def test_a_newcomer_hears_a_demo_conversation_and_joins_it(
    demo_server: Server, browsers: Browsers, sayings: dict[str, Saying]
) -> None:
    spoken = sayings["bob"]
    newcomer = await Visit.begin(await browsers.context(spoken), demo_server.origin, None)
    await newcomer.go()
    cards = newcomer.see("room-card")
    await expect(cards).to_have_count(len(scripts()), timeout=30_000)  # they open their rooms one after the other

    began = time.monotonic()
    await newcomer.go()
    title = await cards.first.inner_text()
    await cards.first.click()
    await newcomer.is_listening()
    ear = await newcomer.ear()
    turns, best = turns_of(title), 0.0
    while best < 0.9 and time.monotonic() - began < NEWCOMER_HEARS_WITHIN_SECS + PATIENCE_SECS:
        best = max(best, await hears_one_of(ear, turns))
    assert best >= 0.9
    assert await newcomer.page.evaluate("ear.playing()") > 0

    await newcomer.go("/sign-in")
    await newcomer.see("demo-newcomer").click()
    await expect(newcomer.see("my-menu")).to_be_visible()
    room = next(card for card in [await cards.first.get_attribute("data-room")] if card)
    audience = await Visit.begin(await browsers.context(None), demo_server.origin, None)
    other_ear = await audience.enter(room)
    await newcomer.enter(room)
    await newcomer.raise_hand()
    await expect(newcomer.see("invitation-sheet")).to_be_visible(timeout=20_000)
    await newcomer.accept_invitation()
    await other_ear.until_heard(spoken, within_secs=45)
    await newcomer.page.context.close()
    await audience.page.context.close()
