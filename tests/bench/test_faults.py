"""What the comparison of roster, truth and ears says of made-up people. Times in milliseconds."""

import pytest

from bench.faults.ghosts import Comparison, figures_of, follow

HEARS = frozenset({"ada", "bob"})


def present(comparison: Comparison, at: float) -> None:
    comparison.act("join", "bob", at)
    comparison.look(HEARS, {"bob": at}, at)
    comparison.roster(HEARS, at)


@pytest.fixture
def comparison() -> Comparison:
    comparison = Comparison()
    present(comparison, 0)
    return comparison


def told(comparison: Comparison) -> tuple[list[float], float, float]:
    return comparison.vanished_listed_ms, comparison.receiver_not_listed_ms, comparison.listed_deaf_ms


def test_who_is_there_and_hears_is_no_ghost(comparison: Comparison) -> None:
    for at in (250, 500, 750):
        comparison.look(HEARS, {"bob": at - 20}, at)
    comparison.finish(1000)
    assert told(comparison) == ([], 0, 20)


@pytest.mark.parametrize("how", ["vanish", "freeze"])
def test_who_vanished_is_timed_until_the_roster_drops_them_and_excused_from_hearing(comparison: Comparison, how: str) -> None:
    comparison.act(how, "bob", 1000)
    comparison.look(HEARS, {"bob": 0}, 7000)
    comparison.roster({"ada"}, 8200)
    comparison.act("join", "bob", 9000)
    assert told(comparison) == ([7200], 0, 0)


def test_who_vanished_and_was_named_again_without_coming_was_named_all_the_time(comparison: Comparison) -> None:
    comparison.act("vanish", "bob", 1000)
    comparison.roster({"ada"}, 3000)
    comparison.roster(HEARS, 4000)
    comparison.roster({"ada"}, 11_000)
    comparison.finish(15_000)
    assert comparison.vanished_listed_ms == [10_000]


def test_who_is_never_dropped_counts_to_the_end(comparison: Comparison) -> None:
    comparison.act("vanish", "bob", 1000)
    comparison.finish(30_000)
    assert comparison.vanished_listed_ms == [29_000]


def test_receiver_who_is_not_named_is_timed_from_the_look_before(comparison: Comparison) -> None:
    comparison.look(HEARS, {}, 1000)
    comparison.look({"ada", "bob", "eve"}, {}, 1250)
    assert comparison.receiver_not_listed_ms == 250
    comparison.roster({"ada", "bob", "eve"}, 2600)
    comparison.look({"ada", "bob", "eve"}, {}, 9000)
    assert comparison.receiver_not_listed_ms == 1600


def test_receiver_whose_session_ends_is_no_receiver_any_more(comparison: Comparison) -> None:
    comparison.look({"eve"}, {}, 1000)
    comparison.look(HEARS, {}, 1250)
    comparison.look(HEARS, {}, 9000)
    assert comparison.receiver_not_listed_ms == 1250


def test_who_left_and_is_still_named_counts_as_deaf_by_what_they_heard_last(comparison: Comparison) -> None:
    comparison.look(HEARS, {"bob": 1990}, 2000)
    comparison.act("leave", "bob", 2000)
    comparison.look({"ada"}, {"bob": 0}, 8000)
    comparison.roster({"ada"}, 8001)
    comparison.look({"ada"}, {"bob": 0}, 20_000)
    assert comparison.listed_deaf_ms == 6010


def test_second_login_excuses_nobody(comparison: Comparison) -> None:
    comparison.act("second_login", "bob", 1000)
    comparison.look(HEARS, {"bob": 900}, 6500)
    assert comparison.listed_deaf_ms == 5600


def test_lines_are_followed_and_goings_counted(comparison: Comparison) -> None:
    lines = [
        {"kind": "opened"},
        {"kind": "act", "act": "vanish", "person": "bob", "at_ms": 1000.0},
        {"kind": "roster", "at_ms": 5000.0, "listed": ["ada"]},
        {"kind": "act", "act": "join", "person": "bob", "at_ms": 6000.0},
    ]
    assert [follow(comparison, line, None) for line in lines] == [False, True, False, False]  # type: ignore[arg-type]
    assert {figure.name: figure.value for figure in figures_of(comparison)} == {
        "faults.vanished_listed_ms_p99": 4000,
        "faults.vanished_listed_ms_max": 4000,
        "faults.receiver_not_listed_ms_max": 0,
        "faults.listed_deaf_ms_max": 0,
    }
