"""`make bench-silencing`: how soon who was muted, moved, removed or blocked is silent, and whether any door lets them back in.

One person speaks in a room and goes on sending whatever the server says, as a client of bad will would; a moderator silences them again and
again, in every way there is. Times run from the answer to the command to the last packet that came out at somebody's socket.
"""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence

from bench.figures import Figure, grouped, percentile
from bench.installation import Installation
from bench.programs import BenchFailed, build, progress, run_load_client
from bench.run import interrupt, show

_TRIALS = 140
_LEAVING = ("remove_person", "block")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.silencing", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=_TRIALS, help=f"how often somebody is silenced; {_TRIALS} take five minutes")
    parser.add_argument("--audience", type=int, default=0, help="further listeners in the room")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    build()
    try:
        with Installation() as salon:
            salon.start()
            show(silencing_figures(salon, options.trials, options.audience))
    except BenchFailed as error:
        progress(str(error))
        return 1
    return 0


def silencing_figures(salon: Installation, trials: int, audience: int) -> Iterator[Figure]:
    """Raises BenchFailed when a trial could not be made, which is never counted as silence."""
    lines = [
        line
        for line in run_load_client("silencing", base=salon.base, tokens=salon.tokens(3), trials=trials, audience=audience)
        if line["kind"] == "silenced"
    ]
    if len(lines) != trials:
        raise BenchFailed(f"{len(lines)} of {trials} trials were made")
    for act in sorted({line["act"] for line in lines}):
        mine = [line for line in lines if line["act"] == act]
        after_answer, after_asking = (max(line[key] for line in mine) for key in ("heard_ms", "since_asked_ms"))
        progress(
            f"{act}: last heard {after_answer:.0f} ms after the answer, {after_asking:.0f} ms after asking at most ({len(mine)} times)"
        )
    leaving = [line for line in lines if line["act"] in _LEAVING]
    yield _p99("access.silenced_heard_ms_p99", [line["heard_ms"] for line in lines])
    yield Figure("access.silenced_heard_ms_max", "ms", "lower", (max(line["heard_ms"] for line in lines),))
    # The policy leaves for the media process before the answer does, so the time after the answer may be none at all.
    yield _p99("access.silenced_since_asked_ms_p99", [line["since_asked_ms"] for line in lines])
    yield _p99("access.removed_hearing_ms_p99", [line["hearing_ms"] for line in leaving])
    yield Figure("access.removed_hearing_ms_max", "ms", "lower", (max(line["hearing_ms"] for line in leaving),))
    yield Figure("access.removed_admitted", "attempts", "lower", (sum(line["admitted"] for line in leaving),))
    yield _p99("access.answer_ms_p99", [line["answer_ms"] for line in lines])


def _p99(name: str, times: list[float]) -> Figure:
    """Over all trials; smallest and largest are of groups of them."""
    return Figure(name, "ms", "lower", tuple(percentile(group, 0.99) for group in grouped(times, len(times))))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
