"""Figures of the media process: one room, three speakers of whom one talks, and an audience that receives and decrypts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.figures import Figure, grouped, percentile
from bench.installation import Installation
from bench.processes import cpu_secs, resident_kib
from bench.programs import BenchFailed, progress, run_limit, run_load_client

SPEAKERS = 3
SMALL, LARGE = 100, 1000
_FRAMES_PER_SEC = 50
_WINDOWS = 5
_LIMIT_RUNS = 3  # before the large audience and again after it
_JOINS_PER_RUN = 20


@dataclass(frozen=True, slots=True)
class Window:
    """What the audience received between two moments, beside what it cost the media process."""

    listeners: int
    heard: int
    packets: int
    bytes: int
    lost: int
    packets_per_listener_sec: float
    frames_per_speaker_sec: float
    delay_p99_ms: float
    seconds: float
    server_cpu_secs: float
    client_cpu_secs: float

    @property
    def us_per_packet(self) -> float:
        return self.server_cpu_secs * 1e6 / self.packets

    @property
    def lost_percent(self) -> float:
        """Late packets undo what an earlier window counted as lost, so a window can come out below nothing: that is none."""
        lost = max(self.lost, 0)
        return 100 * lost / (self.packets + lost)


@dataclass(slots=True)
class Crowd:
    """One run of the load client."""

    joined: list[dict[str, Any]] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    resident_kib: int = 0
    engine_delay_p99_ms: list[float] = field(default_factory=list)

    @property
    def us_per_packet(self) -> list[float]:
        return [window.us_per_packet for window in self.windows]

    @property
    def listeners_per_core(self) -> list[float]:
        """How many such listeners would fill one core while somebody talks.

        By the packets that a listener really got for each frame of 20 ms that was said: a load client that was kept waiting
        sends less than fifty a second, and that must not look like cheap listeners. Over all windows together, because
        what was said in one may arrive in the next.
        """
        received = sum(window.packets_per_listener_sec * window.seconds for window in self.windows)
        said = sum(window.frames_per_speaker_sec * window.seconds for window in self.windows)
        return [1e6 / (us * received / said * _FRAMES_PER_SEC) for us in self.us_per_packet]

    @property
    def packet_bytes(self) -> int:
        return round(sum(window.bytes for window in self.windows) / sum(window.packets for window in self.windows))


def media_figures(salon: Installation) -> Iterator[Figure]:
    """Each figure as soon as it is known. Raises BenchFailed if not every listener heard, or the machine was too busy to tell."""
    media = salon.media_pid()
    tokens = salon.tokens(SPEAKERS)
    fresh_kib = resident_kib(media)
    progress(f"{SMALL} listeners, one after the other")
    small = bring_crowd(salon, media, tokens=tokens, stages=SMALL, one_by_one=SMALL, window="3s")
    yield Figure("media.join_audio_ms_p95", "ms", "lower", join_p95_ms(small.joined[0]["audio_ms"]))
    progress(f"the limit program, {LARGE} receivers")
    limit = limit_us(small.packet_bytes)
    progress(f"{LARGE} listeners")
    large = bring_crowd(salon, media, tokens=tokens, stages=LARGE, one_by_one=1, window="4s")
    progress("the limit program again")
    limit += limit_us(large.packet_bytes)
    yield from crowd_figures(small, large, limit, fresh_kib)


def bring_crowd(salon: Installation, media: int, *, tokens: object, stages: int, one_by_one: int, window: str) -> Crowd:
    crowd = Crowd()
    cpu_before = 0.0
    for line in run_load_client(
        "room", base=salon.base, tokens=tokens, stages=stages, one_by_one=one_by_one, windows=_WINDOWS, window=window, deadline="150s"
    ):
        match line["kind"]:
            case "joined":
                crowd.joined.append(line)
            case "mark":
                cpu_before = cpu_secs(media)
            case "window":
                cpu = cpu_secs(media)
                crowd.windows.append(read_window(line, server_cpu_secs=cpu - cpu_before))
                cpu_before = cpu
                crowd.resident_kib = resident_kib(media)
                crowd.engine_delay_p99_ms.append(engine_delay_p99_ms(salon.metrics()))
    check(crowd, expected=stages)
    return crowd


def read_window(line: dict[str, Any], *, server_cpu_secs: float) -> Window:
    return Window(
        listeners=line["listeners"],
        heard=line["heard"],
        packets=line["packets"],
        bytes=line["bytes"],
        lost=line["lost"],
        packets_per_listener_sec=line["listener_rate"],
        frames_per_speaker_sec=line["speaker_rate"],
        delay_p99_ms=line["delay_p99_ms"],
        seconds=line["seconds"],
        server_cpu_secs=server_cpu_secs,
        client_cpu_secs=line["client_cpu_secs"],
    )


def failures(crowd: Crowd) -> list[str]:
    """A reason for each join that failed."""
    return [reason for group in crowd.joined for reason, count in group["failures"].items() for _ in range(count)]


def check(crowd: Crowd, *, expected: int) -> None:
    """A figure for so many listeners must be one of so many listeners. Raises BenchFailed."""
    for reason, count in Counter(failures(crowd)).items():
        progress(f"{count} joins failed: {reason}")
    if len(crowd.windows) != _WINDOWS:
        raise BenchFailed(f"{len(crowd.windows)} of {_WINDOWS} windows were measured")
    for window in crowd.windows:
        if window.heard != expected:
            raise BenchFailed(f"{window.heard} of {expected} listeners heard the speaker, {window.listeners} were connected")


def limit_us(packet_bytes: int) -> list[float]:
    return [line["us_per_packet"] for line in run_limit(receivers=LARGE, packet_bytes=packet_bytes, runs=_LIMIT_RUNS)]


def join_p95_ms(audio_ms: list[float]) -> tuple[float, ...]:
    return tuple(percentile(group, 0.95) for group in grouped(audio_ms, _JOINS_PER_RUN))


def engine_delay_p99_ms(metrics: str) -> float:
    """The engine's own forward delay over its last 10 s, from the operator's page. Raises BenchFailed."""
    for line in metrics.splitlines():
        name, _, value = line.partition(" ")
        if name == "salon_media_forward_delay_p99_seconds":
            return float(value) * 1000
    raise BenchFailed("the operator's page does not tell the engine's forward delay")


def crowd_figures(small: Crowd, large: Crowd, limit: list[float], fresh_kib: int) -> Iterator[Figure]:
    ours = large.us_per_packet
    windows = large.windows
    sessions = LARGE + 2 * SPEAKERS
    yield Figure("media.us_per_packet", "us", "lower", tuple(ours))
    yield Figure("media.packets_per_cpu_second", "packets/s", "higher", tuple(1e6 / us for us in ours))
    yield Figure("media.limit_us_per_packet", "us", "lower", tuple(limit))
    # Every window against the limit's median: pairing noise with noise would say nothing more.
    yield Figure("media.limit_ratio", "ratio", "higher", tuple(median(limit) / us for us in ours))
    yield Figure("media.listeners_per_core", "listeners", "higher", tuple(large.listeners_per_core))
    yield Figure("media.cost_growth_100_to_1000", "ratio", "lower", tuple(us / median(small.us_per_packet) for us in ours))
    yield Figure("media.forward_delay_ms_p99", "ms", "lower", tuple(window.delay_p99_ms for window in windows))
    yield Figure("media.engine_forward_delay_ms_p99", "ms", "lower", tuple(large.engine_delay_p99_ms))
    yield Figure("media.added_loss_percent", "%", "lower", tuple(window.lost_percent for window in windows))
    yield Figure("media.memory_per_listener_kib", "KiB", "lower", ((large.resident_kib - fresh_kib) / sessions,))
    ramp = next(group for group in large.joined if not group["one_by_one"])
    yield Figure("media.ramp_audio_ms_p95", "ms", "lower", (percentile(ramp["audio_ms"], 0.95),))
    yield Figure("media.ramp_failed", "joins", "lower", (float(len(failures(large))),))
    yield Figure("media.load_client_core_share", "cores", "lower", tuple(window.client_cpu_secs / window.seconds for window in windows))
