"""Measures in coarse steps: enough to see what was wrong with somebody's sound, too little to recognise them by."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from salon.common.sound_quality import SHARE_BOUNDS


@dataclass(frozen=True, slots=True)
class Scale:
    """bounds: where one step ends and the next begins, ascending; step 0 lies below the first, the last is open."""

    bounds: tuple[float, ...]
    unit: str
    """"%": bounds are shares of 1, shown in hundredths."""

    def step_of(self, value: float) -> int:
        return bisect_right(self.bounds, value)

    def range_of(self, step: int) -> tuple[float, float | None]:
        """From, and to (None: open). Raises IndexError for no step of this scale."""
        return [*pairwise((0.0, *self.bounds)), (self.bounds[-1], None)][step]

    def label(self, step: int, *, decimal_mark: str = ".") -> str:
        """In the scale's unit, without naming it: where it stands, the unit is named above. The same in every language."""
        ends = (None if end is None else f"{end * 100 if self.unit == '%' else end:g}" for end in self.range_of(step))
        low, high = (end and end.replace(".", decimal_mark) for end in ends)
        if high is None:
            return f"≥ {low}"
        return f"< {high}" if step == 0 else f"{low}–{high}"


SHARE = Scale(SHARE_BOUNDS, "%")
JITTER_MS = Scale((20, 50, 100, 200), "ms")
DELAY_MS = Scale((80, 150, 300, 600), "ms")
ROUND_TRIP_MS = Scale((50, 100, 200, 400), "ms")

SCALES = {"lost": SHARE, "concealed": SHARE, "jitter": JITTER_MS, "delay": DELAY_MS, "round_trip": ROUND_TRIP_MS}
"""By the name of the measure, which is also the model's."""
