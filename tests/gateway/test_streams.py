"""Watching streams through real sockets: snapshots, events, resumption, gaps, and the end of the right to watch."""

import asyncio
from typing import Any

import pytest

from salon.common.ids import new_id
from salon.gateway import limits, retry
from salon.gateway.stream_log import KEPT_EVENTS
from tests.gateway.conftest import Connect, Peer, Running

HOST, LISTENER = new_id(), new_id()
ROOM = new_id()
STREAM = f"room/{ROOM}"


async def happen(gateway: Running, stream: str = STREAM, *, lost: bool = False, **event: Any) -> dict[str, Any]:
    """An event as web makes it: recorded, then published."""
    made = gateway.web.add_event(stream, **event)
    if not lost:
        await gateway.bus.publish(f"stream.{stream}", made)
    return made


async def heard(peer: Peer, count: int) -> list[int]:
    frames = [await peer.hear() for _ in range(count)]
    assert {frame["type"] for frame in frames} <= {"event"}
    return [frame["seq"] for frame in frames]


async def test_watch_answers_with_a_snapshot_and_then_events(gateway: Running, connect: Connect) -> None:
    await happen(gateway)
    peer = await connect(HOST)

    assert await peer.ask(type="watch", stream=STREAM) == {
        "type": "snapshot", "reply_to": 2, "stream": STREAM, "seq": 1, "state": {"events": 1},
    }  # fmt: skip
    made = await happen(gateway, kind="hand_count_changed", data={"hand_count": 1})
    assert await peer.hear() == made


async def test_event_reaches_every_watcher_and_nobody_else(gateway: Running, connect: Connect) -> None:
    watchers = [await connect(new_id()) for _ in range(3)]
    other = await connect(new_id())
    for peer in watchers:
        await peer.ask(type="watch", stream=STREAM)
    await other.ask(type="watch", stream=f"room/{new_id()}")

    await happen(gateway)

    assert [await heard(peer, 1) for peer in watchers] == [[1]] * 3
    assert (await other.ask(type="ping"))["type"] == "pong"


async def test_private_stream_looks_like_a_missing_one(gateway: Running, connect: Connect) -> None:
    gateway.web.hidden_from.add((STREAM, LISTENER))
    peer = await connect(LISTENER)

    private = await peer.ask(type="watch", stream=STREAM)
    missing = await peer.ask(type="watch", stream="room/nothing-like-an-id")

    assert private == {"type": "error", "reply_to": 2, "code": "not_found", "message": "There is no such thing here.", "field": None}
    assert missing == private | {"reply_to": 3}
    await happen(gateway)
    assert (await peer.ask(type="ping"))["type"] == "pong"


async def test_own_stream_is_asked_for_by_its_owner_and_called_me(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)

    snapshot = await peer.ask(type="watch", stream="person/me")
    await happen(gateway, f"person/{HOST}", kind="session_ended", data={})

    assert snapshot["stream"] == "person/me"
    assert (gateway.web.snapshots[0]["stream"], gateway.web.snapshots[0]["person"]) == (f"person/{HOST}", HOST)
    assert ((event := await peer.hear())["stream"], event["seq"]) == ("person/me", 1)


async def test_nobody_watches_anothers_own_stream(gateway: Running, connect: Connect) -> None:
    peer = await connect(LISTENER)

    assert (await peer.ask(type="watch", stream=f"person/{HOST}"))["code"] == "not_found"
    assert gateway.web.snapshots == []


async def test_visitor_has_no_own_stream(connect: Connect) -> None:
    peer = await connect(visitor=new_id())

    assert (await peer.ask(type="watch", stream="person/me"))["code"] == "sign_in_required"


async def test_unwatched_stream_is_silent(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)
    await peer.ask(type="watch", stream=STREAM)

    assert await peer.ask(type="unwatch", stream=STREAM) == {"type": "done", "reply_to": 3}
    await happen(gateway)
    assert (await peer.ask(type="ping"))["type"] == "pong"


async def test_too_many_watches_are_refused(connect: Connect) -> None:
    peer = await connect(HOST)
    for _ in range(limits.WATCHES_PER_SOCKET):
        assert (await peer.ask(type="watch", stream=f"room/{new_id()}"))["type"] == "snapshot"

    assert (await peer.ask(type="watch", stream=STREAM))["code"] == "too_many_requests"


