from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from salon.streams import events
from salon.streams.actions import trim_events
from salon.streams.events import NewEvent, emit, emit_all, events_after, newest_seq
from salon.streams.models import StreamEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(monkeypatch):
    """What went to the bus, by subject."""
    sent = []
    monkeypatch.setattr(events, "publish_all_on_commit", sent.extend)
    return sent


def test_emit_numbers_each_stream_from_one_without_gaps(published):
    assert [emit("room/a", "k", {"n": n}) for n in range(3)] == [1, 2, 3]
    assert emit("room/b", "k", {}) == 1
    assert newest_seq("room/a") == 3
    assert newest_seq("room/none") == 0


def test_emit_publishes_the_ready_frame(published):
    emit("room/a", "mute_changed", {"muted": True})
    (subject, frame), stored = published[0], StreamEvent.objects.get()
    assert subject == "stream.room/a"
    at = stored.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert frame == {"type": "event", "stream": "room/a", "seq": 1, "kind": "mute_changed", "data": {"muted": True}, "at": at}


def test_emit_of_a_persons_stream_names_it_as_its_owner_watches_it(published):
    emit("person/somebody", "place_changed", {})
    assert [(subject, frame["stream"]) for subject, frame in published] == [("stream.person/somebody", "person/me")]


def test_emit_all_keeps_the_order_within_each_stream(published):
    newest = emit_all([NewEvent("b", "one", {}), NewEvent("a", "two", {}), NewEvent("b", "three", {})])
    assert newest == {"a": 1, "b": 2}
    assert [(subject, frame["seq"], frame["kind"]) for subject, frame in published] == [
        ("stream.b", 1, "one"), ("stream.a", 1, "two"), ("stream.b", 2, "three"),
    ]  # fmt: skip


def test_people_an_event_is_about_travel_beside_it_and_are_not_stored(published):
    emit_all([NewEvent("hallway", "room_listed", {"id": "r"}, people=["b", "a", "b"]), NewEvent("hallway", "room_unlisted", {"id": "r"})])
    assert [frame.get("people", "none") for _, frame in published] == [["a", "b"], "none"]
    assert published[0][1]["data"] == {"id": "r"}
    assert [frame["kind"] for frame in events_after("hallway", 0) if "people" not in frame] == ["room_listed", "room_unlisted"]


def test_emit_all_of_nothing(published):
    assert emit_all([]) == {}


def test_emit_that_rolls_back_leaves_no_gap():
    emit("room/a", "k", {})
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        emit("room/a", "lost", {})
        raise ZeroDivisionError
    assert emit("room/a", "k", {}) == 2
    assert [frame["kind"] for frame in events_after("room/a", 0) or []] == ["k", "k"]


@pytest.mark.django_db(transaction=True)
def test_emit_outside_a_transaction_is_our_bug():
    with pytest.raises(RuntimeError):
        emit("room/a", "k", {})


def test_events_after_gives_what_was_missed():
    for n in range(4):
        emit("room/a", "k", {"n": n})
    assert [(frame["seq"], frame["data"]) for frame in events_after("room/a", 2) or []] == [(3, {"n": 2}), (4, {"n": 3})]
    assert events_after("room/a", 4) == []


@pytest.mark.parametrize("seq", [5, 99])
def test_events_after_a_number_that_never_was(seq):
    for _ in range(4):
        emit("room/a", "k", {})
    assert events_after("room/a", seq) is None


def test_events_after_a_number_that_is_no_longer_stored():
    for _ in range(4):
        emit("room/a", "k", {})
    StreamEvent.objects.filter(seq=2).delete()
    assert events_after("room/a", 0) is None
    assert events_after("room/a", 1) is None
    assert [frame["seq"] for frame in events_after("room/a", 2) or []] == [3, 4]


def test_trim_drops_what_is_older_than_an_hour():
    now = timezone.now()
    for _ in range(3):
        emit("room/a", "k", {})
    StreamEvent.objects.filter(seq=1).update(at=now - timedelta(hours=1, seconds=1))
    StreamEvent.objects.filter(seq=2).update(at=now - timedelta(minutes=59))
    assert trim_events(now) == 1
    assert list(StreamEvent.objects.order_by("seq").values_list("seq", flat=True)) == [2, 3]
    assert newest_seq("room/a") == 3


def test_trim_keeps_the_newest_500_of_each_stream():
    emit_all([NewEvent("room/a", "k", {})] * 502 + [NewEvent("room/b", "k", {})])
    assert trim_events() == 2
    assert (StreamEvent.objects.filter(stream="room/a").count(), StreamEvent.objects.filter(stream="room/b").count()) == (500, 1)
    assert events_after("room/a", 1) is None
    assert len(events_after("room/a", 2) or []) == 500
