import json
import math

import pytest

from bench.figures import Figure, _processor, grouped, machine, percentile, significant


def test_line_is_one_json_object_with_the_median_of_its_runs() -> None:
    line = Figure("media.us_per_packet", "us", "lower", (9.0, 7.25, 8.5)).line()
    assert "\n" not in line
    assert json.loads(line) == {
        "figure": "media.us_per_packet",
        "value": 8.5,
        "unit": "us",
        "better": "lower",
        "runs": 3,
        "min": 7.25,
        "max": 9,
        "machine": machine(),
    }


def test_median_of_an_even_number_of_runs_lies_between_the_middle_two() -> None:
    assert Figure("f", "ms", "lower", (1.0, 2.0, 4.0, 100.0)).value == 3.0


@pytest.mark.parametrize("runs", [(), (math.nan,), (1.0, math.inf)])
def test_figure_without_a_finite_run_is_refused(runs: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="at least one finite run"):
        Figure("f", "ms", "lower", runs)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, 0), (7.0, 7), (123456.789, 123500), (0.000123456, 0.0001235), (3.14159, 3.142), (-2.71828, -2.718), (1000000.0, 1000000)],
)
def test_significant_keeps_four_digits_and_whole_numbers(value: float, shown: float) -> None:
    assert significant(value) == shown
    assert isinstance(significant(value), type(shown))


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(number) for number in range(20, 0, -1)]
    assert percentile(values, 0.95) == 19
    assert percentile(values, 1.0) == 20
    assert percentile(values, 0.0) == 1
    assert percentile([3.0], 0.5) == 3


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(100, [20, 20, 20, 20, 20]), (47, [20, 27]), (20, [20]), (7, [7])],
)
def test_groups_hold_every_value_once(count: int, sizes: list[int]) -> None:
    values = [float(number) for number in range(count)]
    groups = grouped(values, 20)
    assert [len(group) for group in groups] == sizes
    assert [value for group in groups for value in group] == values


def test_processor_names_family_and_model() -> None:
    cpuinfo = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: Other\n"
    assert _processor(cpuinfo) == "AMD EPYC (family 25 model 17)"
