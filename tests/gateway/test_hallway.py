"""The hallway as it is for somebody who is blocked: rooms of who blocked them are not there, and nothing says that they are missing."""

from typing import Any

import pytest

from salon.common.ids import new_id
from salon.gateway.hallway import HallwayView, Listing, read_listing
from tests.gateway.conftest import Connect, Peer, Running

BLOCKED, OTHER, BLOCKER = new_id(), new_id(), new_id()
ROOM, ELSEWHERE = new_id(), new_id()


async def list_room(gateway: Running, room: str, *people: str, kind: str = "room_listed", lost: bool = False) -> None:
    """As web does it: recorded as a client may see it, published with whom it is about."""
    event = gateway.web.add_event("hallway", kind, {"id": room})
    if not lost:
        await gateway.bus.publish("stream.hallway", event | {"people": list(people)})


def event(seq: int, room: str, kind: str = "room_listed") -> dict[str, Any]:
    return {"type": "event", "stream": "hallway", "seq": seq, "kind": kind, "data": {"id": room}, "at": "2026-11-23T05:00:00Z"}


async def hear_counts(peer: Peer) -> dict[str, int]:
    while (frame := await peer.hear_any())["type"] != "presence":
        pass
    return dict(frame["rooms"])


@pytest.fixture(autouse=True)
def no_rooms(gateway: Running) -> None:
    gateway.web.states["hallway"] = {"rooms": []}


@pytest.fixture
async def blocked(gateway: Running, connect: Connect) -> Peer:
    """Somebody blocked, in the hallway; beside them nobody is."""
    assert gateway.web.blocked_by is not None
    gateway.web.blocked_by[BLOCKED] = [BLOCKER]
    peer = await connect(BLOCKED)
    assert (await peer.ask(type="watch", stream="hallway"))["type"] == "snapshot"
    return peer


def test_view_of_somebody_whom_nobody_blocks_shows_all_and_keeps_nothing() -> None:
    view = HallwayView()
    view.begin({"rooms": [{"id": ROOM}]})

    assert view.shows(Listing(ELSEWHERE, True, frozenset([BLOCKER]))) and view.shows(Listing(ELSEWHERE, True, None))
    assert view.rooms == set()


@pytest.mark.parametrize(
    ("listing", "shown", "rooms"),
    [
        (read_listing("room_listed", {"id": ELSEWHERE}, [OTHER]), True, {ROOM, ELSEWHERE}),
        (read_listing("room_listed", {"id": ELSEWHERE}, [OTHER, BLOCKER]), False, {ROOM}),
        (read_listing("room_listed", {"id": ELSEWHERE}, None), False, {ROOM}),
        (read_listing("room_listed", {"id": ROOM}, [BLOCKER]), False, set()),
        (read_listing("room_unlisted", {"id": ROOM}, None), True, set()),
    ],
)
def test_view_of_somebody_blocked(listing: Listing, shown: bool, rooms: set[str]) -> None:
    view = HallwayView()
    view.set_blocked_by(frozenset([BLOCKER]))
    view.begin({"rooms": [{"id": ROOM}]})

    assert (view.shows(listing), view.rooms) == (shown, rooms)


async def test_room_of_a_blocker_is_unlisted_for_the_blocked_and_listed_for_everybody_else(
    gateway: Running, connect: Connect, blocked: Peer
) -> None:
    other, visitor = await connect(OTHER), await connect(visitor=new_id())
    for peer in (other, visitor):
        await peer.ask(type="watch", stream="hallway")

    await list_room(gateway, ROOM, OTHER)
    await list_room(gateway, ROOM, OTHER, BLOCKER)
    await list_room(gateway, ROOM, OTHER)

    assert [await blocked.hear() for _ in range(3)] == [event(1, ROOM), event(2, ROOM, "room_unlisted"), event(3, ROOM)]
    for peer in (other, visitor):
        assert [await peer.hear() for _ in range(3)] == [event(seq, ROOM) for seq in (1, 2, 3)]


