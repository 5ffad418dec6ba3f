"""The table: what was wanted, what was measured, and what stands beside it. As text for a terminal, as Markdown for the page."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from bench.figures import significant
from bench.goals import APPLICATION, ENGINE, ROBUSTNESS, Goal
from bench.results import NEWEST, Line, read_results

_NOT_MEASURED = "not measured"
_BESIDE = {
    "media.limit_ratio": "{media.us_per_packet} µs against {media.limit_us_per_packet} µs",
    "media.listeners_per_core_bypass": "{media.listeners_per_core_bypass_same_core} with arrivals on the same core; "
    "by sockets {media.listeners_per_core_bypass_sockets}, {media.listeners_per_core_bypass_sockets_same_core}",
}
"""For some goals, what other figures of the same run say."""


def text_table(results: Mapping[str, Line]) -> str:
    """Only what was measured."""
    rows = [_cells(goal, results[goal.figure]) for goal in (*ENGINE, *ROBUSTNESS, *APPLICATION) if goal.figure in results]
    if not rows:
        return "nothing was measured\n"
    rows.insert(0, ["figure", "goal", "measured", "", "beside it"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def markdown_table(goals: Sequence[Goal], results: Mapping[str, Line]) -> str:
    lines = ["| what | goal | measured | from – to | beside it | repeat by |", "|---|---|---|---|---|---|"]
    for goal in goals:
        line = results.get(goal.figure)
        measured, span = (_measured(goal, line), _span(line)) if line else (_NOT_MEASURED, "")
        lines.append(
            f"| {goal.what} (`{goal.figure}`) | {_goal(goal)} | {measured} | {span} | {_beside(goal, results)} | `{goal.command}` |"
        )
    return "\n".join(lines) + "\n"


def markdown_of_all(results: Iterable[Line]) -> str:
    """Every figure, those without a goal too."""
    lines = ["| figure | value | unit | runs | from – to | measured |", "|---|---|---|---|---|---|"]
    lines += [
        f"| `{line['figure']}` | {_plain(line['value'])} | {line['unit']} | {line['runs']} | {_span(line)} | {line.get('measured', '')} |"
        for line in sorted(results, key=lambda line: str(line["figure"]))
    ]
    return "\n".join(lines) + "\n"


def _cells(goal: Goal, line: Line) -> list[str]:
    verdict = "met" if goal.met(line["value"]) else "MISSED"
    return [goal.figure, _goal(goal), f"{_plain(line['value'])} {goal.unit}".strip(), verdict, goal.beside]


def _measured(goal: Goal, line: Line) -> str:
    value = f"{_plain(line['value'])} {goal.unit}".strip()
    return value if goal.met(line["value"]) else f"**{value}** (missed)"


def _beside(goal: Goal, results: Mapping[str, Line]) -> str:
    """Figures of the same run, where all of them were measured; else what others reach."""
    sentence = _BESIDE.get(goal.figure, "")
    names = re.findall(r"{([^}]+)}", sentence)
    if not names or any(name not in results for name in names):
        return goal.beside
    return re.sub(r"{([^}]+)}", lambda name: _plain(results[name[1]]["value"]), sentence)


def _goal(goal: Goal) -> str:
    sign = {"<": "under", "<=": "at most", ">=": "at least"}[goal.than]
    return f"{sign} {_plain(goal.bound)} {goal.unit}".strip()


def _span(line: Line) -> str:
    return f"{_plain(line['min'])} – {_plain(line['max'])}" if line["runs"] > 1 else ""


def _plain(value: float) -> str:
    return f"{significant(value):,}"


if __name__ == "__main__":
    sys.stderr.write("\n" + text_table(read_results(NEWEST)))
