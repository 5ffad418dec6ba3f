import random

import pytest

from salon.gateway.stream_log import KEPT_EVENTS, Event, StreamLog


def event(seq: int) -> Event:
    return Event(seq, str(seq).encode())


def events(*seqs: int) -> list[Event]:
    return [event(seq) for seq in seqs]


@pytest.fixture
def log() -> StreamLog:
    """Standing at 10."""
    log = StreamLog()
    log.start(10)
    return log


def test_events_in_turn_are_released_at_once(log: StreamLog) -> None:
    assert log.append(event(11)) == events(11)
    assert log.append(event(12)) == events(12)
    assert (log.head, log.has_gap) == (12, False)


def test_old_event_is_dropped(log: StreamLog) -> None:
    assert log.append(event(10)) == []
    assert log.append(event(3)) == []
    assert (log.head, log.has_gap) == (10, False)


def test_event_ahead_of_its_turn_waits_for_the_missing_one(log: StreamLog) -> None:
    assert log.append(event(12)) == []
    assert log.has_gap
    assert log.append(event(11)) == events(11, 12)
    assert not log.has_gap


def test_any_order_comes_out_in_order_and_once() -> None:
    shuffled = [*range(1, 101), *range(1, 101)]
    random.Random(7).shuffle(shuffled)
    log = StreamLog()
    log.start(0)

    released = [released for seq in shuffled for released in log.append(event(seq))]

    assert released == events(*range(1, 101))


def test_events_before_the_snapshot_wait_for_it() -> None:
    log = StreamLog()
    for seq in (4, 5, 6):
        assert log.append(event(seq)) == []

    assert log.start(5) == events(6)
    assert log.after(5) == events(6)


def test_second_start_changes_nothing(log: StreamLog) -> None:
    assert log.start(20) == []
    assert log.head == 10


def test_after_gives_exactly_what_is_missing(log: StreamLog) -> None:
    for seq in (11, 12, 13):
        log.append(event(seq))

    assert log.after(11) == events(12, 13)
    assert log.after(10) == events(11, 12, 13)
    assert log.after(13) == []


def test_after_admits_what_it_does_not_know(log: StreamLog) -> None:
    log.append(event(11))

    assert log.after(9) is None  # before the log began
    assert log.after(12) is None  # ahead of it
    assert StreamLog().after(0) is None


def test_only_the_last_events_are_kept(log: StreamLog) -> None:
    for seq in range(11, 11 + KEPT_EVENTS + 1):
        log.append(event(seq))

    assert log.after(10) is None
    assert log.after(11) == events(*range(12, 11 + KEPT_EVENTS + 1))


def test_skip_forgets_what_lies_between(log: StreamLog) -> None:
    log.append(event(11))
    log.append(event(31))

    assert log.skip_to(30) == events(31)
    assert log.head == 31
    assert log.after(29) is None
    assert log.after(30) == events(31)


def test_skip_back_changes_nothing(log: StreamLog) -> None:
    assert log.skip_to(5) == []
    assert log.head == 10
