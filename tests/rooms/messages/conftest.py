"""Commands sent through the front door."""

from collections.abc import Callable

import pytest

from tests.rooms.people import Api


@pytest.fixture
def run(room, cast, stranger) -> Callable[..., str | None]:
    """Send a command as one of the cast; the answer's code, or None where it was carried out."""
    apis = {person.handle: Api(person) for person in (*cast, stranger)}

    def send(who, name, **fields):
        answer = apis[who].command(room.id, name, **fields)
        assert answer.status_code == 200 or answer.json().keys() - {"present"} == {"code", "message", "field"}
        return None if answer.status_code == 200 else answer.json()["code"]

    return send


@pytest.fixture
def policy_version(room) -> Callable[[], int]:
    def read():
        room.refresh_from_db()
        return room.policy_version

    return read
