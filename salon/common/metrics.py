"""Figures for operators in Prometheus' text format.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format (version 0.0.4)
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]
"""Name and value of each, in the order to show them. Values are words of ours: nothing from outside, which would need escaping."""


@dataclass(slots=True)
class Histogram:
    """Counts of what was observed. bounds: inclusive upper ends, ascending; above the last there is one more bucket."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    """By bucket, each for itself."""
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass(frozen=True, slots=True)
class Metric:
    """name: snake_case with the base unit as suffix, and `_total` on counters. help: one line.

    value: one figure, or one for each set of labels.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    value: float | Histogram | Mapping[Labels, float] | Mapping[Labels, Histogram]


def exposition(metrics: Iterable[Metric]) -> str:
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    by_labels = metric.value if isinstance(metric.value, Mapping) else {(): metric.value}
    for labels, value in by_labels.items():
        if isinstance(value, Histogram):
            yield from _histogram_lines(metric.name, labels, value)
        else:
            yield f"{metric.name}{_shown(labels)} {value}"


def _histogram_lines(name: str, labels: Labels, histogram: Histogram) -> Iterator[str]:
    ends = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
    for end, count in zip(ends, accumulate(histogram.counts), strict=True):
        yield f"{name}_bucket{_shown((*labels, ('le', end)))} {count}"
    yield f"{name}_sum{_shown(labels)} {histogram.sum}"
    yield f"{name}_count{_shown(labels)} {sum(histogram.counts)}"


def _shown(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""
