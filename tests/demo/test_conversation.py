"""What the speakers write when they open a room. That they talk is a journey: tests/e2e/test_demo_community.py."""

from typing import Any

import pytest

from salon.demo.client import Refused
from salon.demo.community import scripts
from salon.demo.conversation import Conversation

SCRIPT = next(script for script in scripts() if script.name == "tide")


class FakeApi:
    """One person's; all write into the same `sent`."""

    def __init__(self, handle: str, sent: list[tuple[str, str, dict[str, object]]], refuse: str | None = None) -> None:
        self._handle, self._sent, self._refuse = handle, sent, refuse

    async def command(self, room: str, name: str, **fields: object) -> int:
        await self.post(f"/api/v1/rooms/{room}/{name}", fields)
        return 1

    async def post(self, path: str, fields: dict[str, object]) -> Any:
        name = path.removeprefix("/api/v1/rooms/ROOM/")
        if name == self._refuse:
            raise Refused(403, "switched_off", "")
        self._sent.append((self._handle, name, fields))
        return {"seq": 1, "id": "QUESTION"}


async def written(refuse: str | None = None) -> list[tuple[str, str, dict[str, object]]]:
    sent: list[tuple[str, str, dict[str, object]]] = []
    conversation = Conversation(SCRIPT, "http://salon.test", dict.fromkeys(SCRIPT.speakers, "token"))
    for handle, actor in conversation._speakers.items():
        await actor.api.close()
        actor.api = FakeApi(handle, sent, refuse)  # type: ignore[assignment]
    await conversation._write("ROOM")
    await conversation._visitor.close()
    return sent


async def test_speakers_write_their_chat_a_question_and_votes() -> None:
    sent = await written()
    assert [(handle, name) for handle, name, _ in sent] == [
        ("bea", "post_message"), ("nora", "post_message"), ("idris", "post_message"),
        ("bea", "ask_question"), ("nora", "vote_question"), ("idris", "vote_question"),
    ]  # fmt: skip
    assert [fields["text"] for _, name, fields in sent if name == "post_message"] == [line.text for line in SCRIPT.chat]
    assert [fields for _, name, fields in sent if name == "vote_question"] == [{"question": "QUESTION"}] * 2


@pytest.mark.parametrize(("refuse", "count"), [("post_message", 0), ("ask_question", 3), ("vote_question", 4)])
async def test_a_refusal_ends_the_writing_and_not_the_room(refuse: str, count: int) -> None:
    assert len(await written(refuse)) == count
