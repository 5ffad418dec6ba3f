"""`make bench-plot`: measure what a packet costs with more and more listeners, and draw it as docs/images/cost-against-listeners.svg.

Two kinds of packets, of one frame and of three, and for each the limit program with as many receivers. `--draw` draws what was measured
before.
"""

import argparse
import json
import math
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from xml.sax.saxutils import escape

from bench.figures import machine, significant
from bench.installation import Installation
from bench.media import LONG_PACKETS, bring_direct, check_packing, limit_us
from bench.programs import BenchFailed, build, progress
from bench.results import KEPT, file_name
from bench.run import interrupt

SIZES = (100, 300, 1000, 3000, 5000)
# More would ask the two cores of a small machine for more than they have, and show their limit instead of a packet's price.
SIZES_OF_SINGLE_FRAMES = (100, 300, 1000)
IMAGE = Path(__file__).parent.parent / "docs" / "images" / "cost-against-listeners.svg"
_WINDOWS = 3
Points = list[tuple[int, float]]
"""(listeners, microseconds of processor time for a packet), by listeners."""


@dataclass(frozen=True, slots=True)
class Curve:
    label: str
    style: str
    points: Points


def measure(frames: int, sizes: Sequence[int]) -> dict[str, Points]:
    """`ours` and `limit`. One room that grows; the limit program takes turns with it at every size. Raises BenchFailed."""
    settings = LONG_PACKETS if frames > 1 else {}
    ours: Points = []
    limit: Points = []
    with Installation(**settings) as salon:
        salon.start()
        first = bring_direct(salon, stages=20, windows=1, window="1s", settle="1s")
        check_packing(first, frames)
        for size in sizes:
            progress(f"{size} listeners, packets of {frames} frames")
            theirs: list[float] = []

            def take_turn(size: int = size, theirs: list[float] = theirs) -> None:
                theirs.extend(limit_us(size, first.packet_bytes, frames=frames))

            crowd = bring_direct(salon, stages=size, windows=_WINDOWS, window="3s", on_quiet=take_turn)
            ours.append((size, median(crowd.us_per_packet)))
            limit.append((size, median(theirs)))
    return {"ours": ours, "limit": limit}


def curves(measured: Mapping[str, Mapping[str, Points]]) -> list[Curve]:
    names = {"20": "20 ms packets", "60": "60 ms packets"}
    drawn = []
    for millis, name in names.items():
        if millis in measured:
            drawn.append(Curve(f"Salon, {name}", f"ours-{millis}", measured[millis]["ours"]))
            drawn.append(Curve(f"the kernel alone, {name}", f"limit-{millis}", measured[millis]["limit"]))
    return drawn


_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 200, 56, 56
# One set of colours for a light page and one for a dark page, chosen by the reader's system, and told apart by dashes too.
_STYLE = """
svg { background: #ffffff; font: 13px system-ui, sans-serif }
.ink { fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0; stroke-width: 1 }
.curve { fill: none; stroke-width: 2.5 } .limit-20, .limit-60 { stroke-dasharray: 6 5 }
.ours-20 { stroke: #b35900 } .limit-20 { stroke: #b35900 } .ours-60 { stroke: #0550ae } .limit-60 { stroke: #0550ae }
.dot { stroke-dasharray: none } .dot.ours-20, .dot.limit-20 { fill: #b35900 } .dot.ours-60, .dot.limit-60 { fill: #0550ae }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d }
.ours-20, .limit-20 { stroke: #ffa657 } .ours-60, .limit-60 { stroke: #79c0ff }
.dot.ours-20, .dot.limit-20 { fill: #ffa657 } .dot.ours-60, .dot.limit-60 { fill: #79c0ff }
}
"""


def draw(drawn: Sequence[Curve], machine_name: str) -> str:
    """An SVG: listeners on a logarithmic axis, microseconds from nothing up. Raises ValueError where there is nothing to draw."""
    points = [point for curve in drawn for point in curve.points]
    if not points:
        raise ValueError("no points")
    sizes = sorted({size for size, _ in points})
    top = math.ceil(max(us for _, us in points) + 0.5)
    step = 1 if top <= 12 else 5

    def x(size: float) -> float:
        share = (math.log(size) - math.log(sizes[0])) / max(math.log(sizes[-1]) - math.log(sizes[0]), 1e-9)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(us: float) -> float:
        return _HEIGHT - _BOTTOM - us / top * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(_told(drawn))}</title>',
        f"<style>{_STYLE}</style>",
        _text(_LEFT, 22, "Processor time of the media process for one delivered packet", "ink", weight="600"),
        _text(_LEFT, 40, f"µs, by listeners of one room. {machine_name}", "soft"),
    ]
    for us in range(0, top + 1, step):
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(us):.1f}" y2="{y(us):.1f}"/>')
        parts.append(_text(_LEFT - 10, y(us) + 4, str(us), "soft", anchor="end"))
    for size in sizes:
        parts.append(_text(x(size), _HEIGHT - _BOTTOM + 22, f"{size:,}", "soft", anchor="middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, "listeners", "soft", anchor="middle"))
    for curve in drawn:
        path = " ".join(f"{x(size):.1f},{y(us):.1f}" for size, us in curve.points)
        parts.append(f'<polyline class="curve {curve.style}" points="{path}"/>')
        parts += [f'<circle class="dot {curve.style}" cx="{x(size):.1f}" cy="{y(us):.1f}" r="3.5"/>' for size, us in curve.points]
    parts += _legend(drawn)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(drawn: Sequence[Curve]) -> list[str]:
    """At the right, from the dearest to the cheapest."""
    parts = []
    ordered = sorted((curve for curve in drawn if curve.points), key=lambda curve: -curve.points[-1][1])
    for row, curve in enumerate(ordered):
        line_y = _TOP + 10 + 40 * row
        left = _WIDTH - _RIGHT + 16
        parts.append(f'<line class="curve {curve.style}" x1="{left}" x2="{left + 26}" y1="{line_y}" y2="{line_y}"/>')
        name, _, kind = curve.label.partition(", ")
        parts.append(_text(left + 34, line_y + 4, name, "ink"))
        parts.append(_text(left + 34, line_y + 20, kind, "soft"))
    return parts


def _told(drawn: Sequence[Curve]) -> str:
    """The same in words, for who does not see it."""
    told = ["Microseconds of processor time for one delivered packet."]
    told += [f"{curve.label}: {', '.join(f'{significant(us, 2)} at {size:,}' for size, us in curve.points)}." for curve in drawn]
    return " ".join(told)


def _text(x: float, y: float, words: str, style: str, *, anchor: str = "start", weight: str = "400") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.plot", description="Draw what a packet costs against listeners.")
    parser.add_argument("--draw", action="store_true", help="measure nothing: draw what was measured on this machine before")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    path = (KEPT / file_name(machine())).with_suffix(".curves.json")
    measured: dict[str, dict[str, Points]] = json.loads(path.read_text()) if path.exists() else {}
    missing = 0
    if not options.draw:
        build()
        for frames, sizes in ((1, SIZES_OF_SINGLE_FRAMES), (3, SIZES)):
            try:
                measured[str(20 * frames)] = measure(frames, sizes)
            except BenchFailed as error:
                progress(f"packets of {frames} frames: {error}")
                missing += 1
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(measured, indent=1) + "\n")
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_text(draw(curves(measured), machine()))
    return min(missing, 1)


if __name__ == "__main__":
    sys.exit(main())
