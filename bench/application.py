"""Figures of the application: how fast Salon starts, how fast one event reaches every socket, what requests cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from bench.figures import Figure
from bench.installation import Installation
from bench.processes import ProcessGone, cpu_secs
from bench.programs import BenchFailed, progress, run_load_client

_COLD_STARTS = 2
_WARM_STARTS = 3
_FULL_SOCKETS = 5000  # what `app.event_fanout_ms` is defined for
_EVENTS = 12
_WARMING_EVENTS = 2
# So many that none of them comes near the ten commands a second that one person may send.
_CALLERS = 16
_REQUEST_BOUND_MS = 150


def start_figures(salon: Installation) -> Iterator[Figure]:
    """Cold: an empty data folder, so the database is made and migrated. Warm: the second and later starts. Leaves `salon` running."""
    progress("cold and warm starts")
    cold = []
    for _ in range(_COLD_STARTS - 1):
        with Installation() as other:
            cold.append(other.start())
    cold.append(salon.start())
    yield Figure("app.cold_start_s", "s", "lower", tuple(cold))
    warm = []
    for _ in range(_WARM_STARTS):
        salon.stop()
        warm.append(salon.start())
    yield Figure("app.warm_start_s", "s", "lower", tuple(warm))


def event_figures(salon: Installation, sockets: int) -> Iterator[Figure]:
    """One command of the host, until its event is on every socket that watches the room."""
    progress(f"{sockets} sockets that watch one room")
    tokens = salon.tokens(1)
    lines = run_load_client("sockets", base=salon.base, tokens=tokens, count=sockets, events=_EVENTS, deadline=f"{30 + sockets // 25}s")
    events = [line for line in lines if line["kind"] == "fanout"][_WARMING_EVENTS:]
    size = "" if sockets == _FULL_SOCKETS else f"_{sockets}"
    yield Figure(f"app.event_fanout{size}_ms", "ms", "lower", tuple(event["last_ms"] for event in events))
    yield Figure(f"app.event_first{size}_ms", "ms", "lower", tuple(event["first_ms"] for event in events))


@dataclass(frozen=True, slots=True)
class Level:
    """One run of mixed requests, so many under way at a time."""

    at_once: int
    per_sec: float
    per_cpu_sec: float
    p95_ms: float


def request_figures(salon: Installation) -> Iterator[Figure]:
    """Mixed requests over the front door, more and more at a time while the 95th percentile stays within bounds.

    Cost counts the processor time that web, gateway, worker, media and PostgreSQL spent together.
    """
    progress("mixed requests")
    tokens = salon.tokens(1 + _CALLERS)
    runs: list[Level] = []
    before = 0.0
    for line in run_load_client("requests", base=salon.base, tokens=tokens, bound=f"{_REQUEST_BOUND_MS}ms", deadline="90s"):
        if line["kind"] == "mark":
            before = all_cpu_secs(salon)
        if line["kind"] == "level":
            spent = all_cpu_secs(salon) - before
            runs.append(Level(line["at_once"], line["requests"] / line["seconds"], line["requests"] / spent, line["p95_ms"]))
    best = busiest_within(runs, _REQUEST_BOUND_MS)
    yield Figure("app.mixed_requests_per_core", "requests/s", "higher", tuple(run.per_cpu_sec for run in best))
    yield Figure("app.mixed_requests_per_second", "requests/s", "higher", tuple(run.per_sec for run in best))
    yield Figure("app.mixed_requests_ms_p95", "ms", "lower", tuple(run.p95_ms for run in best))


def busiest_within(runs: list[Level], bound_ms: float) -> list[Level]:
    """The runs of the level that answered most requests a second, of those levels where every run kept the bound. Raises BenchFailed."""
    levels = [[run for run in runs if run.at_once == at_once] for at_once in sorted({run.at_once for run in runs})]
    kept = [level for level in levels if all(run.p95_ms <= bound_ms for run in level)]
    if not kept:
        raise BenchFailed(f"even the fewest requests at a time take more than {bound_ms:g} ms")
    return max(kept, key=lambda level: median(run.per_sec for run in level))


def all_cpu_secs(salon: Installation) -> float:
    """Of Salon's processes and PostgreSQL, since they began."""
    total = 0.0
    for pid in salon.pids() + salon.postgres_pids():
        try:
            total += cpu_secs(pid)
        except ProcessGone:  # a background writer of PostgreSQL, say, that ended just now
            continue
    return total
