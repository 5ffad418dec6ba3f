"""Figures of the media process: rooms of speakers of whom one talks, and an audience that receives and decrypts."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.figures import Figure, grouped, percentile
from bench.installation import Installation
from bench.processes import cpu_secs, resident_kib
from bench.programs import BenchFailed, progress, run_limit, run_load_client

SPEAKERS = 3
SMALL, LARGE, CROWD = 100, 1000, 5000
ROOMS = 200
STORM_SECS = 30
LONG_PACKETS = {"SALON_MEDIA_LONG_PACKETS_FROM": "1"}
"""An installation that packs three frames into one packet for every audience, as others do for large ones only."""
_FRAMES_PER_SEC = 50
_FRAMES_PER_LONG_PACKET = 3
_WINDOWS = 5
_JOINS = 100
_JOINS_PER_RUN = 20
# As fast as joins may come without being what is measured.
_FILL_PER_SEC = 120


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

    @property
    def load_client_share(self) -> list[float]:
        """Of a core. Near one, it would be the load client that is being measured."""
        return [window.client_cpu_secs / window.seconds for window in self.windows]

    def of_size(self, listeners: int) -> "Crowd":
        """The part of this run in which the audience was so large. The memory is that of the run's end."""
        chosen = [index for index, window in enumerate(self.windows) if window.listeners == listeners]
        return Crowd(
            joined=self.joined,
            windows=[self.windows[index] for index in chosen],
            resident_kib=self.resident_kib,
            engine_delay_p99_ms=[self.engine_delay_p99_ms[index] for index in chosen],
        )


def join_figures(salon: Installation) -> Iterator[Figure]:
    """Visitors through the front door, one after the other."""
    progress(f"{_JOINS} joins through the front door, one after the other")
    crowd = bring_crowd(salon, tokens=salon.tokens(SPEAKERS), stages=_JOINS, one_by_one=_JOINS, windows=0, settle="0s")
    check(crowd, expected=_JOINS, windows=0)
    yield Figure("media.join_audio_ms_p95", "ms", "lower", join_p95_ms(crowd.joined[0]["audio_ms"]))


def packet_figures(salon: Installation) -> Iterator[Figure]:
    """What a packet costs beside what the kernel asks for it: one room of a thousand, then rooms of five. Raises BenchFailed."""
    progress(f"{LARGE} listeners, and the limit program by turns with them")
    limit: list[float] = []
    packet_bytes = bring_direct(salon, stages=20, windows=1, window="1s", settle="1s").packet_bytes
    large = bring_direct(salon, stages=LARGE, window="4s", on_quiet=lambda: limit.extend(limit_us(LARGE, packet_bytes)))
    ours = large.us_per_packet
    yield Figure("media.us_per_packet", "us", "lower", tuple(ours))
    yield Figure("media.packets_per_cpu_second", "packets/s", "higher", tuple(1e6 / us for us in ours))
    yield Figure("media.limit_us_per_packet", "us", "lower", tuple(limit))
    # Each window against the limit's run just before it: what slows the machine down for a while slows both.
    yield Figure("media.limit_ratio", "ratio", "higher", tuple(theirs / us for theirs, us in zip(limit, ours, strict=True)))
    yield from delay_figures(large, f"_{LARGE}")
    yield Figure("media.load_client_core_share", "cores", "lower", tuple(large.load_client_share))
    progress(f"{LARGE} listeners in {ROOMS} rooms")
    many = bring_direct(salon, stages=LARGE, rooms=ROOMS, speakers=1, window="3s")
    yield Figure("media.cost_growth_many_rooms", "ratio", "lower", tuple(us / median(ours) for us in many.us_per_packet))


def crowd_figures(salon: Installation) -> Iterator[Figure]:
    """A room that grows from a hundred to five thousand in half a minute. salon: packs long packets. Raises BenchFailed."""
    progress(f"{SMALL} listeners, then {CROWD - SMALL} more in {STORM_SECS} s, of one room with long packets")
    fresh_kib = resident_kib(salon.media_pid())
    rate = (CROWD - SMALL) / STORM_SECS
    first = bring_direct(salon, stages=SMALL, windows=1, window="1s", settle="1s")
    check_packing(first, _FRAMES_PER_LONG_PACKET)
    both = bring_direct(salon, stages=f"{SMALL},{CROWD}", join_rate=f"{rate:.2f}", window="3s")
    small, large = both.of_size(SMALL), both.of_size(CROWD)
    yield from storm_figures(both.joined[-1], failures(large))
    yield from delay_figures(large, "")
    yield Figure("media.cost_growth", "ratio", "lower", tuple(us / median(small.us_per_packet) for us in large.us_per_packet))
    yield Figure("media.long_us_per_packet", "us", "lower", tuple(large.us_per_packet))
    yield Figure("media.listeners_per_core", "listeners", "higher", tuple(large.listeners_per_core))
    yield Figure("media.memory_per_listener_kib", "KiB", "lower", ((large.resident_kib - fresh_kib) / (CROWD + SPEAKERS),))
    yield Figure("media.load_client_long_core_share", "cores", "lower", tuple(large.load_client_share))


