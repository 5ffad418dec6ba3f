"""Figures for operators: each is in the documentation and the other way round, and sessions are counted as they come and go."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from salon.common.ids import new_id
from salon.common.paths import PACKAGE
from salon.gateway.metrics import gateway_metrics
from salon.relay.metrics import relay_metrics
from tests.fakes.engine import EngineStats, ThreadStats
from tests.relay.conftest import Media, policy

ROOM = new_id()
PAGE = PACKAGE.parent / "docs" / "hosting" / "operations.md"


def door() -> Any:
    """As much of the gateway's front door as its figures read."""
    streams = type("Streams", (), {"events": 0, "__len__": lambda self: 0})()
    return SimpleNamespace(sockets=(), gateway=SimpleNamespace(streams=streams, bus=SimpleNamespace(is_connected=True)))


def table() -> dict[str, tuple[str, set[str]]]:
    """Kind and labels of each figure in the documentation's table."""
    rows = {}
    for line in PAGE.read_text().split("## The figures")[1].split("##")[0].splitlines():
        names, _, rest = line.removeprefix("| ").partition(" | ")
        kind, _, labels = rest.partition(" | ")[0].partition(";")
        for name in re.findall(r"`(salon_\w+)`", names):
            rows[name] = (kind, set(re.findall(r"`(\w+)`", labels)))
    return rows


async def test_every_figure_is_documented_and_every_documented_one_exists(media: Media) -> None:
    there = {}
    for metric in [*relay_metrics(media.relay), *gateway_metrics(door())]:
        labels = {name for each in metric.value for name, _ in each} if isinstance(metric.value, dict) else set()
        there[metric.name] = (metric.kind, labels)
    assert there == table()


async def test_alarms_name_figures_that_exist() -> None:
    alarms = PAGE.read_text().split("## What to be alarmed by")[1].split("##")[0]
    named = {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"salon_\w+", alarms)}
    assert named and named <= table().keys()


async def test_delays_are_the_engines_own_histogram(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    stats = EngineStats(forward_delay_counts=[5, 2, 1], forward_delay_sum_secs=0.05)
    monkeypatch.setattr(media.engine, "stats", lambda: stats)
    async with media.http.get("/metrics") as response:
        lines = [line for line in (await response.text()).splitlines() if line.startswith("salon_media_forward_delay_seconds")]
    assert lines == [
        'salon_media_forward_delay_seconds_bucket{le="0.001"} 5',
        'salon_media_forward_delay_seconds_bucket{le="0.01"} 7',
        'salon_media_forward_delay_seconds_bucket{le="+Inf"} 8',
        "salon_media_forward_delay_seconds_sum 0.05",
        "salon_media_forward_delay_seconds_count 8",
    ]


async def test_drops_and_redundancy_have_labels(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    stats = EngineStats(dropped={"stun": 3, "unheard": 5}, red_legs=[7, 2, 1])
    monkeypatch.setattr(media.engine, "stats", lambda: stats)
    assert figures(media, "salon_media_packets_dropped_total") == {"stun": 3, "unheard": 5}
    assert figures(media, "salon_media_red_legs") == {"0": 7, "1": 2, "2": 1}


async def test_load_is_told_for_each_thread(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = ThreadStats(cpu_seconds=1.5, sessions=300, packets_in=70, packets_out=9_000, is_realtime=True)
    threads = [busy, ThreadStats(cpu_seconds=0.25, sessions=44)]
    monkeypatch.setattr(media.engine, "stats", lambda: EngineStats(threads=threads))
    assert figures(media, "salon_media_thread_cpu_seconds_total") == {"0": 1.5, "1": 0.25}
    assert figures(media, "salon_media_thread_packets_out_total") == {"0": 9_000}
    assert figures(media, "salon_media_thread_sessions") == {"0": 300, "1": 44}
    assert figures(media, "salon_media_thread_realtime") == {"0": 1}


def figures(media: Media, name: str) -> dict[str, float]:
    """By the values of their labels; those that are zero left out."""
    value = next(metric.value for metric in relay_metrics(media.relay) if metric.name == name)
    assert isinstance(value, dict)
    return {"/".join(word for _, word in labels): figure for labels, figure in value.items() if figure}


async def test_sessions_by_direction_and_state(media: Media) -> None:
    stage = policy(ROOM, speakers=("ann",))
    await media.open(ROOM, "ann", "speak", with_policy=stage)
    await media.open(ROOM, "ann", with_policy=stage)
    await media.open(ROOM, "zoe", with_policy=stage, connected=False)
    assert figures(media, "salon_media_sessions") == {"speak/connected": 1, "listen/connected": 1, "listen/half_open": 1}


async def test_handshakes_finish_or_fail_and_ends_have_reasons(media: Media) -> None:
    heard, lost, removed = [await media.open(ROOM, person, connected=person == "ann") for person in ("ann", "bob", "cid")]
    media.engine.lose(heard)
    media.engine.lose(lost)
    media.engine.close_session(removed, "removed")
    for session in (heard, lost, removed):
        await media.truth_told(session, "closed")
    assert figures(media, "salon_media_handshakes_total") == {"listen/finished": 1, "listen/failed": 1}
    assert figures(media, "salon_media_sessions_closed_total") == {"timed_out": 2, "removed": 1}


async def test_reason_that_the_engine_learns_later_counts_too(media: Media) -> None:
    session = await media.open(ROOM, "ann")
    media.engine.close_session(session, "bored")
    await media.truth_told(session, "closed")
    assert figures(media, "salon_media_sessions_closed_total") == {"bored": 1}
