import pytest

from bench.application import Level, busiest_within
from bench.programs import BenchFailed


def level(at_once: int, per_sec: float, p95_ms: float) -> Level:
    return Level(at_once=at_once, per_sec=per_sec, per_cpu_sec=per_sec / 2, p95_ms=p95_ms)


def test_busiest_level_is_the_one_with_most_requests_among_those_that_keep_the_bound() -> None:
    runs = [level(2, 100, 20), level(2, 110, 22), level(4, 180, 40), level(4, 170, 150), level(8, 300, 90), level(8, 300, 151)]
    assert busiest_within(runs, 150) == runs[2:4]


def test_more_at_a_time_is_not_busier_when_it_answers_less() -> None:
    runs = [level(2, 100, 20), level(4, 90, 60)]
    assert busiest_within(runs, 150) == runs[:1]


def test_no_level_within_the_bound_is_a_failure() -> None:
    with pytest.raises(BenchFailed, match="more than 150 ms"):
        busiest_within([level(2, 100, 151)], 150)
