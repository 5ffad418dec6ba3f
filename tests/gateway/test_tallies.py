"""Tallies: the latest holds, whichever way it came, and who watches has it right after the snapshot."""

from typing import Any

import pytest

from salon.common.ids import new_id
from salon.gateway.tallies import Tally, TallyBoard, read_tally
from tests.gateway.conftest import Connect, Peer, Running

ROOM = new_id()
STREAM = f"conversation/{ROOM}"
OLD, NEW = Tally({"q": 1}, None), Tally({"q": 2}, {"id": "p", "counts": [4, 9]})


def said(votes: dict[str, int], poll: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"votes": votes, "poll": poll}


async def hear_tally(peer: Peer) -> dict[str, Any]:
    while (frame := await peer.hear_any())["type"] != "tally":
        pass
    return frame


@pytest.fixture
def board() -> TallyBoard:
    return TallyBoard()


def test_latest_holds_and_is_told_once(board: TallyBoard) -> None:
    board.hear(ROOM, OLD, now=0)
    board.hear(ROOM, NEW, now=0.1)

    assert (board.take_changed(), board.tally(ROOM)) == ({ROOM}, NEW)
    assert board.take_changed() == set()


def test_tally_that_does_not_differ_is_no_change(board: TallyBoard) -> None:
    board.hear(ROOM, OLD, now=0)
    board.take_changed()

    board.hear(ROOM, OLD, now=1)
    board.learn(ROOM, OLD, asked_at=2)

    assert board.take_changed() == set()


def test_first_tally_that_web_tells_is_no_change(board: TallyBoard) -> None:
    board.learn(ROOM, OLD, asked_at=0)

    assert (board.take_changed(), board.tally(ROOM)) == (set(), OLD)
    board.learn(ROOM, NEW, asked_at=1)
    assert (board.take_changed(), board.tally(ROOM)) == ({ROOM}, NEW)


def test_webs_answer_is_older_than_what_the_bus_said_since_it_was_asked(board: TallyBoard) -> None:
    board.hear(ROOM, NEW, now=5)

    board.learn(ROOM, OLD, asked_at=4.9)
    assert board.tally(ROOM) == NEW
    board.learn(ROOM, OLD, asked_at=5.1)
    assert board.tally(ROOM) == OLD


def test_forgotten_room_has_no_tally(board: TallyBoard) -> None:
    other = new_id()
    board.hear(ROOM, OLD, now=0)
    board.hear(other, NEW, now=0)

    board.keep_only(lambda room: room == other)

    assert (board.tally(ROOM), board.tally(other), board.take_changed()) == (None, NEW, {other})


@pytest.mark.parametrize("broken", [{}, {"votes": {}}, {"votes": 7, "poll": None}, {"votes": {}, "poll": 7}])
def test_what_is_no_tally_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError)):
        read_tally(broken)


async def test_watcher_gets_webs_tally_after_the_snapshot_and_then_what_the_bus_says(gateway: Running, connect: Connect) -> None:
    gateway.web.tallies[STREAM] = said({"q": 1})
    peer = await connect(new_id())
    await peer.say(type="watch", stream=STREAM)
    assert (await peer.hear_any())["type"] == "snapshot"
    assert await peer.hear_any() == {"type": "tally", "stream": STREAM, "votes": {"q": 1}, "poll": None}

    await gateway.bus.publish(f"tally.{ROOM}", said({"q": 2}, {"id": "p", "counts": [4, 9]}))

    assert await peer.hear_any() == {"type": "tally", "stream": STREAM, "votes": {"q": 2}, "poll": {"id": "p", "counts": [4, 9]}}


async def test_second_watcher_gets_the_tally_that_the_bus_told(gateway: Running, connect: Connect) -> None:
    gateway.web.tallies[STREAM] = said({"q": 1})
    first, second = await connect(new_id()), await connect(new_id())
    await first.ask(type="watch", stream=STREAM)
    gateway.web.pause_snapshots()
    await second.say(type="watch", stream=STREAM)
    await gateway.web.is_paused.wait()
    await gateway.bus.publish(f"tally.{ROOM}", said({"q": 2}))
    while (await hear_tally(first))["votes"] != {"q": 2}:
        pass
    gateway.web.resume_snapshots()

    assert (await hear_tally(second))["votes"] == {"q": 2}


async def test_tallies_lost_on_the_bus_are_asked_for(gateway: Running, connect: Connect) -> None:
    gateway.web.tallies[STREAM] = said({"q": 1})
    peer = await connect(visitor=new_id())  # people come back with a new ticket
    await peer.ask(type="watch", stream=STREAM)
    assert (await hear_tally(peer))["votes"] == {"q": 1}
    gateway.bus.disconnect()
    gateway.web.tallies[STREAM] = said({"q": 9})

    gateway.bus.reconnect()

    assert (await hear_tally(peer))["votes"] == {"q": 9}


async def test_tally_of_a_room_that_nobody_watches_is_not_kept(gateway: Running, connect: Connect) -> None:
    peer = await connect(new_id())
    await peer.ask(type="watch", stream=f"conversation/{new_id()}")
    await gateway.bus.publish(f"tally.{ROOM}", said({"q": 2}))
    await gateway.door.gateway.tallies.send_changes()

    assert gateway.door.gateway.tallies.board.tally(ROOM) is None
    assert (await peer.ask(type="ping"))["type"] == "pong"
