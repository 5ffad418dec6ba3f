"""How a watcher's state takes an event: the table of docs/protocol.md section 7 as pure functions, the reference for every client.

State and event go in, the next state comes out; nothing is changed in place. `tests/vectors/streams.json` holds the same as data.
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]


def apply(stream: str, state: Json, kind: str, data: Json) -> Json:
    """stream: as the client watches it, such as `room/ID`. Raises KeyError for a kind that this stream does not have."""
    return _APPLY[stream.partition("/")[0]][kind](state, data)


def _room_listed(state: Json, card: Json) -> Json:
    rooms: list[Json] = state["rooms"]
    if all(room["id"] != card["id"] for room in rooms):
        return {**state, "rooms": [*rooms, card]}
    return {**state, "rooms": [card if room["id"] == card["id"] else room for room in rooms]}


def _room_unlisted(state: Json, data: Json) -> Json:
    return {**state, "rooms": [room for room in state["rooms"] if room["id"] != data["id"]]}


def _stage_joined(state: Json, member: Json) -> Json:
    return {**state, "stage": [*state["stage"], member]}


def _stage_left(state: Json, data: Json) -> Json:
    return {**state, "stage": [member for member in state["stage"] if member["person"]["id"] != data["person"]]}


def _mute_changed(state: Json, data: Json) -> Json:
    return {**state, "stage": _with(state["stage"], data["person"], {"muted": data["muted"]})}


def _role_changed(state: Json, data: Json) -> Json:
    return {**state, "stage": _with(state["stage"], data["person"], {"role": data["role"]})}


def _hand_count_changed(state: Json, data: Json) -> Json:
    return {**state, "hand_count": data["hand_count"]}


def _room_changed(state: Json, data: Json) -> Json:
    return {**state, **data}


def _room_ended(state: Json, data: Json) -> Json:
    return {**state, "phase": "ended", "ended_at": data["ended_at"], "stage": [], "hand_count": 0}


def _hand_raised(state: Json, entry: Json) -> Json:
    return {**state, "hands": [*state["hands"], entry]}


def _hand_lowered(state: Json, data: Json) -> Json:
    return {**state, "hands": [hand for hand in state["hands"] if hand["person"]["id"] != data["person"]]}


def _hand_invited(state: Json, data: Json) -> Json:
    return {**state, "hands": _with(state["hands"], data["person"], {"invited": data["invited"]})}


def _hands_cleared(state: Json, data: Json) -> Json:
    return {**state, "hands": []}


def _place_changed(state: Json, data: Json) -> Json:
    others = {room: place for room, place in state["places"].items() if room != data["room"]}
    return {**state, "places": others if data["place"] is None else {**others, data["room"]: data["place"]}}


def _session_ended(state: Json, data: Json) -> Json:
    return state


def _with(entries: list[Json], person: str, change: Json) -> list[Json]:
    """The entries, with `change` in the one of this person."""
    return [{**entry, **change} if entry["person"]["id"] == person else entry for entry in entries]


_APPLY: Mapping[str, Mapping[str, Callable[[Json, Json], Json]]] = {
    "hallway": {"room_listed": _room_listed, "room_unlisted": _room_unlisted},
    "room": {
        "stage_joined": _stage_joined,
        "stage_left": _stage_left,
        "mute_changed": _mute_changed,
        "role_changed": _role_changed,
        "hand_count_changed": _hand_count_changed,
        "room_changed": _room_changed,
        "room_ended": _room_ended,
    },
    "hands": {"hand_raised": _hand_raised, "hand_lowered": _hand_lowered, "hand_invited": _hand_invited, "hands_cleared": _hands_cleared},
    "person": {"place_changed": _place_changed, "session_ended": _session_ended},
}
KINDS: Mapping[str, frozenset[str]] = {stream: frozenset(kinds) for stream, kinds in _APPLY.items()}
"""Every kind of event by kind of stream."""
