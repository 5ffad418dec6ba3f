"""Reactions: added up, a few names each, and only to those who watch when they are made."""

from typing import Any

from salon.common.ids import new_id
from salon.gateway.reactions import NAMED, ReactionBoard
from tests.gateway.conftest import Connect, Peer, Running

ROOM = new_id()
STREAM = f"conversation/{ROOM}"


async def hear_reactions(peer: Peer) -> dict[str, Any]:
    while (frame := await peer.hear_any())["type"] != "reactions":
        pass
    return frame


def test_kinds_and_rooms_are_added_up_apart() -> None:
    board, other = ReactionBoard(), new_id()
    for room, person, kind in [(ROOM, "ann", "clap"), (ROOM, "bob", "clap"), (ROOM, "ann", "heart"), (other, "zoe", "wow")]:
        board.hear(room, person, kind)

    assert board.take() == {
        ROOM: {"counts": {"clap": 2, "heart": 1}, "from": {"clap": ["ann", "bob"], "heart": ["ann"]}},
        other: {"counts": {"wow": 1}, "from": {"wow": ["zoe"]}},
    }
    assert board.take() == {}


def test_everybody_counts_and_the_first_five_are_named_once() -> None:
    board = ReactionBoard()
    for person in ["p0", *(f"p{number}" for number in range(8))]:
        board.hear(ROOM, person, "clap")

    assert board.take() == {ROOM: {"counts": {"clap": 9}, "from": {"clap": [f"p{number}" for number in range(NAMED)]}}}


async def test_reactions_reach_who_watches_the_conversation(gateway: Running, connect: Connect) -> None:
    peer, other = await connect(new_id()), await connect(new_id())
    await peer.ask(type="watch", stream=STREAM)
    await other.ask(type="watch", stream=f"room/{ROOM}")

    await gateway.bus.publish(f"reaction.{ROOM}", {"person": "ann", "kind": "clap"})
    await gateway.bus.publish(f"reaction.{ROOM}", {"person": "bob", "kind": "clap"})

    counts, named = 0, []
    while counts < 2:  # the half second may end between the two
        frame = await hear_reactions(peer)
        assert frame.keys() == {"type", "stream", "counts", "from"} and frame["stream"] == STREAM
        counts, named = counts + frame["counts"]["clap"], named + frame["from"]["clap"]
    assert (counts, named) == (2, ["ann", "bob"])
    assert (await other.ask(type="ping"))["type"] == "pong"


async def test_reaction_that_nobody_could_see_is_not_told_later(gateway: Running, connect: Connect) -> None:
    early, late = await connect(new_id()), await connect(new_id())
    await early.ask(type="watch", stream=f"conversation/{new_id()}")
    await gateway.bus.publish(f"reaction.{ROOM}", {"person": "ann", "kind": "clap"})
    assert (await early.ask(type="ping"))["type"] == "pong"
    await late.ask(type="watch", stream=STREAM)
    await gateway.bus.publish(f"reaction.{ROOM}", {"person": "bob", "kind": "wow"})

    assert (await hear_reactions(late))["counts"] == {"wow": 1}
