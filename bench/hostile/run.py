"""`make bench-hostile`: floods, forgeries, races and bombs against running processes, and whether sound goes on."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import Figure
from bench.hostile.audience import listening
from bench.hostile.bombs import bomb_figures
from bench.hostile.half_open import half_open_figures
from bench.hostile.joins import join_figures
from bench.hostile.sound import sound_figures
from bench.installation import Installation
from bench.programs import BenchFailed, build, progress
from bench.run import interrupt, show

_ATTACKERS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=("sound", "front", "joins"))
    only = parser.parse_args(arguments).only
    signal.signal(signal.SIGTERM, interrupt)
    build()
    try:
        if only in (None, "sound"):
            show(iter(asyncio.run(sound_figures())))
        if only != "sound":
            with Installation() as salon:
                salon.start()
                host, *attackers = salon.tokens(1 + _ATTACKERS).read_text().split()
                salon.go_live()
                if only != "joins":
                    show(front_figures(salon, host, attackers))
                show(join_figures(salon))
    except BenchFailed as error:
        progress(str(error))
        return 1
    return 0


def front_figures(salon: Installation, host: str, attackers: Sequence[str]) -> Iterator[Figure]:
    """What comes through the front door while an audience listens. host, attackers: their tokens."""
    with listening(salon, _file(salon, host)) as audience:
        yield from bomb_figures(salon, attackers[0])
        yield from half_open_figures(salon, attackers, audience.room)
    yield from audience.figures("front")


def _file(salon: Installation, token: str) -> Path:
    path = salon.folder / "speaker"
    path.write_text(token + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
