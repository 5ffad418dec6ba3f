"""The media process's figures for operators. docs/hosting/operations.md says what each tells, and when to be alarmed."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from salon.common.metrics import Histogram, Labels, Metric
from salon.relay.relay import Relay

if TYPE_CHECKING:
    from salon.relay._engine import EngineStats


def relay_metrics(relay: Relay) -> Iterator[Metric]:
    """Raises the engine's EngineError once it has stopped."""
    stats = relay.engine.stats()
    yield from _session_metrics(relay, stats)
    yield from _packet_metrics(stats)
    yield from _repair_metrics(stats)
    yield from _load_metrics(stats)
    yield from _quality_metrics(relay)


def _session_metrics(relay: Relay, stats: "EngineStats") -> Iterator[Metric]:
    yield Metric("salon_media_sessions", "gauge", "Open sound sessions.", _sessions(relay))
    yield Metric("salon_media_rooms", "gauge", "Rooms with a session or a stage.", stats.rooms)
    handshakes = relay.counts.handshakes()
    yield Metric("salon_media_handshakes_total", "counter", "Sessions that connected, or ended before they did.", handshakes)
    yield Metric("salon_media_sessions_restored_total", "counter", "Sessions taken up from the process before.", relay.counts.restored)
    yield Metric("salon_media_sessions_closed_total", "counter", "Sessions that ended, by reason.", relay.counts.closings())


def _sessions(relay: Relay) -> dict[Labels, float]:
    counts: dict[Labels, float] = {
        (("direction", direction), ("state", state)): 0 for direction in ("listen", "speak") for state in ("connected", "half_open")
    }
    for session in relay.sessions:
        counts[("direction", session.direction), ("state", "connected" if session.is_connected else "half_open")] += 1
    return counts


def _packet_metrics(stats: "EngineStats") -> Iterator[Metric]:
    yield Metric("salon_media_packets_in_total", "counter", "Datagrams that came, of every kind.", stats.packets_in)
    yield Metric("salon_media_packets_out_total", "counter", "Sound packets sent.", stats.packets_out)
    yield Metric("salon_media_bytes_out_total", "counter", "Bytes of sound sent.", stats.bytes_out)
    yield Metric("salon_media_bypassed_packets_total", "counter", "Packets sent around the UDP stack.", stats.bypassed)
    yield Metric("salon_media_send_errors_total", "counter", "Packets the kernel did not take.", stats.send_errors)
    dropped: dict[Labels, float] = {(("kind", kind),): count for kind, count in sorted(stats.dropped.items())}
    yield Metric("salon_media_packets_dropped_total", "counter", "Datagrams refused on arrival, by what they were.", dropped)


def _repair_metrics(stats: "EngineStats") -> Iterator[Metric]:
    yield Metric("salon_media_nacked_packets_total", "counter", "Packets that listeners asked for again.", stats.nacked)
    yield Metric("salon_media_retransmitted_packets_total", "counter", "Packets sent again.", stats.retransmitted)
    yield Metric("salon_media_requested_packets_total", "counter", "Packets that speakers were asked for again.", stats.requested)
    yield Metric("salon_media_reported_packets_total", "counter", "Packets that listeners' reports speak of.", stats.reported_expected)
    yield Metric("salon_media_reported_lost_packets_total", "counter", "Of these, missing, retransmissions included.", stats.reported_lost)
    legs: dict[Labels, float] = {(("depth", str(depth)),): count for depth, count in enumerate(stats.red_legs)}
    yield Metric("salon_media_red_legs", "gauge", "Listeners by how many copies each packet of theirs carries.", legs)


def _load_metrics(stats: "EngineStats") -> Iterator[Metric]:
    yield Metric("salon_media_engine_cpu_seconds_total", "counter", "Processor time of the engine's threads.", stats.cpu_seconds)
    yield Metric("salon_media_process_cpu_seconds_total", "counter", "Processor time of the media process.", time.process_time())
    cpu, packets, sessions = (_by_thread(stats, name) for name in ("cpu_seconds", "packets_out", "sessions"))
    yield Metric("salon_media_thread_cpu_seconds_total", "counter", "Processor time of each of the engine's threads.", cpu)
    yield Metric("salon_media_thread_packets_out_total", "counter", "Sound packets sent by each.", packets)
    yield Metric("salon_media_thread_sessions", "gauge", "Open sound sessions of each.", sessions)
    realtime: dict[Labels, float] = {labels: int(is_realtime) for labels, is_realtime in _by_thread(stats, "is_realtime").items()}
    yield Metric("salon_media_thread_realtime", "gauge", "Whether each runs before everything in normal scheduling (1 or 0).", realtime)
    delays = Histogram(stats.forward_delay_bounds_secs, stats.forward_delay_counts, stats.forward_delay_sum_secs)
    yield Metric("salon_media_forward_delay_seconds", "histogram", "Delay of a packet here, since the start.", delays)
    p50, p99 = stats.forward_delay_p50_ms / 1000, stats.forward_delay_p99_ms / 1000
    yield Metric("salon_media_forward_delay_p50_seconds", "gauge", "Median delay of a packet here, last 10 s.", p50)
    yield Metric("salon_media_forward_delay_p99_seconds", "gauge", "99th percentile of that delay, last 10 s.", p99)


def _by_thread(stats: "EngineStats", figure: Literal["cpu_seconds", "packets_out", "sessions", "is_realtime"]) -> dict[Labels, float]:
    return {(("thread", str(number)),): getattr(thread, figure) for number, thread in enumerate(stats.threads)}


def _quality_metrics(relay: Relay) -> Iterator[Metric]:
    quality = relay.quality
    yield Metric("salon_media_quality_reports_total", "counter", "Reports of clients on their sound.", quality.reports)
    help_ = "Share of the sound listeners played that was made up for what did not come, by report."
    yield Metric("salon_media_concealed_share", "histogram", help_, quality.concealed)
    help_ = "Share of packets lost on the way to a listener, or from a speaker, by report."
    yield Metric("salon_media_lost_share", "histogram", help_, quality.lost)
