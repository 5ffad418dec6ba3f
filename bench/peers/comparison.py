"""From windows to figures: what a packet cost each server, and how many times as much as ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.figures import Figure, significant
from bench.programs import BenchFailed

OURS = "salon"
_MOST_LOST = 0.01
_LEAST_SHARE = 0.9
_LEAST_US = 0.3


@dataclass(frozen=True, slots=True)
class Window:
    """What an audience received and decrypted between two moments, beside what that cost the server."""

    seconds: float
    said: int
    packets: int
    bytes: int
    delay_p99_ms: float
    server_cpu_secs: float
    everything_cpu_secs: float
    client_cpu_secs: float

    @property
    def us_per_packet(self) -> float:
        return self.server_cpu_secs * 1e6 / self.packets

    @property
    def everything_us_per_packet(self) -> float:
        return self.everything_cpu_secs * 1e6 / self.packets


@dataclass(frozen=True, slots=True)
class Contender:
    """One server with its windows, one a round."""

    name: str
    title: str
    version: str
    protection: str
    windows: Sequence[Window]

    @property
    def us_per_packet(self) -> list[float]:
        return [window.us_per_packet for window in self.windows]


def spent_secs(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Processor time between two readings by process.

    One that began in between counts from its beginning; of one that ended, what it spent since the first reading is lost.
    """
    return sum(secs - before.get(pid, 0.0) for pid, secs in after.items())


def read_window(line: Mapping[str, Any], server_cpu_secs: float, everything_cpu_secs: float, *, expected: int) -> Window:
    """The load client's line. Raises BenchFailed when it is not one of `expected` listeners who all heard what was said."""
    if line["heard"] != expected or line["listeners"] != expected:
        raise BenchFailed(f"{line['heard']} of {expected} listeners heard the speaker, {line['listeners']} were connected")
    if line["fewest"] < _LEAST_SHARE * line["packets"] / expected:
        raise BenchFailed(f"one listener received {line['fewest']} packets where the average is {line['packets'] / expected:.0f}")
    if line["unmarked"] > _MOST_LOST * line["packets"]:
        raise BenchFailed(f"{line['unmarked']} of {line['packets']} packets cannot be told apart, so loss could not be seen")
    lost = max(line["lost"], 0)
    if lost > _MOST_LOST * (line["packets"] + lost):
        raise BenchFailed(f"{lost} frames were lost beside {line['packets']} that came: a server that drops is cheap")
    if server_cpu_secs * 1e6 < _LEAST_US * line["packets"]:
        raise BenchFailed(f"{server_cpu_secs:.3f} s for {line['packets']} packets do not pay for their cipher: another process sent them")
    return Window(
        seconds=line["seconds"],
        said=line["said"],
        packets=line["packets"],
        bytes=line["bytes"],
        delay_p99_ms=line["delay_p99_ms"],
        server_cpu_secs=server_cpu_secs,
        everything_cpu_secs=everything_cpu_secs,
        client_cpu_secs=line["client_cpu_secs"],
    )


def figures(contenders: Sequence[Contender]) -> Iterator[Figure]:
    """Microseconds of each, then theirs ÷ ours of every round: what stood side by side is compared with one another."""
    ours = next((contender for contender in contenders if contender.name == OURS), None)
    for contender in contenders:
        yield Figure(f"media.{contender.name}_us_per_packet", "us", "lower", tuple(contender.us_per_packet))
    if ours is None:
        return
    whole = tuple(window.everything_us_per_packet for window in ours.windows)
    yield Figure(f"media.{OURS}_everything_us_per_packet", "us", "lower", whole)
    for contender in contenders:
        if contender is not ours:
            ratios = tuple(theirs / us for theirs, us in zip(contender.us_per_packet, ours.us_per_packet, strict=False))
            yield Figure(f"media.ratio_to_{contender.name}", "ratio", "higher", ratios)


def table(contenders: Sequence[Contender], listeners: int) -> str:
    """For people: a row each, the cheapest first."""
    ours = next((median(contender.us_per_packet) for contender in contenders if contender.name == OURS), None)
    rows = [("server", "version", "cipher", "us/packet", "min-max", "x ours", "packets/s/listener", "bytes", "delay p99", "client cores")]
    for contender in sorted(contenders, key=lambda each: median(each.us_per_packet)):
        costs, windows = contender.us_per_packet, contender.windows
        rate = median(window.packets / listeners / window.seconds for window in windows)
        rows.append(
            (
                contender.title,
                contender.version,
                contender.protection,
                f"{significant(median(costs), 3)}",
                f"{significant(min(costs), 3)}-{significant(max(costs), 3)}",
                "" if ours is None else f"{median(costs) / ours:.2f}",
                f"{rate:.1f}",
                f"{median(window.bytes / window.packets for window in windows):.0f}",
                f"{median(window.delay_p99_ms for window in windows):.1f} ms",
                f"{median(window.client_cpu_secs / window.seconds for window in windows):.2f}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
