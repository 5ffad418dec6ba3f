"""Presence: what several media nodes say, added up, and who gets to hear it."""

from typing import Any

import pytest

from salon.common.ids import new_id
from salon.gateway.presence import NODE_SILENCE_SECS, SHOWN_FACES, TALKED_HELD_SECS, PresenceBoard
from tests.gateway.conftest import Connect, Peer, Running

ROOM = new_id()
STREAM = f"room/{ROOM}"
NOBODY: dict[str, Any] = {"audience": 0, "faces": [], "connected": [], "talk": {}, "turn": None}


def face(id_: str) -> dict[str, Any]:
    return {"id": id_, "handle": id_, "name": id_, "picture": None}


def said(
    node: str, audience: int, *, faces: tuple[str, ...] = (), connected: tuple[str, ...] = (), turn: dict[str, str] | None = None
) -> dict[str, Any]:
    return {"node": node, "audience": audience, "faces": [face(id_) for id_ in faces], "connected": list(connected), "turn": turn}


@pytest.fixture
def board() -> PresenceBoard:
    return PresenceBoard()


def test_nodes_add_up(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 2, faces=("zoe",), connected=("ann",)), now=0)
    board.hear(ROOM, said("b", 3, faces=("bob", "zoe"), connected=("ann", "eve")), now=0)

    assert board.merged(ROOM) == {
        "audience": 5, "faces": [face("zoe"), face("bob")], "connected": ["ann", "eve"], "talk": {}, "turn": None,
    }  # fmt: skip


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


def test_later_turn_of_two_nodes_holds(board: PresenceBoard) -> None:
    later = {"person": "eve", "since": "2026-11-23T05:00:01Z"}
    board.hear(ROOM, said("a", 0, turn={"person": "ann", "since": "2026-11-23T05:00:00Z"}), now=0)
    board.hear(ROOM, said("b", 0, turn=later), now=0)
    board.hear(ROOM, said("c", 0), now=0)

    assert board.merged(ROOM)["turn"] == later


def test_turn_that_passes_is_a_change(board: PresenceBoard) -> None:
    board.hear(ROOM, said("a", 0, turn={"person": "ann", "since": "2026-11-23T05:00:00Z"}), now=0)
    board.take_changed()

    board.hear(ROOM, said("a", 0), now=1)

    assert (board.take_changed(), board.merged(ROOM)["turn"]) == ({ROOM}, None)


def test_talk_times_hold_until_they_are_said_anew_or_no_more(board: PresenceBoard) -> None:
    board.hear_talked(ROOM, {"ann": 61}, now=0)
    assert (board.take_changed(), board.merged(ROOM)["talk"]) == ({ROOM}, {"ann": 61})

    board.hear_talked(ROOM, {"ann": 61}, now=30)
    assert board.take_changed() == set()
    board.forget_silent(30 + TALKED_HELD_SECS)
    assert board.merged(ROOM)["talk"] == {"ann": 61}
    board.forget_silent(30 + TALKED_HELD_SECS + 1)
    assert board.merged(ROOM)["talk"] == {}


def test_talk_times_of_nobody_are_no_change_in_a_room_that_has_none(board: PresenceBoard) -> None:
    board.hear_talked(ROOM, {}, now=0)
    assert board.take_changed() == set()
    board.hear_talked(ROOM, {"ann": 1}, now=1)
    board.hear_talked(ROOM, {}, now=2)

    assert (board.take_changed(), board.merged(ROOM)["talk"]) == ({ROOM}, {})


async def hear_presence(peer: Peer) -> dict[str, Any]:
    while (frame := await peer.hear_any())["type"] != "presence":
        pass
    return frame


async def test_watcher_is_told_at_once_and_at_every_change(gateway: Running, connect: Connect) -> None:
    peer = await connect(new_id())
    await peer.say(type="watch", stream=STREAM)
    assert (await peer.hear_any())["type"] == "snapshot"
    assert await peer.hear_any() == {"type": "presence", "stream": STREAM, **NOBODY}

    await gateway.bus.publish(f"presence.{ROOM}", said("a", 2, faces=("zoe",)))

    assert await peer.hear_any() == {"type": "presence", "stream": STREAM, **NOBODY, "audience": 2, "faces": [face("zoe")]}


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


async def test_watcher_hears_who_has_talked_how_long_and_whose_turn_it_is(gateway: Running, connect: Connect) -> None:
    turn = {"person": "ann", "since": "2026-11-23T05:00:00Z"}
    peer = await connect(new_id())
    await gateway.bus.publish(f"presence.{ROOM}", said("a", 0, connected=("ann",), turn=turn))
    await gateway.bus.publish(f"talked.{ROOM}", {"talked": {"ann": 61}})
    await peer.say(type="watch", stream=STREAM)

    told = await hear_presence(peer)
    while told["talk"] == {} or told["turn"] is None:
        told = await hear_presence(peer)

    assert told == {"type": "presence", "stream": STREAM, **NOBODY, "connected": ["ann"], "talk": {"ann": 61}, "turn": turn}
