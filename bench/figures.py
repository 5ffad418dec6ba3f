"""Figures: what a bench prints, one JSON object a line."""

import json
import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `runs` holds a value for each run; their median is the figure's value."""

    name: str
    unit: str
    better: Better
    runs: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.runs or not all(math.isfinite(run) for run in self.runs):
            raise ValueError(f"{self.name}: a figure needs at least one finite run, not {self.runs}")

    @property
    def value(self) -> float:
        return statistics.median(self.runs)

    def line(self) -> str:
        return json.dumps(
            {
                "figure": self.name,
                "value": significant(self.value),
                "unit": self.unit,
                "better": self.better,
                "runs": len(self.runs),
                "min": significant(min(self.runs)),
                "max": significant(max(self.runs)),
                "machine": machine(),
            }
        )


def significant(value: float, digits: int = 4) -> float:
    """Rounded to significant digits: the rest is noise. Whole numbers stay whole."""
    if value == 0 or value == int(value):
        return int(value)
    rounded = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    return int(rounded) if rounded == int(rounded) else rounded


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed (nearest rank). Raises ValueError if there are none."""
    if not values:
        raise ValueError("no values")
    rank = max(1, math.ceil(round(share * len(values), 9)))
    return sorted(values)[rank - 1]


def grouped(values: Sequence[float], size: int) -> list[Sequence[float]]:
    """Consecutive groups of `size`; a shorter rest joins the last group, so that no value is left out."""
    starts = range(0, max(len(values) - size + 1, 1), size)
    groups = [values[start : start + size] for start in starts]
    if rest := values[len(groups) * size :]:
        groups[-1] = [*groups[-1], *rest]
    return groups


@cache
def machine() -> str:
    """Processor, cores and kernel of this machine."""
    return f"{_processor(Path('/proc/cpuinfo').read_text())}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def _processor(cpuinfo: str) -> str:
    first_core = cpuinfo.partition("\n\n")[0]
    by_name = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first_core.splitlines())}
    name = by_name.get("model name", platform.machine())
    if "cpu family" in by_name and "model" in by_name:
        # Hypervisors shorten the name to the brand; family and model still tell the generation.
        name += f" (family {by_name['cpu family']} model {by_name['model']})"
    return name
