"""`make bench`: start Salon, bring a crowd, print the figures as JSON lines. Everything else goes to standard error."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from bench.application import event_figures, request_figures, start_figures
from bench.figures import Figure
from bench.installation import Installation
from bench.media import LONG_PACKETS, crowd_figures, join_figures, packet_figures
from bench.processes import ProcessGone
from bench.programs import BenchFailed, build, progress

_SOCKETS = 1000
_PARTS = ("joins", "packets", "events", "requests")
_CROWD = "crowd"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every figure could be measured; else 1, with the figures that could, and a sentence for each part that could not."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Measure Salon; figures come as JSON lines.")
    parser.add_argument("--sockets", type=int, default=_SOCKETS, help="WebSockets for the fan-out of events; 5000 takes minutes")
    parser.add_argument("--threads", type=int, default=1, help="of the media engine; with several, names of figures end in their number")
    parser.add_argument("--only", choices=(*_PARTS, _CROWD), help="one part alone")
    options = parser.parse_args(arguments)
    threads = {"SALON_MEDIA_THREADS": str(options.threads)}
    # A terminated bench must not leave its server behind: turn SIGTERM into an exception that unwinds.
    signal.signal(signal.SIGTERM, interrupt)
    began = time.monotonic()
    failures: list[str] = []
    if (load := os.getloadavg()[0]) > 0.5:
        progress(f"the machine is busy already (load {load:.1f}): figures will be worse than they are")
    with _noting(failures, "building"):
        build()
        if options.only != _CROWD:
            with Installation(**threads) as salon:
                with _noting(failures, "starting"):
                    show(start_figures(salon), threads=options.threads)
                for part, figures in parts(salon, options.sockets) if not failures else ():
                    with _noting(failures, part):
                        if options.only in (None, part):
                            show(figures, threads=options.threads)
        if options.only in (None, _CROWD):
            with _noting(failures, "a crowd"), Installation(**LONG_PACKETS, **threads) as salon:
                salon.start()
                show(crowd_figures(salon), threads=options.threads)
    progress(f"took {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


def parts(salon: Installation, sockets: int) -> Iterator[tuple[str, Iterator[Figure]]]:
    return zip(_PARTS, (join_figures(salon), packet_figures(salon), event_figures(salon, sockets), request_figures(salon)), strict=True)


def show(figures: Iterator[Figure], *, threads: int = 1) -> None:
    """threads: of the engine. Figures of several must not be taken for those of one."""
    for figure in figures:
        print((figure if threads == 1 else replace(figure, name=f"{figure.name}_{threads}_threads")).line(), flush=True)


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
