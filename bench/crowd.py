"""`make bench-crowd`: how many can come in through the front door, and what that costs all of Salon's processes together."""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from bench.application import all_cpu_secs
from bench.figures import Figure, percentile
from bench.installation import Installation
from bench.media import SPEAKERS, bring_crowd, failures
from bench.programs import BenchFailed, build, progress, run_load_client
from bench.run import interrupt, show

STORM, STORM_SECS = 500, 30
_GROUPS = 5
_PER_SEC = 30
_RATES = (25, 50, 75, 100, 150)
_RATE_SECS = 6
_PATIENCE_MS = 3000


def storm_figures(salon: Installation) -> Iterator[Figure]:
    """Uniform over half a minute, as visitors: POST …/listen, ICE, DTLS, first sound."""
    progress(f"{STORM} joins through the front door in {STORM_SECS} s")
    crowd = bring_crowd(salon, tokens=salon.tokens(SPEAKERS), stages=STORM, one_by_one=1, join_rate=STORM / STORM_SECS, windows=0)
    storm = next(group for group in crowd.joined if not group["one_by_one"])
    yield Figure("app.front_storm_audio_ms_p50", "ms", "lower", (percentile(storm["audio_ms"], 0.5),))
    yield Figure("app.front_storm_audio_ms_p95", "ms", "lower", (percentile(storm["audio_ms"], 0.95),))
    yield Figure("app.front_storm_refused", "joins", "lower", (float(storm["refused"]),))
    yield Figure("app.front_storm_failed", "joins", "lower", (float(len(failures(crowd))),))


def cost_figures(salon: Installation, people: int) -> Iterator[Figure]:
    """Processor time of the whole server for a join, in a room that fills up. Nobody talks in it: what is measured is coming in."""
    progress(f"{people} joins through the front door into one quiet room, {_PER_SEC} a second")
    sizes = [people * (group + 1) // _GROUPS for group in range(_GROUPS)]
    millis: list[float] = []
    joined, spent = 0, 0.0
    options: dict[str, Any] = {
        "base": salon.base,
        "tokens": salon.tokens(1),
        "stages": ",".join(map(str, sizes)),
        "one_by_one": 1,
        "join_rate": _PER_SEC,
    }
    for line in run_load_client("room", silent="true", windows=0, settle="0s", deadline="400s", **options):
        if line["kind"] != "joined":
            continue
        if line["failures"]:
            raise BenchFailed(f"joins failed: {line['failures']}")
        before, spent = spent, all_cpu_secs(salon)
        if joined > 1:  # the first group includes what a first request ever costs
            millis.append(1000 * (spent - before) / (line["listeners"] - joined))
        joined = line["listeners"]
    if len(millis) < 2:
        raise BenchFailed("too few groups came in to compare them")
    yield Figure("app.join_cpu_ms", "ms", "lower", tuple(millis))
    yield Figure("app.joins_per_core", "joins/s", "higher", tuple(1000 / each for each in millis))
    yield Figure("app.join_cost_growth", "ratio", "lower", (millis[-1] / millis[0],))


def rate_figures(salon: Installation) -> Iterator[Figure]:
    """The most joins a second, of a few rates tried, of which none is refused and 95 of 100 hear within three seconds."""
    best = 0.0
    for rate in _RATES:
        progress(f"{rate} joins a second for {_RATE_SECS} s")
        stages = rate * _RATE_SECS
        crowd = bring_crowd(salon, tokens=salon.tokens(1), stages=stages, one_by_one=1, join_rate=rate, windows=0, silent="true")
        storm = next(group for group in crowd.joined if not group["one_by_one"])
        wait = percentile(storm["audio_ms"], 0.95) if storm["audio_ms"] else float("inf")
        if failures(crowd) or wait > _PATIENCE_MS:
            progress(f"{rate} a second is too much: {len(failures(crowd))} failed, the 95th percentile waited {wait:.0f} ms")
            break
        best = float(rate)
    yield Figure("app.front_joins_per_second", "joins/s", "higher", (best,))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description="Crowds at the front door; figures come as JSON lines.")
    parser.add_argument("--people", type=int, default=2000, help="into the room whose joins are compared, first with last")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    missing = 0
    build()
    for figures in (storm_figures, partial(cost_figures, people=options.people), rate_figures):
        try:
            with Installation() as salon:
                salon.start()
                show(figures(salon))
        except BenchFailed as error:
            progress(str(error))
            missing += 1
    return min(missing, 1)


if __name__ == "__main__":
    sys.exit(main())