async def test_presence_names_no_hidden_room(gateway: Running, connect: Connect, blocked: Peer) -> None:
    other = await connect(OTHER)
    await other.ask(type="watch", stream="hallway")
    for room, audience, people in ((ROOM, 3, [BLOCKER]), (ELSEWHERE, 2, [OTHER])):
        await list_room(gateway, room, *people)
        await gateway.bus.publish(f"presence.{room}", {"node": "a", "audience": audience, "faces": [], "connected": [], "turn": None})

    assert await hear_all_counts(other, {ROOM: 3, ELSEWHERE: 2})
    counts: dict[str, int] = {}
    while counts != {ELSEWHERE: 2}:
        counts = await hear_counts(blocked)
        assert ROOM not in counts
    await blocked.say(type="watch", stream="hallway")
    assert ROOM not in await hear_counts(blocked)


async def hear_all_counts(peer: Peer, expected: dict[str, int]) -> bool:
    while await hear_counts(peer) != expected:
        pass
    return True


async def test_web_is_asked_once_for_a_person_with_several_sockets(gateway: Running, connect: Connect, blocked: Peer) -> None:
    second = await connect(BLOCKED)
    await second.ask(type="watch", stream="hallway")
    await list_room(gateway, ROOM, BLOCKER)

    assert await second.hear() == event(1, ROOM, "room_unlisted")
    assert gateway.web.blocks_asked == [BLOCKED]


async def test_visitors_are_not_asked_about(gateway: Running, connect: Connect) -> None:
    visitor = await connect(visitor=new_id())
    await visitor.ask(type="watch", stream="hallway")

    assert gateway.web.blocks_asked == []


async def test_hallway_stays_shut_while_web_cannot_say_who_is_blocked(gateway: Running, connect: Connect) -> None:
    gateway.web.blocked_by = None
    peer = await connect(BLOCKED)

    assert (await peer.ask(type="watch", stream="hallway"))["code"] == "starting"
    gateway.web.blocked_by = {BLOCKED: [BLOCKER]}
    assert (await peer.ask(type="watch", stream="hallway"))["type"] == "snapshot"


async def test_new_block_brings_a_fresh_snapshot_to_the_blocked_alone(gateway: Running, connect: Connect) -> None:
    gateway.web.states["hallway"] = {"rooms": [{"id": ROOM}]}
    peer, other = await connect(BLOCKED), await connect(OTHER)
    for watcher in (peer, other):
        await watcher.ask(type="watch", stream="hallway")
    gateway.web.states["hallway"] = {"rooms": []}

    await gateway.bus.publish(f"blocks.{BLOCKED}", {"blocked_by": [BLOCKER]})

    assert await peer.hear() == {"type": "snapshot", "reply_to": None, "stream": "hallway", "seq": 0, "state": {"rooms": []}}
    await list_room(gateway, ROOM, BLOCKER)
    assert await peer.hear() == event(1, ROOM, "room_unlisted")
    assert await other.hear() == event(1, ROOM)


async def test_lifted_block_brings_a_fresh_snapshot_and_the_rooms_again(gateway: Running, blocked: Peer) -> None:
    await gateway.bus.publish(f"blocks.{BLOCKED}", {"blocked_by": []})

    assert (await blocked.hear())["reply_to"] is None
    await list_room(gateway, ROOM, BLOCKER)
    assert await blocked.hear() == event(1, ROOM)


async def test_block_while_web_makes_the_snapshot_is_in_what_is_sent(gateway: Running, connect: Connect) -> None:
    gateway.web.states["hallway"] = {"rooms": [{"id": ROOM}]}
    peer = await connect(BLOCKED)
    gateway.web.pause_snapshots()
    watching = await peer.say(type="watch", stream="hallway")
    await gateway.web.is_paused.wait()
    await gateway.bus.publish(f"blocks.{BLOCKED}", {"blocked_by": [BLOCKER]})
    assert await peer.ask(type="ping")
    gateway.web.resume_snapshots()

    assert (await peer.hear())["reply_to"] == watching
    assert len(gateway.web.snapshots) == 2, "the first answer may show what is hidden now"


