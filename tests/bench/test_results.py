import datetime
import json

import pytest

from bench.goals import APPLICATION, ENGINE, ROBUSTNESS, Goal
from bench.page import PAGE, rendered
from bench.plot import IMAGE, Curve, curves, draw
from bench.results import KEPT, file_name, keep, merge, read_results
from bench.table import markdown_of_all, markdown_table, text_table

DAY = datetime.date(2026, 11, 23)


def line(figure, value, *, least=None, most=None, runs=1):
    return {
        "figure": figure,
        "value": value,
        "unit": "us",
        "better": "lower",
        "runs": runs,
        "min": least or value,
        "max": most or value,
        "machine": "A machine, 2 cores",
    }


GOAL = Goal("media.cost_growth", "a packet's price", "<=", 1.15, "", "mediasoup 0.9", "make bench")


def test_newest_result_of_each_figure_is_kept(tmp_path) -> None:
    path = tmp_path / "kept" / "results.jsonl"
    for printed in (line("b", 1), line("a", 2), line("b", 3)):
        keep(json.dumps(printed) + "\n", path, DAY)
    keep("progress is no figure\n", path, DAY)
    keep('{"kind": "something else"}\n', path, DAY)
    assert {name: kept["value"] for name, kept in read_results(path).items()} == {"a": 2, "b": 3}
    assert path.read_text().splitlines()[0] == json.dumps(line("a", 2) | {"measured": "2026-11-23"})


def test_other_figures_survive_a_merge(tmp_path) -> None:
    merge(tmp_path / "x.jsonl", [line("a", 1)])
    merge(tmp_path / "x.jsonl", [line("c", 2)])
    assert list(read_results(tmp_path / "x.jsonl")) == ["a", "c"]
    assert read_results(tmp_path / "nothing.jsonl") == {}


def test_machines_have_files_of_their_own() -> None:
    assert file_name("AMD EPYC (family 25), 2 cores, Linux 6.18") == "amd-epyc-family-25-2-cores-linux-6.18.jsonl"


@pytest.mark.parametrize(
    ("than", "value", "met"),
    [("<", 10, False), ("<", 9.9, True), ("<=", 10, True), ("<=", 10.1, False), (">=", 10, True), (">=", 9, False)],
)
def test_goal_is_met_on_its_side(than, value, met) -> None:
    assert Goal("f", "", than, 10, "", "", "").met(value) is met


def test_table_says_what_was_missed_and_what_was_not_measured() -> None:
    table = markdown_table([GOAL], {"media.cost_growth": line("media.cost_growth", 1.2, least=1.1, most=1.3, runs=3)})
    assert "| at most 1.15 | **1.2** (missed) | 1.1 – 1.3 | mediasoup 0.9 | `make bench` |" in table
    assert "| at most 1.15 | not measured |  |" in markdown_table([GOAL], {})
    assert "| at most 1.15 | 1.1 |  |" in markdown_table([GOAL], {"media.cost_growth": line("media.cost_growth", 1.1)})


def test_ratio_to_the_limit_stands_beside_what_it_is_made_of() -> None:
    results = {name: line(name, value) for name, value in (("media.us_per_packet", 5.1), ("media.limit_us_per_packet", 4.0))}
    assert "| 5.1 µs against 4 µs |" in markdown_table(ENGINE, results | {"media.limit_ratio": line("media.limit_ratio", 0.78)})


def test_way_around_udp_stands_beside_what_it_costs_otherwise_in_the_same_run() -> None:
    name = "media.listeners_per_core_bypass"
    results = {
        name + which: line(name + which, value)
        for which, value in (("", 25_000), ("_same_core", 17_000), ("_sockets", 12_000), ("_sockets_same_core", 11_000))
    }
    assert "| 17,000 with arrivals on the same core; by sockets 12,000, 11,000 |" in markdown_table(ENGINE, results)
    del results[name + "_sockets"]
    assert "arrivals on the same core;" not in markdown_table(ENGINE, results), "part of it would mislead"


def test_terminals_table_holds_what_was_measured() -> None:
    text = text_table({"media.cost_growth": line("media.cost_growth", 1.2), "media.storm_refused": line("media.storm_refused", 0)})
    rows = text.splitlines()
    assert len(rows) == 3
    assert "1.2" in rows[1] and "MISSED" in rows[1] and rows[1].endswith("Mumble 1.3")
    assert "met" in rows[2] and "MISSED" not in rows[2]
    assert text_table({}) == "nothing was measured\n"


def test_every_figure_is_listed_with_or_without_a_goal() -> None:
    assert "| `z.other` | 1,234 | us | 1 |  |  |" in markdown_of_all([line("z.other", 1234)])


def test_no_figure_has_two_goals() -> None:
    names = [goal.figure for goal in (*ENGINE, *ROBUSTNESS, *APPLICATION)]
    assert len(names) == len(set(names))


def test_page_holds_the_figures_that_are_kept() -> None:
    """Nobody types a number there, and nobody forgets to put a new one in: `make bench-page`."""
    page = PAGE.read_text()
    assert rendered(page, KEPT, IMAGE) == page


def test_picture_is_shown_once_it_is_drawn(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("bench.page.PAGE", tmp_path / "benchmarks.md")
    page = "before\n<!-- figures: written by make bench-page -->\n<!-- end of figures -->\nafter\n"
    image = tmp_path / "images" / "cost.svg"
    assert "cost.svg" not in rendered(page, tmp_path, image)
    image.parent.mkdir()
    image.write_text("<svg/>")
    assert "](images/cost.svg)\n\n<!-- end of figures -->\nafter\n" in rendered(page, tmp_path, image)


def test_picture_is_of_what_was_measured() -> None:
    """Nobody draws it by hand."""
    drawings = []
    for kept in KEPT.glob("*.jsonl"):
        measured = kept.with_suffix(".curves.json")
        if measured.exists():
            drawings.append(draw(curves(json.loads(measured.read_text())), next(iter(read_results(kept).values()))["machine"]))
    assert not IMAGE.exists() or IMAGE.read_text() in drawings


def test_page_without_its_markers_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="marker"):
        rendered("# Benchmarks\n", tmp_path, tmp_path / "none.svg")


def test_curves_are_drawn_to_scale_and_told_in_words() -> None:
    measured = {"60": {"ours": [(100, 6.0), (1000, 5.0)], "limit": [(100, 4.0), (1000, 4.0)]}}
    image = draw(curves(measured), "A <machine>")
    assert "A &lt;machine&gt;" in image
    assert "Salon, 60 ms packets: 6 at 100, 5 at 1,000." in image
    # 7 µs is the top of 308 units of height, and 100 to 1,000 is the whole width of 496.
    assert 'class="curve ours-60" points="64.0,100.0 560.0,144.0"' in image
    assert 'class="curve limit-60" points="64.0,188.0 560.0,188.0"' in image


def test_nothing_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="no points"):
        draw([Curve("Salon", "ours-20", [])], "A machine")