async def test_web_being_away_is_said_and_may_be_tried_again(gateway: Running, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = await connect(HOST)
    monkeypatch.setattr(gateway.door.gateway.web, "_base_url", "http://127.0.0.1:9")
    monkeypatch.setattr(retry, "_PAUSES_SECS", ())

    assert (await peer.ask(type="watch", stream=STREAM))["code"] == "starting"
    monkeypatch.undo()
    assert (await peer.ask(type="watch", stream=STREAM))["type"] == "snapshot"


# Resumption


async def test_resume_from_memory_sends_exactly_what_was_missed(gateway: Running, connect: Connect) -> None:
    first = await connect(HOST)
    await first.ask(type="watch", stream=STREAM)
    await first.socket.close()
    stays = await connect(LISTENER)
    await stays.ask(type="watch", stream=STREAM)
    for _ in range(3):
        await happen(gateway)
    await heard(stays, 3)
    asked_before = len(gateway.web.snapshots)

    second = await connect(HOST)
    assert await second.ask(type="watch", stream=STREAM, after=1) == {"type": "resumed", "reply_to": 2, "stream": STREAM, "seq": 3}
    assert await heard(second, 2) == [2, 3]
    assert len(gateway.web.snapshots) == asked_before


async def test_resume_asks_web_for_who_was_not_here_before(gateway: Running, connect: Connect) -> None:
    watcher = await connect(LISTENER)
    await watcher.ask(type="watch", stream=STREAM)
    await happen(gateway)
    await heard(watcher, 1)
    gateway.web.hidden_from.add((STREAM, HOST))

    assert (await (await connect(HOST)).ask(type="watch", stream=STREAM, after=0))["code"] == "not_found"


async def test_resume_through_web_sends_what_was_missed(gateway: Running, connect: Connect) -> None:
    for _ in range(4):
        await happen(gateway)
    peer = await connect(HOST)

    assert (await peer.ask(type="watch", stream=STREAM, after=2)) == {"type": "resumed", "reply_to": 2, "stream": STREAM, "seq": 4}
    assert await heard(peer, 2) == [3, 4]
    await happen(gateway)
    assert await heard(peer, 1) == [5]


async def test_resume_with_nothing_missed(gateway: Running, connect: Connect) -> None:
    await happen(gateway)
    peer = await connect(HOST)

    assert (await peer.ask(type="watch", stream=STREAM, after=1))["seq"] == 1
    await happen(gateway)
    assert await heard(peer, 1) == [2]


async def test_resume_of_what_nobody_knows_any_more_is_a_snapshot(gateway: Running, connect: Connect) -> None:
    for _ in range(4):
        await happen(gateway)
    gateway.web.remembers_events = False

    answer = await (await connect(HOST)).ask(type="watch", stream=STREAM, after=1)

    assert (answer["type"], answer["seq"]) == ("snapshot", 4)


async def test_watching_again_with_a_gap_repairs_it(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)
    await peer.ask(type="watch", stream=STREAM)
    for _ in range(3):
        await happen(gateway)
    await heard(peer, 3)

    assert (await peer.ask(type="watch", stream=STREAM, after=1))["type"] == "resumed"
    assert await heard(peer, 2) == [2, 3]


# Races and gaps


async def test_event_between_snapshot_and_its_arrival_is_not_missed(gateway: Running, connect: Connect) -> None:
    await happen(gateway)
    peer = await connect(HOST)
    gateway.web.pause_snapshots()
    await peer.say(type="watch", stream=STREAM)
    await gateway.web.is_paused.wait()
    await happen(gateway)
    await gateway.bus.publish(f"stream.{STREAM}", gateway.web.streams[STREAM][0])  # and an old one late

    gateway.web.resume_snapshots()

    assert (await peer.hear())["seq"] == 1
    assert await heard(peer, 1) == [2]


async def test_event_that_web_knew_before_the_bus_told_is_not_sent_twice(gateway: Running, connect: Connect) -> None:
    made = await happen(gateway, lost=True)
    peer = await connect(HOST)
    assert (await peer.ask(type="watch", stream=STREAM))["seq"] == 1

    await gateway.bus.publish(f"stream.{STREAM}", made)
    await happen(gateway)

    assert await heard(peer, 1) == [2]


async def test_late_event_reaches_who_lacks_it_and_not_whose_snapshot_has_it(gateway: Running, connect: Connect) -> None:
    early, late = await connect(HOST), await connect(LISTENER)
    await early.ask(type="watch", stream=STREAM)
    made = await happen(gateway, lost=True)
    assert (await late.ask(type="watch", stream=STREAM))["seq"] == 1

    await gateway.bus.publish(f"stream.{STREAM}", made)
    await happen(gateway)

    assert (await heard(early, 2), await heard(late, 1)) == ([1, 2], [2])


async def test_first_watcher_after_a_while_begins_where_web_stands(gateway: Running, connect: Connect) -> None:
    """What was lost while nobody watched is not asked for."""
    peer = await connect(HOST)
    await peer.ask(type="watch", stream=STREAM)
    await peer.ask(type="unwatch", stream=STREAM)
    await happen(gateway, lost=True)

    await peer.ask(type="watch", stream=STREAM)
    await happen(gateway)

    assert await heard(peer, 1) == [2]
    assert [asked["after"] for asked in gateway.web.snapshots] == [None, None]


async def test_swapped_neighbours_are_put_in_order(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)
    await peer.ask(type="watch", stream=STREAM)
    first, second = gateway.web.add_event(STREAM), gateway.web.add_event(STREAM)

    await gateway.bus.publish(f"stream.{STREAM}", second)
    await gateway.bus.publish(f"stream.{STREAM}", first)

    assert await heard(peer, 2) == [1, 2]


async def test_lost_event_is_fetched_from_web(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)
    await peer.ask(type="watch", stream=STREAM)

    await happen(gateway, lost=True)
    await happen(gateway)

    assert await heard(peer, 2) == [1, 2]


async def test_events_lost_while_the_bus_was_away_are_fetched_when_it_is_back(gateway: Running, connect: Connect) -> None:
    peers = [await connect(visitor=new_id()), await connect(visitor=new_id())]
    for peer in peers:
        await peer.ask(type="watch", stream=STREAM)
    gateway.bus.disconnect()
    for _ in range(3):
        await happen(gateway, lost=True)

    gateway.bus.reconnect()

    assert [await heard(peer, 3) for peer in peers] == [[1, 2, 3]] * 2


async def test_when_web_has_forgotten_too_everybody_gets_a_snapshot_unasked(gateway: Running, connect: Connect) -> None:
    peers = [await connect(visitor=new_id()), await connect(visitor=new_id())]
    for peer in peers:
        await peer.ask(type="watch", stream=STREAM)
    gateway.web.remembers_events = False
    for _ in range(3):
        await happen(gateway, lost=True)

    gateway.bus.reconnect()

    for peer in peers:
        assert await peer.hear() == {"type": "snapshot", "reply_to": None, "stream": STREAM, "seq": 3, "state": {"events": 3}}
    await happen(gateway)
    assert [await heard(peer, 1) for peer in peers] == [[4]] * 2


async def test_stream_that_was_watched_before_a_loss_is_not_resumed_from_memory(gateway: Running, connect: Connect) -> None:
    first = await connect(visitor=new_id())
    await first.ask(type="watch", stream=STREAM)
    await first.ask(type="unwatch", stream=STREAM)
    await happen(gateway, lost=True)
    gateway.bus.reconnect()
    await happen(gateway, lost=True)

    assert (await first.ask(type="watch", stream=STREAM, after=0))["seq"] == 2
    assert await heard(first, 2) == [1, 2]


async def test_many_watchers_and_many_events_stay_in_order(gateway: Running, connect: Connect) -> None:
    """More watchers than one slice, joining while events flow."""
    people = [await connect(new_id()) for _ in range(15)]
    count = KEPT_EVENTS // 2

    async def follow(peer: Peer) -> None:
        seq = (await peer.ask(type="watch", stream=STREAM))["seq"]
        while seq < count:
            seq += 1
            assert await heard(peer, 1) == [seq]

    async def flow() -> None:
        for _ in range(count):
            await happen(gateway)
            await asyncio.sleep(0)

    await asyncio.gather(flow(), *(follow(peer) for peer in people))


async def test_unreadable_event_harms_nothing(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)
    await peer.ask(type="watch", stream=STREAM)

    await gateway.bus.publish(f"stream.{STREAM}", {"seq": "one"})
    await happen(gateway)

    assert await heard(peer, 1) == [1]


# The right to watch ends


def place_changed(place: dict[str, Any] | None, cause: str) -> dict[str, Any]:
    return {"kind": "place_changed", "data": {"room": ROOM, "place": place, "cause": cause, "by": None, "reason": None}}


LISTENING = {"role": "listener", "on_stage": False}


async def watch_all(peer: Peer) -> None:
    for stream in ("person/me", STREAM, f"hands/{ROOM}"):
        assert (await peer.ask(type="watch", stream=stream))["type"] == "snapshot"


async def test_removed_person_hears_of_the_room_no_more(gateway: Running, connect: Connect) -> None:
    removed, other = await connect(LISTENER), await connect(HOST)
    await watch_all(removed)
    await other.ask(type="watch", stream=STREAM)
    gateway.web.hidden_from.add((STREAM, LISTENER))

    await happen(gateway, f"person/{LISTENER}", **place_changed(None, "remove_person"))
    await happen(gateway)

    assert [await removed.hear(), await removed.hear()] == [
        {"type": "unwatched", "stream": STREAM},
        {"type": "unwatched", "stream": f"hands/{ROOM}"},
    ]
    assert (await removed.hear())["kind"] == "place_changed"
    assert (await removed.ask(type="ping"))["type"] == "pong"
    assert await heard(other, 1) == [1]


async def test_removal_that_the_bus_lost_counts_as_soon_as_web_tells_of_it(gateway: Running, connect: Connect) -> None:
    removed = await connect(LISTENER)
    await watch_all(removed)

    await happen(gateway, f"person/{LISTENER}", lost=True, **place_changed(None, "remove_person"))
    await happen(gateway, f"person/{LISTENER}", kind="session_ended")

    assert [await removed.hear(), await removed.hear()] == [
        {"type": "unwatched", "stream": STREAM},
        {"type": "unwatched", "stream": f"hands/{ROOM}"},
    ]
    assert [(await removed.hear())["kind"], (await removed.hear())["kind"]] == ["place_changed", "session_ended"]


async def test_every_watcher_of_hands_is_asked_for_when_some_are_lost(gateway: Running, connect: Connect) -> None:
    stays, goes = await connect(HOST), await connect(LISTENER)
    for peer in (stays, goes):
        await peer.ask(type="watch", stream=f"hands/{ROOM}")
    gateway.web.hidden_from.add((f"hands/{ROOM}", LISTENER))

    await happen(gateway, f"hands/{ROOM}", lost=True)
    await happen(gateway, f"hands/{ROOM}")

    assert await heard(stays, 2) == [1, 2]
    assert await goes.hear() == {"type": "unwatched", "stream": f"hands/{ROOM}"}
    assert (await goes.ask(type="ping"))["type"] == "pong"


async def test_removed_person_does_not_resume_from_memory(gateway: Running, connect: Connect) -> None:
    removed, other = await connect(LISTENER), await connect(HOST)
    await removed.ask(type="watch", stream=STREAM)
    await other.ask(type="watch", stream=STREAM)
    await other.ask(type="watch", stream="person/me")
    await removed.socket.close()
    gateway.web.hidden_from.add((STREAM, LISTENER))
    await happen(gateway, f"person/{LISTENER}", **place_changed(None, "remove_person"))
    await happen(gateway)
    await heard(other, 1)

    assert (await (await connect(LISTENER)).ask(type="watch", stream=STREAM, after=0))["code"] == "not_found"


async def test_removal_while_web_was_answering_wins(gateway: Running, connect: Connect) -> None:
    peer = await connect(LISTENER)
    gateway.web.pause_snapshots()
    await peer.say(type="watch", stream=STREAM)
    await gateway.web.is_paused.wait()
    gateway.web.hidden_from.add((STREAM, LISTENER))
    await happen(gateway, f"person/{LISTENER}", **place_changed(None, "remove_person"))

    gateway.web.resume_snapshots()

    assert (await peer.hear())["code"] == "not_found"


async def test_who_left_an_open_room_may_go_on_watching_it(gateway: Running, connect: Connect) -> None:
    peer = await connect(LISTENER)
    await watch_all(peer)

    await happen(gateway, f"person/{LISTENER}", **place_changed(None, "leave_room"))

    assert await peer.hear() == {"type": "unwatched", "stream": f"hands/{ROOM}"}
    assert (await peer.hear())["kind"] == "place_changed"
    await happen(gateway)
    assert await heard(peer, 1) == [1]


async def test_who_moderates_no_longer_sees_no_hands(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)
    await watch_all(peer)

    await happen(gateway, f"person/{HOST}", **place_changed({"role": "moderator", "on_stage": True}, "mute"))
    assert (await peer.hear())["kind"] == "place_changed"
    await happen(gateway, f"person/{HOST}", **place_changed(LISTENING, "step_down"))

    assert await peer.hear() == {"type": "unwatched", "stream": f"hands/{ROOM}"}
