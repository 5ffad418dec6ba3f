"""Measures in steps."""

import pytest

from salon.quality.domain.steps import DELAY_MS, SHARE


@pytest.mark.parametrize(("value", "step"), [(0, 0), (0.0049, 0), (0.005, 1), (0.02, 2), (0.099, 3), (0.1, 4), (0.2, 5), (1, 5)])
def test_step_of_a_share(value: float, step: int) -> None:
    assert SHARE.step_of(value) == step


def test_range_and_label_of_each_step() -> None:
    assert [SHARE.range_of(step) for step in range(6)] == [
        (0.0, 0.005), (0.005, 0.02), (0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, None),
    ]  # fmt: skip
    assert [SHARE.label(step) for step in (0, 1, 5)] == ["< 0.5", "0.5–2", "≥ 20"]
    assert [SHARE.label(step, decimal_mark=",") for step in (0, 1, 5)] == ["< 0,5", "0,5–2", "≥ 20"]
    assert [DELAY_MS.label(step) for step in (0, 2, 4)] == ["< 80", "150–300", "≥ 600"]


def test_no_other_steps() -> None:
    with pytest.raises(IndexError):
        SHARE.range_of(6)
