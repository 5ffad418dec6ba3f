"""Figures for operators in Prometheus' text format.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format (version 0.0.4)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Metric:
    """name: snake_case with the base unit as suffix, and `_total` on counters. help: one line."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    value: float


def exposition(metrics: Iterable[Metric]) -> str:
    return "".join(
        f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n{metric.name} {metric.value}\n" for metric in metrics
    )
