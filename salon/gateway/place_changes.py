"""What a change of somebody's place in a room does to their open watches. A pure rule.

Web decides who may watch when a watch begins; this ends what begun when it no longer may go on.
"""

from collections.abc import Mapping
from typing import Any

from salon.gateway.stream_names import conversation_stream, room_stream, streams_for_moderators

_MODERATING = ("host", "moderator")
_REMOVING = "remove_person"


def lost_streams(data: Mapping[str, Any]) -> list[str]:
    """The streams that the person of a `place_changed` event may no longer watch. data: the event's."""
    room, place = data["room"], data["place"]
    lost: list[str] = []
    if place is None and data["cause"] == _REMOVING:
        lost += [room_stream(room), conversation_stream(room)]
    if place is None or place["role"] not in _MODERATING:
        lost += streams_for_moderators(room)
    return lost
