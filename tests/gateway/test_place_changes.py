from typing import Any

import pytest

from salon.gateway.place_changes import lost_streams

ROOM_STREAM, HANDS_STREAM = "room/r", "hands/r"


@pytest.mark.parametrize(
    ("role", "cause", "lost"),
    [
        (None, "remove_person", [ROOM_STREAM, HANDS_STREAM]),
        (None, "leave_room", [HANDS_STREAM]),
        (None, "end_room", [HANDS_STREAM]),
        ("listener", "move_to_audience", [HANDS_STREAM]),
        ("speaker", "accept_invitation", [HANDS_STREAM]),
        ("moderator", "mute", []),
        ("host", "mute", []),
    ],
)
def test_lost_streams(role: str | None, cause: str, lost: list[str]) -> None:
    place: dict[str, Any] | None = {"role": role} if role else None

    assert lost_streams({"room": "r", "place": place, "cause": cause}) == lost
