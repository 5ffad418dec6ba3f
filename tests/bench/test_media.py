import pytest

from bench.media import _WINDOWS, LARGE, Crowd, Window, check, crowd_figures, engine_delay_p99_ms, join_p95_ms, read_window
from bench.programs import BenchFailed

LINE = {
    "kind": "window",
    "listeners": 1000,
    "heard": 1000,
    "seconds": 4.0,
    "packets": 200_000,
    "bytes": 26_000_000,
    "listener_rate": 50.0,
    "speaker_rate": 50.0,
    "lost_rtp": 0,
    "lost": 10,
    "undecryptable": 0,
    "unmarked": 0,
    "delay_p50_ms": 2.0,
    "delay_p99_ms": 7.5,
    "delay_max_ms": 9.0,
    "client_cpu_secs": 1.0,
}


def window(*, cpu: float = 1.6, **changed: object) -> Window:
    return read_window({**LINE, **changed}, server_cpu_secs=cpu)


def crowd(*windows: Window, resident_kib: int = 0, failures: dict[str, int] | None = None) -> Crowd:
    joined = [
        {"audio_ms": [5.0], "one_by_one": True, "failures": {}},
        {"audio_ms": [40.0, 60.0], "one_by_one": False, "failures": failures or {}},
        {"audio_ms": [900.0], "one_by_one": False, "failures": {}},
    ]
    return Crowd(joined=joined, windows=list(windows), resident_kib=resident_kib, engine_delay_p99_ms=[3.0] * len(windows))


def test_cost_is_the_servers_time_over_packets_that_were_received() -> None:
    assert window().us_per_packet == pytest.approx(8.0)
    assert window(packets=100_000).us_per_packet == pytest.approx(16.0)


def test_listeners_of_a_core_follow_the_packets_that_they_get_for_each_frame() -> None:
    assert crowd(window()).listeners_per_core == pytest.approx([2500])
    assert crowd(window(listener_rate=50 / 3)).listeners_per_core == pytest.approx([7500])


def test_load_client_that_lags_behind_does_not_make_listeners_cheaper() -> None:
    assert crowd(window(listener_rate=25.0, speaker_rate=25.0)).listeners_per_core == pytest.approx([2500])
    lagging = crowd(window(listener_rate=30.0), window(listener_rate=70.0))
    assert lagging.listeners_per_core == pytest.approx([2500, 2500])


@pytest.mark.parametrize(("lost", "percent"), [(0, 0.0), (10, 100 * 10 / 200_010), (-3, 0.0)])
def test_loss_is_a_share_of_what_should_have_come(lost: int, percent: float) -> None:
    assert window(lost=lost).lost_percent == pytest.approx(percent)


def test_crowd_that_heard_passes_and_one_missing_listener_does_not() -> None:
    check(crowd(*[window()] * _WINDOWS), expected=1000)
    with pytest.raises(BenchFailed, match="999 of 1000 listeners heard the speaker, 1000 were connected"):
        check(crowd(*[window()] * (_WINDOWS - 1), window(heard=999)), expected=1000)


def test_crowd_with_too_few_windows_is_refused() -> None:
    with pytest.raises(BenchFailed, match="2 of 5 windows"):
        check(crowd(window(), window()), expected=1000)


def test_join_time_is_a_95th_percentile_of_every_twenty_joins() -> None:
    audio_ms = [float(number) for number in range(1, 41)]
    assert join_p95_ms(audio_ms) == (19.0, 39.0)


def test_engines_own_delay_is_read_in_milliseconds() -> None:
    name = "salon_media_forward_delay"
    page = f"# HELP {name}_p99_seconds 99th\n{name}_p50_seconds 0.001\n{name}_p99_seconds 0.0042\n"
    assert engine_delay_p99_ms(page) == pytest.approx(4.2)


def test_page_without_the_engines_delay_is_refused() -> None:
    with pytest.raises(BenchFailed, match="does not tell"):
        engine_delay_p99_ms("salon_media_sessions 0\n")


def test_figures_of_a_crowd() -> None:
    small = crowd(window(cpu=0.14, packets=20_000), window(cpu=0.16, packets=20_000))  # 7 and 8 us
    # 9, 8 and 10 us; three could not come in at first, and others came in their place
    large = crowd(window(cpu=1.8), window(cpu=1.6), window(cpu=2.0), resident_kib=100_000 + 32 * 1006, failures={"503": 2, "silent": 1})
    values = {figure.name: figure.value for figure in crowd_figures(small, large, [4.5, 4.0, 5.0], fresh_kib=100_000)}
    assert values["media.us_per_packet"] == pytest.approx(9)
    assert values["media.packets_per_cpu_second"] == pytest.approx(1e6 / 9)
    assert values["media.limit_us_per_packet"] == pytest.approx(4.5)
    assert values["media.limit_ratio"] == pytest.approx(0.5)
    assert values["media.listeners_per_core"] == pytest.approx(1e6 / 450)
    assert values["media.cost_growth_100_to_1000"] == pytest.approx(9 / 7.5)
    assert values["media.forward_delay_ms_p99"] == 7.5
    assert values["media.memory_per_listener_kib"] == 32
    assert values["media.ramp_audio_ms_p95"] == 60
    assert values["media.ramp_failed"] == 3
    assert values["media.engine_forward_delay_ms_p99"] == 3
    assert LARGE == 1000
