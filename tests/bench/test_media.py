import pytest

from bench.media import (
    _WINDOWS,
    Crowd,
    Window,
    check,
    check_packing,
    delay_figures,
    engine_delay_p99_ms,
    join_p95_ms,
    read_window,
    storm_figures,
)
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


def test_one_run_holds_a_crowd_of_each_size() -> None:
    both = crowd(window(listeners=100), window(listeners=1000), window(listeners=1000, packets=100_000))
    assert len(both.of_size(100).windows) == 1
    assert both.of_size(1000).us_per_packet == pytest.approx([8, 16])
    assert both.of_size(7).windows == []


def test_packets_that_hold_fewer_frames_than_promised_are_refused() -> None:
    check_packing(crowd(window(listener_rate=16.7)), 3)
    with pytest.raises(BenchFailed, match=r"hold 3 frames each, and held 1\.0"):
        check_packing(crowd(window(listener_rate=50.0)), 3)


def test_storm_tells_waits_refusals_and_failures() -> None:
    storm = {"audio_ms": [float(ms) for ms in range(1, 101)], "refused": 2}
    values = {figure.name: figure.value for figure in storm_figures(storm, ["503", "503", "silent"])}
    assert values == {
        "media.storm_audio_ms_p50": 50,
        "media.storm_audio_ms_p95": 95,
        "media.storm_refused": 2,
        "media.storm_failed": 3,
    }


def test_delays_and_loss_of_a_crowd_carry_its_size() -> None:
    values = {figure.name: figure.value for figure in delay_figures(crowd(window(), window(delay_p99_ms=8.5, lost=0)), "_1000")}
    assert values["media.forward_delay_1000_ms_p99"] == 8
    assert values["media.engine_forward_delay_1000_ms_p99"] == 3
    assert values["media.added_loss_1000_percent"] == pytest.approx(100 * 10 / 200_010 / 2)


def test_load_clients_share_is_of_a_core() -> None:
    assert crowd(window(client_cpu_secs=2.0)).load_client_share == [0.5]
