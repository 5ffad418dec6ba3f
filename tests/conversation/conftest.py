"""A room with people in it, and limits that no test inherits."""

from collections.abc import Iterator

import pytest

from salon.conversation import rate_limits, tally
from salon.conversation.actions import reactions
from salon.rooms.rate_limits import COMMANDS
from tests.rooms.conftest import cast, host, listener, moderator, person, room, speaker, stranger  # noqa: F401
from tests.rooms.people import Api


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    """Limits count per process, and tests are quicker than people: time moves on between any two things that are done."""
    for limit in (COMMANDS, rate_limits.MESSAGES, rate_limits.QUESTIONS, rate_limits.VOTES, rate_limits.REACTIONS):
        limit.forget_all()
    yield


@pytest.fixture
def send(room, cast, stranger):  # noqa: F811
    """Send a command as one of the cast, by handle; the answer's body."""
    apis = {somebody.handle: Api(somebody) for somebody in (*cast, stranger)}

    def sent(who, name, **fields):
        answer = apis[who].command(room.id, name, **fields)
        assert answer.status_code == 200 or answer.json().keys() - {"present"} == {"code", "message", "field"}
        return answer.json()

    return sent


@pytest.fixture
def said(monkeypatch):
    """What goes out on the bus beside events: (subject, message), oldest first."""
    messages = []
    for module in (tally, reactions):
        monkeypatch.setattr(module, "publish_on_commit", lambda subject, message: messages.append((subject, message)))
    return messages
