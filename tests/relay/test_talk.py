"""Who has the floor, how long each has talked, and what is said of it on the bus."""

from datetime import UTC, datetime, timedelta

import pytest

from salon.common.ids import new_id
from salon.relay.talk import KEPT_SECS, YIELDED_SECS, Floors, TalkBook, Turn
from tests.fakes.engine import RoomTalk
from tests.relay.conftest import Media, policy

ROOM = new_id()
START = datetime(2026, 11, 23, 5, tzinfo=UTC)


class Listening:
    """A room heard every half second."""

    def __init__(self) -> None:
        self.floors = Floors()
        self.secs = 0.0

    def hear(self, *talking: str, secs: float = 0.5) -> Turn | None:
        for _ in range(int(secs / 0.5)):
            self.floors.observe(ROOM, talking, now=self.secs, at=START + timedelta(seconds=self.secs))
            self.secs += 0.5
        return self.floors.turn(ROOM)


@pytest.fixture
def listening() -> Listening:
    return Listening()


def turn(person: str, secs: float) -> Turn:
    return Turn(person, START + timedelta(seconds=secs))


def test_who_begins_to_talk_has_the_floor_from_then_on(listening: Listening) -> None:
    assert listening.hear(secs=3) is None
    assert listening.hear("ann", secs=10) == turn("ann", 3)


def test_of_two_who_begin_at_once_the_dominant_one_has_it(listening: Listening) -> None:
    assert listening.hear("bob", "ann") == turn("bob", 0)


def test_pause_keeps_the_floor_and_a_longer_one_frees_it(listening: Listening) -> None:
    listening.hear("ann", secs=5)

    assert listening.hear(secs=KEPT_SECS) == turn("ann", 0)
    assert listening.hear("ann") == turn("ann", 0)
    assert listening.hear(secs=KEPT_SECS + 0.5) is None


def test_interjection_takes_nobodys_turn(listening: Listening) -> None:
    listening.hear("ann", secs=5)

    assert listening.hear("bob", secs=YIELDED_SECS - 0.5) == turn("ann", 0)
    assert listening.hear("bob", "ann", secs=20) == turn("ann", 0)


def test_floor_passes_to_who_talks_once_the_former_has_been_silent(listening: Listening) -> None:
    listening.hear("ann", secs=5)  # last heard at 4.5

    assert listening.hear("bob", secs=YIELDED_SECS) == turn("bob", 4.5 + YIELDED_SECS)


def test_floor_passes_in_a_pause_that_is_long_enough(listening: Listening) -> None:
    listening.hear("ann", secs=5)
    listening.hear(secs=3)

    assert listening.hear("bob") == turn("bob", 8)


def test_who_leaves_the_stage_has_the_floor_no_more(listening: Listening) -> None:
    listening.hear("ann", secs=5)

    assert not listening.floors.keep_only(ROOM, {"ann", "bob"})
    assert listening.floors.keep_only(ROOM, {"bob"})
    assert listening.floors.turn(ROOM) is None


def test_rooms_have_floors_of_their_own() -> None:
    floors, other = Floors(), new_id()
    assert floors.observe(ROOM, ["ann"], now=0, at=START)
    assert floors.observe(other, ["bob"], now=0, at=START)
    assert not floors.observe(ROOM, ["ann"], now=1, at=START)

    assert (floors.turn(ROOM), floors.turn(other), floors.rooms()) == (turn("ann", 0), turn("bob", 0), {ROOM, other})


def test_book_adds_up_and_tells_what_changed() -> None:
    book, other = TalkBook(), new_id()
    book.add(ROOM, {"ann": 500, "bob": 20})
    book.add(ROOM, {"ann": 500})
    book.add(other, {})

    assert (book.talked_ms(ROOM), book.take_changed()) == ({"ann": 1000, "bob": 20}, {ROOM})
    assert book.take_changed() == set()
    book.repeat({ROOM, other})
    assert book.take_changed() == {ROOM}
    book.forget(ROOM)
    assert book.talked_ms(ROOM) == {}


async def test_talk_is_told_as_totals_and_repeated_with_the_other_reports(media: Media) -> None:
    await media.open(ROOM, "ann", "speak")
    for _ in range(2):
        media.engine.said = [RoomTalk(ROOM, {"ann": 480}, ["ann"])]
        media.relay.listen_to_talk(now=0)
    await media.reports.tell_changed_talk()
    await media.reports.tell_changed_talk()
    told = {"node": media.relay.node, "started_at": media.relay.started_at, "talked_ms": {"ann": 960}}
    assert media.said(f"talk.{ROOM}") == [told]

    await media.reports.tell_everything()
    await media.reports.tell_changed_talk()

    assert media.said(f"talk.{ROOM}") == [told, told]


async def test_turn_is_in_presence_until_it_ends(media: Media) -> None:
    await media.open(ROOM, "ann", "speak", with_policy=policy(ROOM, 1, speakers=("ann", "bob")))
    media.engine.said = [RoomTalk(ROOM, {"ann": 480}, ["ann"])]
    media.relay.listen_to_talk(now=0)
    await media.reports.tell_changed_presence()
    media.relay.listen_to_talk(now=KEPT_SECS)  # no word of the room: silence there
    await media.reports.tell_changed_presence()
    media.relay.listen_to_talk(now=KEPT_SECS + 0.5)
    await media.reports.tell_changed_presence()

    turns = [said["turn"] for said in media.said(f"presence.{ROOM}")]
    assert [turn and turn["person"] for turn in turns] == ["ann", None]
    assert datetime.fromisoformat(turns[0]["since"]) <= datetime.now(UTC)


async def test_turn_ends_with_the_place_on_the_stage(media: Media) -> None:
    await media.open(ROOM, "ann", "speak")
    media.engine.said = [RoomTalk(ROOM, {"ann": 480}, ["ann"])]
    media.relay.listen_to_talk(now=0)

    await media.open(ROOM, "zoe", with_policy=policy(ROOM, 2, speakers=("bob",)))
    await media.reports.tell_changed_presence()

    assert media.said(f"presence.{ROOM}")[-1]["turn"] is None


async def test_what_was_said_until_a_room_ended_is_told(media: Media) -> None:
    await media.open(ROOM, "ann", "speak")
    media.engine.said = [RoomTalk(ROOM, {"ann": 480}, ["ann"])]

    await media.post_session(media.grant(ROOM, "zoe"), policy(ROOM, 2, phase="ended"))
    await media.reports.tell_changed_talk()

    assert [said["talked_ms"] for said in media.said(f"talk.{ROOM}")] == [{"ann": 480}]
    assert media.relay.floors.turn(ROOM) is None
