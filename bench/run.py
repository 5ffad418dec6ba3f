"""`make bench`: start Salon, bring a crowd, print the figures as JSON lines. Everything else goes to standard error."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from bench.application import event_figures, request_figures, start_figures
from bench.figures import Figure
from bench.installation import Installation
from bench.media import LONG_PACKETS, crowd_figures, join_figures, packet_figures
from bench.processes import ProcessGone
from bench.programs import BenchFailed, build, progress

_SOCKETS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every figure could be measured; else 1, with the figures that could, and a sentence for each part that could not."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Measure Salon; figures come as JSON lines.")
    parser.add_argument("--sockets", type=int, default=_SOCKETS, help="WebSockets for the fan-out of events; 5000 takes minutes")
    options = parser.parse_args(arguments)
    # A terminated bench must not leave its server behind: turn SIGTERM into an exception that unwinds.
    signal.signal(signal.SIGTERM, interrupt)
    began = time.monotonic()
    failures: list[str] = []
    if (load := os.getloadavg()[0]) > 0.5:
        progress(f"the machine is busy already (load {load:.1f}): figures will be worse than they are")
    with _noting(failures, "building"):
        build()
        with Installation() as salon:
            with _noting(failures, "starting"):
                show(start_figures(salon))
            if not failures:
                for part, figures in parts(salon, options.sockets):
                    with _noting(failures, part):
                        show(figures)
        with _noting(failures, "a crowd"), Installation(**LONG_PACKETS) as salon:
            salon.start()
            show(crowd_figures(salon))
    progress(f"took {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


def parts(salon: Installation, sockets: int) -> list[tuple[str, Iterator[Figure]]]:
    return [
        ("joins", join_figures(salon)),
        ("packets", packet_figures(salon)),
        ("events", event_figures(salon, sockets)),
        ("requests", request_figures(salon)),
    ]


def show(figures: Iterator[Figure]) -> None:
    for figure in figures:
        print(figure.line(), flush=True)


@contextmanager
def _noting(failures: list[str], part: str) -> Iterator[None]:
    """One part's failure must not hide the other parts' figures."""
    try:
        yield
    except (BenchFailed, ProcessGone) as error:
        failures.append(part)
        progress(f"{part}: {error}")


def interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