def storm_figures(storm: dict[str, Any], failed: list[str]) -> Iterator[Figure]:
    """failed: a reason for each join that came to nothing. Refused are those to which the server said no."""
    yield Figure("media.storm_audio_ms_p50", "ms", "lower", (percentile(storm["audio_ms"], 0.5),))
    yield Figure("media.storm_audio_ms_p95", "ms", "lower", (percentile(storm["audio_ms"], 0.95),))
    yield Figure("media.storm_refused", "joins", "lower", (float(storm["refused"]),))
    yield Figure("media.storm_failed", "joins", "lower", (float(len(failed)),))


def delay_figures(crowd: Crowd, size: str) -> Iterator[Figure]:
    yield Figure(f"media.forward_delay{size}_ms_p99", "ms", "lower", tuple(window.delay_p99_ms for window in crowd.windows))
    yield Figure(f"media.engine_forward_delay{size}_ms_p99", "ms", "lower", tuple(crowd.engine_delay_p99_ms))
    yield Figure(f"media.added_loss{size}_percent", "%", "lower", tuple(window.lost_percent for window in crowd.windows))


def bring_direct(salon: Installation, *, stages: object, windows: int = _WINDOWS, **options: Any) -> Crowd:
    """Listeners whose sessions are opened at the media process itself, without web. Raises BenchFailed."""
    wanted = {"speakers": SPEAKERS, "one_by_one": 1, "join_rate": _FILL_PER_SEC, **options}
    keys: dict[str, Any] = {"control": salon.media_control, "secret_key_file": salon.secret_key_file}
    crowd = bring_crowd(salon, windows=windows, stages=stages, **keys, **wanted)
    for size in str(stages).split(","):
        check(crowd.of_size(int(size)), expected=int(size), windows=windows)
    return crowd


def bring_crowd(
    salon: Installation,
    *,
    on_quiet: Callable[[], None] | None = None,
    namespace: str | None = None,
    windows: int = _WINDOWS,
    **options: object,
) -> Crowd:
    """One run of the load client's `room`, with the server's own measurements beside each window."""
    media = salon.media_pid()
    crowd = Crowd()
    cpu_before = 0.0
    for line in run_load_client(
        "room", on_quiet=on_quiet, namespace=namespace, base=salon.base, windows=windows, deadline="170s", **options
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


def check(crowd: Crowd, *, expected: int, windows: int = _WINDOWS) -> None:
    """A figure for so many listeners must be one of so many listeners. Raises BenchFailed."""
    for reason, count in Counter(failures(crowd)).items():
        progress(f"{count} joins failed: {reason}")
    if len(crowd.windows) != windows:
        raise BenchFailed(f"{len(crowd.windows)} of {windows} windows were measured")
    for window in crowd.windows:
        if window.heard != expected:
            raise BenchFailed(f"{window.heard} of {expected} listeners heard the speaker, {window.listeners} were connected")


def check_packing(crowd: Crowd, frames: int) -> None:
    """Raises BenchFailed unless each packet held so many frames."""
    for window in crowd.windows:
        held = window.frames_per_speaker_sec / window.packets_per_listener_sec
        if not frames - 0.5 < held < frames + 0.5:
            raise BenchFailed(f"packets were to hold {frames} frames each, and held {held:.1f}")


def limit_us(receivers: int, packet_bytes: int, *, frames: int = 1) -> list[float]:
    """One run of three seconds of the limit program. frames: of 20 ms, in each packet."""
    round_ms = 20 * frames
    runs = run_limit(receivers=receivers, packet_bytes=packet_bytes, runs=1, rounds=3000 // round_ms, round_ms=round_ms)
    return [line["us_per_packet"] for line in runs]


def join_p95_ms(audio_ms: list[float]) -> tuple[float, ...]:
    return tuple(percentile(group, 0.95) for group in grouped(audio_ms, _JOINS_PER_RUN))


def engine_delay_p99_ms(metrics: str) -> float:
    """The engine's own forward delay over its last 10 s, from the operator's page. Raises BenchFailed."""
    for line in metrics.splitlines():
        name, _, value = line.partition(" ")
        if name == "salon_media_forward_delay_p99_seconds":
            return float(value) * 1000
    raise BenchFailed("the operator's page does not tell the engine's forward delay")
