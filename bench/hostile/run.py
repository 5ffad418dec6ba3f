"""`make bench-hostile`: floods, forgeries, races and bombs against running processes, and whether sound goes on."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from bench.hostile.bombs import bomb_figures
from bench.hostile.sound import sound_figures
from bench.installation import Installation
from bench.programs import BenchFailed, progress
from bench.run import interrupt, show


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=("sound", "bombs"))
    only = parser.parse_args(arguments).only
    signal.signal(signal.SIGTERM, interrupt)
    try:
        if only != "bombs":
            show(iter(asyncio.run(sound_figures())))
        if only != "sound":
            with Installation() as salon:
                salon.start()
                show(bomb_figures(salon))
    except BenchFailed as error:
        progress(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
