"""What holds for every command: it has a test of its own, needs a live room, and knows no visitor."""

from pathlib import Path

import pytest

from salon.conversation.messages import MESSAGES
from salon.rooms.messages import MESSAGES as SERVED
from salon.rooms.models import Room
from tests.conversation.conversation import FIELDS
from tests.rooms.people import Api

pytestmark = pytest.mark.django_db


def test_every_message_is_served_and_has_a_test_of_its_own():
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [message.name for message in MESSAGES] == list(FIELDS)
    assert [name for name in FIELDS if name not in SERVED or f"def test_{name}(" not in tests] == []


@pytest.mark.parametrize("name", FIELDS)
def test_every_message_in_a_room_that_has_ended(send, room, name):
    Room.objects.update(phase="ended", ended_at=room.opened_at, end_reason="ended")
    assert send("hostess", name, **FIELDS[name])["code"] == "room_ended"


@pytest.mark.parametrize("name", FIELDS)
def test_every_message_in_a_room_that_is_not_there_or_not_theirs(room, stranger, name):
    Room.objects.update(visibility="closed")
    for somebody, where, status in ((stranger, room.id, 404), (stranger, "a" * 26, 404), (None, room.id, 401)):
        assert Api(somebody).command(where, name, **FIELDS[name]).status_code == status
