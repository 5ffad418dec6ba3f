"""How a watcher's state takes an event: the table of docs/protocol.md section 7 as pure functions, the reference for every client.

State and event go in, the next state comes out; nothing is changed in place. `tests/vectors/streams.json` holds the same as data.
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]

MESSAGES_KEPT = 100
"""The newest of a room's chat, in snapshots too."""
LOG_KEPT = 100
"""The newest entries of a room's log."""


def apply(stream: str, state: Json, kind: str, data: Json) -> Json:
    """stream: as the client watches it, such as `room/ID`. Raises KeyError for a kind that this stream does not have."""
    return _APPLY[stream.partition("/")[0]][kind](state, data)


def _room_listed(state: Json, card: Json) -> Json:
    rooms: list[Json] = state["rooms"]
    if all(room["id"] != card["id"] for room in rooms):
        return {**state, "rooms": [*rooms, card]}
    return {**state, "rooms": [card if room["id"] == card["id"] else room for room in rooms]}


def _room_unlisted(state: Json, data: Json) -> Json:
    return {**state, "rooms": _without(state["rooms"], data["id"])}


def _stage_joined(state: Json, member: Json) -> Json:
    return {**state, "stage": [*state["stage"], member]}


def _stage_left(state: Json, data: Json) -> Json:
    return {**state, "stage": _without_person(state["stage"], data["person"])}


def _mute_changed(state: Json, data: Json) -> Json:
    return {**state, "stage": _with(state["stage"], data["person"], {"muted": data["muted"], "held": data["held"]})}


def _role_changed(state: Json, data: Json) -> Json:
    return {**state, "stage": _with(state["stage"], data["person"], {"role": data["role"]})}


def _status_changed(state: Json, data: Json) -> Json:
    return {**state, "stage": _with(state["stage"], data["person"], {"status": data["status"]})}


def _hand_count_changed(state: Json, data: Json) -> Json:
    return {**state, "hand_count": data["hand_count"]}


def _room_changed(state: Json, data: Json) -> Json:
    return {**state, **data}


def _room_ended(state: Json, data: Json) -> Json:
    over: Json = {"phase": "ended", "stage": [], "hand_count": 0, "grace_ends_at": None, "host_away": False}
    return {**state, **over, "ended_at": data["ended_at"]}


def _message_posted(state: Json, message: Json) -> Json:
    return {**state, "messages": [*state["messages"], message][-MESSAGES_KEPT:]}


def _message_deleted(state: Json, data: Json) -> Json:
    return {**state, "messages": _without(state["messages"], data["message"])}


def _question_asked(state: Json, question: Json) -> Json:
    return {**state, "questions": [*state["questions"], question]}


def _question_changed(state: Json, data: Json) -> Json:
    questions = [{**each, "state": data["state"]} if each["id"] == data["question"] else each for each in state["questions"]]
    return {**state, "questions": questions}


def _question_closed(state: Json, data: Json) -> Json:
    return {**state, "questions": _without(state["questions"], data["question"])}


def _link_pinned(state: Json, link: Json) -> Json:
    return {**state, "links": [*state["links"], link]}


def _link_unpinned(state: Json, data: Json) -> Json:
    return {**state, "links": _without(state["links"], data["link"])}


def _poll_set(state: Json, poll: Json) -> Json:
    return {**state, "poll": poll}


def _hand_raised(state: Json, entry: Json) -> Json:
    return {**state, "hands": [*state["hands"], entry]}


def _hand_lowered(state: Json, data: Json) -> Json:
    return {**state, "hands": _without_person(state["hands"], data["person"])}


def _hand_invited(state: Json, data: Json) -> Json:
    return {**state, "hands": _with(state["hands"], data["person"], {"invited": data["invited"]})}


def _hands_cleared(state: Json, data: Json) -> Json:
    return {**state, "hands": []}


def _place_changed(state: Json, data: Json) -> Json:
    others = {room: place for room, place in state["places"].items() if room != data["room"]}
    return {**state, "places": others if data["place"] is None else {**others, data["room"]: data["place"]}}


def _nothing(state: Json, data: Json) -> Json:
    """Told for its own sake: there is nothing of it to keep."""
    return state


def _moderators_changed(state: Json, data: Json) -> Json:
    return {**state, "moderators": data["moderators"]}


def _removal_added(state: Json, removal: Json) -> Json:
    return {**state, "removals": [*_without_person(state["removals"], removal["person"]["id"]), removal]}


def _removal_lifted(state: Json, data: Json) -> Json:
    return {**state, "removals": _without_person(state["removals"], data["person"])}


def _silenced_changed(state: Json, data: Json) -> Json:
    return {**state, "silenced": data["silenced"]}


def _request_opened(state: Json, request: Json) -> Json:
    return {**state, "requests": [*state["requests"], request]}


def _request_settled(state: Json, data: Json) -> Json:
    return {**state, "requests": _without(state["requests"], data["request"])}


def _action_logged(state: Json, entry: Json) -> Json:
    return {**state, "log": [*state["log"], entry][-LOG_KEPT:]}


def _without(entries: list[Json], entry_id: str) -> list[Json]:
    return [entry for entry in entries if entry["id"] != entry_id]


def _without_person(entries: list[Json], person: str) -> list[Json]:
    return [entry for entry in entries if entry["person"]["id"] != person]


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
        "status_changed": _status_changed,
        "hand_count_changed": _hand_count_changed,
        "room_changed": _room_changed,
        "room_ended": _room_ended,
    },
    "conversation": {
        "message_posted": _message_posted,
        "message_deleted": _message_deleted,
        "question_asked": _question_asked,
        "question_changed": _question_changed,
        "question_closed": _question_closed,
        "link_pinned": _link_pinned,
        "link_unpinned": _link_unpinned,
        "poll_opened": _poll_set,
        "poll_closed": _poll_set,
    },
    "hands": {"hand_raised": _hand_raised, "hand_lowered": _hand_lowered, "hand_invited": _hand_invited, "hands_cleared": _hands_cleared},
    "moderation": {
        "moderators_changed": _moderators_changed,
        "removal_added": _removal_added,
        "removal_lifted": _removal_lifted,
        "silenced_changed": _silenced_changed,
        "request_opened": _request_opened,
        "request_settled": _request_settled,
        "action_logged": _action_logged,
    },
    "person": {
        "place_changed": _place_changed,
        "session_ended": _nothing,
        "pinged": _nothing,
        "invited_in": _nothing,
        "line_changed": _nothing,
    },
}
KINDS: Mapping[str, frozenset[str]] = {stream: frozenset(kinds) for stream, kinds in _APPLY.items()}
"""Every kind of event by kind of stream."""