async def test_blocked_person_who_comes_back_gets_a_snapshot_of_their_own(gateway: Running, connect: Connect, blocked: Peer) -> None:
    await list_room(gateway, ROOM, OTHER)
    await blocked.hear()
    await blocked.socket.close()

    again = await connect(BLOCKED)

    assert (await again.ask(type="watch", stream="hallway", after=0))["type"] == "snapshot"


async def test_first_to_come_back_to_a_new_process_gets_a_snapshot(gateway: Running, connect: Connect) -> None:
    """Only a snapshot tells the process which rooms are listed, and may be counted."""
    gateway.web.states["hallway"] = {"rooms": [{"id": ROOM}]}
    await list_room(gateway, ROOM, OTHER, lost=True)
    peer = await connect(OTHER)

    assert (await peer.ask(type="watch", stream="hallway", after=0))["type"] == "snapshot"
    await gateway.bus.publish(f"presence.{ROOM}", {"node": "a", "audience": 2, "faces": [], "connected": [], "turn": None})
    assert await hear_all_counts(peer, {ROOM: 2})


async def test_repair_in_anothers_name_hides_what_it_must(gateway: Running, connect: Connect) -> None:
    """Web tells lost events as the one sees them in whose name it is asked: nobody blocks that one, and the blocked get a snapshot."""
    assert gateway.web.blocked_by is not None
    gateway.web.blocked_by[BLOCKED] = [BLOCKER]
    blocked, visitor = await connect(BLOCKED), await connect(visitor=new_id())
    for peer in (blocked, visitor):
        await peer.ask(type="watch", stream="hallway")
    await list_room(gateway, ROOM, BLOCKER, lost=True)

    await list_room(gateway, ELSEWHERE, OTHER)

    assert [await visitor.hear(), await visitor.hear()] == [event(1, ROOM), event(2, ELSEWHERE)]
    assert gateway.web.snapshots[-2]["person"] is None
    told = [await blocked.hear() for _ in range(3)]
    assert told[0] == event(1, ROOM, "room_unlisted")
    assert (told[2]["type"], told[2]["reply_to"]) == ("snapshot", None)


async def test_people_are_never_sent(gateway: Running, connect: Connect) -> None:
    peer = await connect(OTHER)
    await peer.ask(type="watch", stream="hallway")
    await list_room(gateway, ROOM, OTHER, BLOCKER)
    await list_room(gateway, ROOM, kind="room_unlisted")

    assert [await peer.hear(), await peer.hear()] == [event(1, ROOM), event(2, ROOM, "room_unlisted")]


async def test_block_ends_the_watch_of_a_room_that_web_closes_to_the_blocked(gateway: Running, connect: Connect) -> None:
    peer = await connect(BLOCKED)
    for stream in (f"room/{ROOM}", f"conversation/{ROOM}", f"room/{ELSEWHERE}"):
        await peer.ask(type="watch", stream=stream)
    gateway.web.hidden_from |= {(f"room/{ROOM}", BLOCKED), (f"conversation/{ROOM}", BLOCKED)}

    await gateway.bus.publish(f"blocks.{BLOCKED}", {"blocked_by": [BLOCKER]})

    ended = [await peer.hear() for _ in range(2)]
    assert sorted(frame["stream"] for frame in ended if frame["type"] == "unwatched") == [f"conversation/{ROOM}", f"room/{ROOM}"]
    await gateway.bus.publish(f"stream.room/{ELSEWHERE}", gateway.web.add_event(f"room/{ELSEWHERE}"))
    assert (await peer.hear())["stream"] == f"room/{ELSEWHERE}"
