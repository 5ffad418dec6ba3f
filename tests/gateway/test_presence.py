"""Presence: what several media nodes say, added up, and who gets to hear it."""

from typing import Any

import pytest

from salon.common.ids import new_id
from salon.gateway.presence import NODE_SILENCE_SECS, SHOWN_FACES, PresenceBoard
from tests.gateway.conftest import Connect, Peer, Running

ROOM = new_id()
STREAM = f"room/{ROOM}"


def face(id_: str) -> dict[str, Any]:
    return {"id": id_, "handle": id_, "name": id_, "picture": None}


def said(node: str, audience: int, *, faces: tuple[str, ...] = (), connected: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"node": node, "audience": audience, "faces": [face(id_) for id_ in faces], "connected": list(connected)}


@pytest.fixture
def board() -> PresenceBoard:
    return PresenceBoard()


def test_nodes_add_up(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 2, faces=("zoe",), connected=("ann",)), now=0)
    board.hear(ROOM, said("b", 3, faces=("bob", "zoe"), connected=("ann", "eve")), now=0)

    assert board.merged(ROOM) == {"audience": 5, "faces": [face("zoe"), face("bob")], "connected": ["ann", "eve"]}


def test_nodes_latest_word_holds(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 2), now=0)
    board.hear(ROOM, said("a", 1), now=1)

    assert board.audience(ROOM) == 1


def test_silent_node_counts_no_more(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 2), now=0)
    board.hear(ROOM, said("b", 3), now=NODE_SILENCE_SECS)
    board.take_changed()

    board.forget_silent(NODE_SILENCE_SECS)
    assert board.audience(ROOM) == 5
    board.forget_silent(NODE_SILENCE_SECS + 1)
    assert (board.audience(ROOM), board.take_changed()) == (3, {ROOM})


def test_only_what_differs_is_a_change(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 2), now=0)
    assert board.take_changed() == {ROOM}

    board.hear(ROOM, said("a", 2), now=5)

    assert board.take_changed() == set()


def test_empty_room_is_told_once_and_forgotten(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 0), now=0)
    board.forget_silent(0)
    assert (board.take_changed(), list(board.rooms())) == ({ROOM}, [ROOM])

    board.forget_silent(1)

    assert list(board.rooms()) == []


def test_faces_are_a_few(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 50, faces=tuple(map(str, range(50)))), now=0)

    assert len(board.merged(ROOM)["faces"]) == SHOWN_FACES


async def hear_presence(peer: Peer) -> dict[str, Any]:
    while (frame := await peer.hear_any())["type"] != "presence":
        pass
    return frame


async def test_watcher_is_told_at_once_and_at_every_change(gateway: Running, connect: Connect) -> None:
    peer = await connect(new_id())
    await peer.say(type="watch", stream=STREAM)
    assert (await peer.hear_any())["type"] == "snapshot"
    assert await peer.hear_any() == {"type": "presence", "stream": STREAM, "audience": 0, "faces": [], "connected": []}

    await gateway.bus.publish(f"presence.{ROOM}", said("a", 2, faces=("zoe",)))

    assert await peer.hear_any() == {"type": "presence", "stream": STREAM, "audience": 2, "faces": [face("zoe")], "connected": []}


async def test_hallway_counts_only_the_rooms_it_lists(gateway: Running, connect: Connect) -> None:
    private = new_id()
    gateway.web.states["hallway"] = {"rooms": [{"id": ROOM}]}
    peer = await connect(new_id())
    await peer.ask(type="watch", stream="hallway")
    assert await hear_presence(peer) == {"type": "presence", "stream": "hallway", "rooms": {}}

    await gateway.bus.publish(f"presence.{private}", said("a", 7))
    await gateway.bus.publish(f"presence.{ROOM}", said("a", 2))

    assert (await hear_presence(peer))["rooms"] == {ROOM: 2}


async def test_room_that_opens_is_counted_and_one_that_closes_is_not(gateway: Running, connect: Connect) -> None:
    gateway.web.states["hallway"] = {"rooms": []}
    peer = await connect(new_id())
    await peer.ask(type="watch", stream="hallway")
    assert (await hear_presence(peer))["rooms"] == {}

    await gateway.bus.publish(f"presence.{ROOM}", said("a", 2))
    await gateway.bus.publish("stream.hallway", gateway.web.add_event("hallway", "room_listed", {"id": ROOM}))
    assert (await hear_presence(peer))["rooms"] == {ROOM: 2}
    await gateway.bus.publish("stream.hallway", gateway.web.add_event("hallway", "room_unlisted", {"id": ROOM}))

    assert (await hear_presence(peer))["rooms"] == {}


async def test_presence_reaches_no_one_who_does_not_watch(gateway: Running, connect: Connect) -> None:
    peer = await connect(new_id())

    await gateway.bus.publish(f"presence.{ROOM}", said("a", 2))
    await gateway.door.gateway.presence.send_changes()

    await peer.say(type="ping")
    assert (await peer.hear_any())["type"] == "pong"
