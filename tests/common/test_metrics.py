"""Prometheus' text format, line by line."""

from salon.common.metrics import Histogram, Metric, exposition


def test_figure_without_labels() -> None:
    assert exposition([Metric("salon_x", "gauge", "Of x.", 3)]) == "# HELP salon_x Of x.\n# TYPE salon_x gauge\nsalon_x 3\n"


def test_figure_for_each_set_of_labels() -> None:
    value = {(("direction", "listen"), ("state", "connected")): 2, (("direction", "speak"), ("state", "connected")): 1}
    assert exposition([Metric("salon_x", "gauge", "Of x.", value)]).splitlines()[2:] == [
        'salon_x{direction="listen",state="connected"} 2',
        'salon_x{direction="speak",state="connected"} 1',
    ]


def test_buckets_add_up_and_include_their_upper_ends() -> None:
    histogram = Histogram((0.05, 0.1))
    for value in (0.0, 0.05, 0.07, 0.5):
        histogram.observe(value)
    assert exposition([Metric("salon_x", "histogram", "Of x.", {(("direction", "listen"),): histogram})]).splitlines() == [
        "# HELP salon_x Of x.",
        "# TYPE salon_x histogram",
        'salon_x_bucket{direction="listen",le="0.05"} 2',
        'salon_x_bucket{direction="listen",le="0.1"} 3',
        'salon_x_bucket{direction="listen",le="+Inf"} 4',
        'salon_x_sum{direction="listen"} 0.62',
        'salon_x_count{direction="listen"} 4',
    ]


def test_histograms_share_no_counts() -> None:
    one, other = Histogram((1,)), Histogram((1,))
    one.observe(0)
    assert (one.counts, other.counts) == ([1, 0], [0, 0])
