"""What a media process tells the others: truth, presence, roster."""

from salon.common.ids import new_id
from tests.relay.conftest import Media, policy

ROOM = new_id()


def face(person: str) -> dict[str, str | None]:
    return {"id": person, "handle": person, "name": person.title(), "picture": None}


async def test_truth_of_a_session_that_comes_and_goes(media: Media) -> None:
    session = await media.open(ROOM, "zoe")
    media.engine.lose(session)

    told = {"subject": f"truth.{ROOM}", "node": media.relay.node, "session": session, "person": "zoe", "direction": "listen"}
    assert await media.truth_told(session, "connected") == told | {"kind": "connected", "reason": None}
    assert await media.truth_told(session, "closed") == told | {"kind": "closed", "reason": "timed_out"}


async def test_presence_counts_who_is_connected_and_not_on_the_stage(media: Media) -> None:
    stage = policy(ROOM, speakers=("ann", "bob"))
    await media.open(ROOM, "ann", "speak", with_policy=stage)
    await media.open(ROOM, "ann", with_policy=stage)
    await media.open(ROOM, "zoe", with_policy=stage)
    await media.open(ROOM, "visitor", with_policy=stage, has_face=False)
    await media.open(ROOM, "eve", with_policy=stage, connected=False)

    await media.reports.tell_changed_presence()

    assert media.said(f"presence.{ROOM}") == [
        {"node": media.relay.node, "audience": 2, "faces": [face("zoe")], "connected": ["ann"], "turn": None},
    ]


async def test_presence_is_told_once_for_many_changes(media: Media) -> None:
    sessions = [await media.open(ROOM, person) for person in ("ann", "bob", "zoe")]
    await media.reports.tell_changed_presence()
    for session in sessions:
        media.engine.lose(session)
        await media.truth_told(session, "closed")

    await media.reports.tell_changed_presence()
    await media.reports.tell_changed_presence()

    assert [said["audience"] for said in media.said(f"presence.{ROOM}")] == [3, 0]


async def test_roster_lists_what_is_connected(media: Media) -> None:
    stage = policy(ROOM, speakers=("ann",))
    await media.open(ROOM, "ann", "speak", with_policy=stage)
    await media.open(ROOM, "zoe", with_policy=stage)
    await media.open(ROOM, "ann", with_policy=stage)
    other = new_id()
    await media.open(other, "eve", connected=False)

    await media.reports.tell_everything()

    assert media.said("roster") == [
        {
            "node": media.relay.node,
            "started_at": media.relay.started_at,
            "rooms": {ROOM: {"listen": ["ann", "zoe"], "speak": ["ann"]}, other: {"listen": [], "speak": []}},
        }
    ]


async def test_every_report_repeats_presence_of_rooms_in_use(media: Media) -> None:
    await media.open(ROOM, "zoe")
    await media.reports.tell_changed_presence()

    await media.reports.tell_everything()
    await media.reports.tell_changed_presence()

    assert [said["audience"] for said in media.said(f"presence.{ROOM}")] == [1, 1]


async def test_bus_being_away_stops_no_session_and_the_roster_tells_later(media: Media) -> None:
    stays = await media.open(ROOM, "zoe")
    media.bus.is_connected = False
    await media.open(ROOM, "ann", connected=False)
    await media.reports.tell_everything()
    media.bus.is_connected = True

    await media.reports.tell_everything()

    assert stays in media.engine.open_sessions
    assert [roster["rooms"] for roster in media.said("roster")] == [{ROOM: {"listen": ["zoe"], "speak": []}}]
