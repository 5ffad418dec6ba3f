import json
import threading

import pytest
from django.db import connection, transaction
from django.test import Client

from salon.config.environment import environment
from salon.streams import kinds
from salon.streams.errors import StreamNotFound
from salon.streams.events import emit
from salon.streams.kinds import StreamKind, Watcher
from salon.streams.models import Stream
from salon.streams.snapshots import Missed, Snapshot, open_stream

pytestmark = pytest.mark.django_db(transaction=True)
ANN, VISITOR = Watcher("ann", None), Watcher(None, "visitor")


@pytest.fixture
def counter(monkeypatch):
    """A kind of stream whose state is the number of its own events: a snapshot that does not fit its number shows at once."""

    def admit(watcher, key):
        if watcher.person is None:
            raise StreamNotFound

    kind = StreamKind("counter", admit, lambda key: {"count": connection_count(key)})
    monkeypatch.setattr(kinds, "_KINDS", {"counter": kind, "person": StreamKind("person", lambda w, k: None, lambda key: {"of": key})})
    return kind


def connection_count(key):
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from streams_streamevent where stream_id = %s", [f"counter/{key}"])
        return cursor.fetchone()[0]


def emitted(times):
    for _ in range(times):
        with transaction.atomic():
            emit("counter/a", "k", {})


def test_open_stream_gives_the_state_and_its_number(counter):
    emitted(2)
    assert open_stream(ANN, "counter/a", None) == Snapshot(2, {"count": 2})
    assert open_stream(ANN, "counter/empty", None) == Snapshot(0, {"count": 0})


def test_open_stream_gives_missed_events_to_who_comes_back(counter):
    emitted(3)
    missed = open_stream(ANN, "counter/a", 1)
    assert isinstance(missed, Missed)
    assert (missed.seq, [event["seq"] for event in missed.events]) == (3, [2, 3])


def test_open_stream_gives_the_state_where_events_are_gone(counter):
    emitted(3)
    Stream.objects.get(name="counter/a").events.filter(seq=2).delete()
    assert open_stream(ANN, "counter/a", 1) == Snapshot(3, {"count": 2})


def test_open_stream_sees_one_moment_while_events_come(counter, monkeypatch):
    """An event that commits between reading the number and reading the state belongs to neither."""
    emitted(1)

    def state(key):
        elsewhere = threading.Thread(target=emitted_elsewhere)
        elsewhere.start()
        elsewhere.join()
        return {"count": connection_count(key)}

    monkeypatch.setitem(kinds._KINDS, "counter", StreamKind("counter", counter.admit, state))
    assert open_stream(ANN, "counter/a", None) == Snapshot(1, {"count": 1})
    assert open_stream(ANN, "counter/a", None) == Snapshot(2, {"count": 2})


def emitted_elsewhere():
    try:
        emitted(1)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("watcher", "stream"),
    [(VISITOR, "counter/a"), (ANN, "unknown/a"), (ANN, ""), (VISITOR, "person/me"), (ANN, "person/ben"), (VISITOR, "person/ann")],
)
def test_open_stream_that_is_not_for_them(counter, watcher, stream):
    with pytest.raises(StreamNotFound):
        open_stream(watcher, stream, None)


def test_open_stream_gives_a_watcher_their_own_state_and_never_events_that_are_for_everybody(counter, monkeypatch):
    def own_state(watcher, key):
        return {"own": f"{watcher.person} {key}"} if watcher.person == "ann" else None

    monkeypatch.setitem(kinds._KINDS, "counter", StreamKind("counter", counter.admit, counter.state, own_state))
    emitted(2)
    ben = Watcher("ben", None)
    for after in (None, 1):
        assert open_stream(ANN, "counter/a", after) == Snapshot(2, {"own": "ann a"})
    assert open_stream(ben, "counter/a", None) == Snapshot(2, {"count": 2})
    assert [event["seq"] for event in open_stream(ben, "counter/a", 1).events] == [2]


@pytest.mark.parametrize("name", ["person/me", "person/ann"])
def test_open_stream_of_oneself_by_either_name(counter, name):
    assert open_stream(ANN, name, None) == Snapshot(0, {"of": "ann"})


def test_register_refuses_a_second_kind_of_one_name(counter):
    with pytest.raises(ValueError, match="registered twice"):
        kinds.register(counter)


def ask(body):
    headers = {"X-Salon-Internal": environment().internal_secret}
    return Client(headers=headers).post("/internal/snapshot", json.dumps(body), "application/json")


def test_internal_snapshot_answers_state_or_events(counter):
    emitted(2)
    whole = ask({"stream": "counter/a", "person": "ann", "visitor": None, "after": None})
    assert (whole.status_code, whole.json()) == (200, {"seq": 2, "state": {"count": 2}})
    missed = ask({"stream": "counter/a", "person": "ann", "visitor": None, "after": 1}).json()
    assert (missed["seq"], [event["seq"] for event in missed["events"]]) == (2, [2])
    assert ask({"stream": "counter/a", "person": "ann", "visitor": None, "after": 2}).json() == {"seq": 2, "events": []}


def test_internal_snapshot_refuses_alike_what_is_missing_and_what_is_not_for_them(counter):
    answers = [ask({"stream": stream, "person": None, "visitor": "v", "after": None}) for stream in ("counter/a", "unknown")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 2


def test_internal_snapshot_refuses_what_it_cannot_read():
    for body in ({}, {"stream": 1}, {"stream": "x", "after": -1}, []):
        assert (ask(body).status_code, ask(body).json()["code"]) == (400, "invalid")
