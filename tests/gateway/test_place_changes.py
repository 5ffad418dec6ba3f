from typing import Any

import pytest

from salon.gateway.place_changes import lost_streams

WATCHED_BY_WHO_MAY_ENTER = ["room/r", "conversation/r"]
WATCHED_BY_MODERATORS = ["hands/r", "moderation/r"]


@pytest.mark.parametrize(
    ("role", "cause", "lost"),
    [
        (None, "remove_person", WATCHED_BY_WHO_MAY_ENTER + WATCHED_BY_MODERATORS),
        (None, "leave_room", WATCHED_BY_MODERATORS),
        (None, "end_room", WATCHED_BY_MODERATORS),
        ("listener", "move_to_audience", WATCHED_BY_MODERATORS),
        ("speaker", "accept_invitation", WATCHED_BY_MODERATORS),
        ("moderator", "mute", []),
        ("host", "mute", []),
    ],
)
def test_lost_streams(role: str | None, cause: str, lost: list[str]) -> None:
    place: dict[str, Any] | None = {"role": role} if role else None

    assert lost_streams({"room": "r", "place": place, "cause": cause}) == lost
