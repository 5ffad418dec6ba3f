"""alice opens a room and speaks; somebody without an account hears her words."""

import pytest

from tests.e2e.conftest import Visiting
from tests.e2e.people import Person
from tests.e2e.sound import Saying, intelligibility, one_round, recognised

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def test_words_said_into_one_microphone_arrive_at_a_visitor(visiting: Visiting, alice: Person, sayings: dict[str, Saying]) -> None:
    host, visitor = await visiting(alice), await visiting()
    room = await host.open_room("Counting aloud")

    await visitor.go()
    await visitor.page.locator(f'[data-testid="room-card"][data-room="{room}"]').click()
    await visitor.is_listening()
    ear = await visitor.ear()
    said = sayings["alice"]
    await ear.until_heard(said, within_secs=15)

    heard = one_round(said, await ear.record(2.1 * said.seconds))
    assert recognised(heard) == said.words
    assert intelligibility(said, heard) > 0.95
