"""Talk times: totals of media processes become what rooms remember, each millisecond once."""

import threading

import pytest
from django.db import connection, transaction

from salon.rooms.actions.open_room import open_room
from salon.rooms.enums import Role
from salon.rooms.models import Place, Room
from salon.worker import talk_times
from salon.worker.talk_times import COUNT_SECS, REPEAT_SECS, SPOKEN_MS, TalkTimes, count_talk

pytestmark = pytest.mark.django_db

EARLIER, LATER = "2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"


@pytest.fixture
def told(monkeypatch):
    """(room, talked) of everything that gateways were told."""
    told = []
    monkeypatch.setattr(
        talk_times, "publish_on_commit", lambda subject, message: told.append((subject.removeprefix("talked."), message["talked"]))
    )
    return told


class Keeping:
    """Talk times as one keeper has them, and the time."""

    def __init__(self):
        self.now = 1000.0
        self.times = TalkTimes()

    def hear(self, room, talked_ms, *, node="n", started_at=EARLIER):
        talked_ms = {person.id: ms for person, ms in talked_ms.items()}
        self.times.hear(room.id, {"node": node, "started_at": started_at, "talked_ms": talked_ms})

    def count(self):
        self.now += COUNT_SECS
        self.times.round(self.now)


@pytest.fixture
def keeping(told):
    return Keeping()


def talked_ms(person):
    return Place.objects.get(person=person).talked_ms


def has_spoken(person):
    return Place.objects.get(person=person).has_spoken


def test_total_counts_once_however_often_it_is_said(keeping, room, host, speaker):
    for totals in ({speaker: 400}, {speaker: 900, host: 5_000}, {speaker: 900, host: 5_000}):
        keeping.hear(room, totals)
        keeping.count()
    assert (talked_ms(speaker), talked_ms(host)) == (900, 5_000)


def test_newest_total_of_several_counts(keeping, room, speaker):
    keeping.hear(room, {speaker: 400})
    keeping.hear(room, {speaker: 900})
    keeping.count()
    assert talked_ms(speaker) == 900


def test_keeper_that_starts_anew_counts_nothing_twice(keeping, room, speaker):
    keeping.hear(room, {speaker: 61_000})
    keeping.count()

    again = Keeping()
    again.hear(room, {speaker: 62_500})
    again.count()

    assert talked_ms(speaker) == 62_500


def test_media_process_that_starts_anew_adds_to_what_there_is_and_a_late_word_of_the_old_one_only_its_news(keeping, room, speaker):
    keeping.hear(room, {speaker: 61_000})
    keeping.count()
    keeping.hear(room, {speaker: 3_000}, started_at=LATER)
    keeping.count()
    assert talked_ms(speaker) == 64_000

    keeping.hear(room, {speaker: 61_500})
    keeping.hear(room, {speaker: 3_000}, started_at=LATER)
    keeping.count()

    assert talked_ms(speaker) == 64_500


def test_nodes_count_beside_each_other(keeping, room, speaker):
    keeping.hear(room, {speaker: 5_000}, node="a")
    keeping.hear(room, {speaker: 4_000}, node="b")
    keeping.count()
    assert talked_ms(speaker) == 9_000


def test_smaller_total_takes_nothing_away(keeping, room, speaker):
    for total in (5_000, 4_000, 6_000):
        keeping.hear(room, {speaker: total})
        keeping.count()
    assert talked_ms(speaker) == 6_000


def test_who_has_talked_for_a_second_has_spoken(keeping, room, host, speaker):
    keeping.hear(room, {speaker: SPOKEN_MS - 1, host: SPOKEN_MS})
    keeping.count()
    assert (has_spoken(speaker), has_spoken(host)) == (False, True)

    keeping.hear(room, {speaker: SPOKEN_MS})
    keeping.count()
    assert has_spoken(speaker)


def test_who_is_not_on_the_stage_is_counted_when_they_come_back(keeping, room, listener):
    keeping.hear(room, {listener: 61_000})
    keeping.count()
    assert (talked_ms(listener), has_spoken(listener)) == (0, False)

    place = Place.objects.filter(person=listener)
    place.update(role=Role.SPEAKER, on_stage_since=room.opened_at)
    keeping.hear(room, {listener: 61_000})
    keeping.count()

    assert (talked_ms(listener), has_spoken(listener)) == (61_000, True)


def test_each_room_is_counted_by_itself(keeping, room, host, speaker):
    other = open_room(speaker, title="x", topic="", language="en")
    Place.objects.filter(room=other, person=speaker).update(entered_at=other.opened_at)
    keeping.hear(other, {speaker: 7_000})
    keeping.hear(room, {speaker: 2_000})
    keeping.count()
    assert dict(Place.objects.filter(person=speaker).values_list("room_id", "talked_ms")) == {other.id: 7_000, room.id: 2_000}


def test_unknown_rooms_and_people_are_passed_over(room, speaker):
    totals = {("a" * 26, speaker.id): 5_000, (room.id, "b" * 26): 5_000, (room.id, speaker.id): 5_000}
    assert count_talk("n start", totals) == {room.id}
    assert count_talk("n start", {}) == set()


def test_gateways_are_told_where_something_changed_in_whole_seconds_of_the_whole_stage(keeping, told, room, host, speaker):
    keeping.count()  # the first round tells everything there is
    keeping.hear(room, {speaker: 61_999})
    keeping.count()
    assert told == [(room.id, {speaker.id: 61, host.id: 0})]

    keeping.hear(room, {speaker: 61_999})
    keeping.count()

    assert len(told) == 1


def test_counting_waits_for_its_time(keeping, told, room, speaker):
    keeping.count()
    keeping.hear(room, {speaker: 5_000})
    keeping.times.round(keeping.now + COUNT_SECS - 1)
    assert talked_ms(speaker) == 0


def test_gateways_are_told_again_every_half_minute_of_live_rooms_where_somebody_has_talked(keeping, told, room, host, speaker):
    open_room(host, title="Nobody talks here", topic="", language="en")
    keeping.hear(room, {speaker: 61_000})
    keeping.count()
    told.clear()

    for _ in range(int(REPEAT_SECS / COUNT_SECS)):
        keeping.count()
    assert told == [(room.id, {speaker.id: 61, host.id: 0})]

    Room.objects.filter(id=room.id).update(phase="ended", ended_at=room.opened_at, end_reason="ended")
    for _ in range(int(REPEAT_SECS / COUNT_SECS)):
        keeping.count()
    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
def test_place_that_somebody_is_changing_is_not_waited_for(room, host, speaker):
    is_locked, may_end = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            Place.objects.select_for_update().get(person=speaker)
            is_locked.set()
            may_end.wait(10)
        connection.close()

    changing = threading.Thread(target=change)
    changing.start()
    assert is_locked.wait(10)
    totals = {(room.id, speaker.id): 5_000, (room.id, host.id): 6_000}
    try:
        count_talk("n start", totals)
        assert (talked_ms(speaker), talked_ms(host)) == (0, 6_000)
    finally:
        may_end.set()
        changing.join()

    count_talk("n start", totals)
    assert (talked_ms(speaker), talked_ms(host)) == (5_000, 6_000)
