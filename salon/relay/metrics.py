"""The media process's figures for operators."""

import time
from collections.abc import Iterator

from salon.common.metrics import Metric
from salon.relay.relay import Relay


def relay_metrics(relay: Relay) -> Iterator[Metric]:
    """Raises the engine's EngineError once it has stopped."""
    stats = relay.engine.stats()
    yield Metric("salon_media_sessions", "gauge", "Open sound sessions.", stats.sessions)
    yield Metric("salon_media_rooms", "gauge", "Rooms with a session or a stage.", stats.rooms)
    yield Metric("salon_media_packets_in_total", "counter", "Sound packets accepted.", stats.packets_in)
    yield Metric("salon_media_packets_out_total", "counter", "Sound packets sent.", stats.packets_out)
    yield Metric("salon_media_bytes_out_total", "counter", "Bytes of sound sent.", stats.bytes_out)
    yield Metric("salon_media_send_errors_total", "counter", "Packets the kernel did not take.", stats.send_errors)
    yield Metric("salon_media_packets_dropped_total", "counter", "Packets refused on arrival.", stats.packets_dropped)
    yield Metric("salon_media_engine_cpu_seconds_total", "counter", "Processor time of the engine's threads.", stats.cpu_seconds)
    yield Metric("salon_media_process_cpu_seconds_total", "counter", "Processor time of the media process.", time.process_time())
    p50, p99 = stats.forward_delay_p50_ms / 1000, stats.forward_delay_p99_ms / 1000
    yield Metric("salon_media_forward_delay_p50_seconds", "gauge", "Median delay of a packet here, last 10 s.", p50)
    yield Metric("salon_media_forward_delay_p99_seconds", "gauge", "99th percentile of that delay, last 10 s.", p99)
