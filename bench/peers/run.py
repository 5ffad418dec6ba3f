"""`make bench-peers`: Salon and other servers beside one another, the same audience at each, taking turns. Figures are JSON lines."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from bench.peers.audience import Audience
from bench.peers.comparison import Contender, Window, figures, table
from bench.peers.janus import Janus, JanusEventLoop
from bench.peers.livekit import LiveKit, LiveKitBatched
from bench.peers.mediasoup import Mediasoup
from bench.peers.mumble import Mumble
from bench.peers.salon import Salon
from bench.peers.server import Server
from bench.processes import ProcessGone
from bench.programs import BenchFailed, build, progress

_LISTENERS = 300
_ROUNDS = 5
_WINDOW_SECS = 4.0
_TRIES = 3
_PATIENCE_SECS = 9 * 60  # from when all is built: no round begins after it


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every server could be measured; else 1, with the figures of the others and a sentence for each that could not."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.peers.run", description="Salon beside other servers; figures come as JSON lines."
    )
    parser.add_argument("--listeners", type=int, default=_LISTENERS, help="at every server")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="windows at every server, one of each a round")
    parser.add_argument("--window", type=float, default=_WINDOW_SECS, metavar="SECONDS")
    parser.add_argument("--only", default="", metavar="NAMES", help="comma-separated; salon is always there")
    parser.add_argument("--mediasoup", type=Path, metavar="FOLDER", help="a folder where another mediasoup is installed by npm")
    options = parser.parse_args(arguments)
    # A terminated bench must not leave servers behind: turn SIGTERM into an exception that unwinds.
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    progress(f"load of the machine before we begin: {os.getloadavg()[0]:.2f}")
    try:
        build()
    except BenchFailed as error:
        progress(str(error))
        return 1
    servers: dict[str, Callable[[], Server]] = {
        Salon.name: Salon,
        Mediasoup.name: partial(Mediasoup, options.mediasoup),
        LiveKit.name: LiveKit,
        LiveKitBatched.name: LiveKitBatched,
        Janus.name: Janus,
        JanusEventLoop.name: JanusEventLoop,
        Mumble.name: Mumble,
    }
    wanted = {Salon.name, *options.only.split(",")} if options.only else set(servers)
    if unknown := wanted - set(servers):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    chosen = {name: make for name, make in servers.items() if name in wanted}
    contenders, missing = compare(chosen, options.listeners, options.rounds, options.window)
    for figure in figures(contenders):
        print(figure.line(), flush=True)
    if contenders:
        print(f"\n{options.listeners} listeners, {options.rounds} rounds\n{table(contenders, options.listeners)}\n", file=sys.stderr)
    for name, reason in missing.items():
        progress(f"{name} is left out: {reason}")
    progress(f"took {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.2f}")
    return 1 if missing else 0


def compare(
    servers: dict[str, Callable[[], Server]], listeners: int, rounds: int, window_secs: float
) -> tuple[list[Contender], dict[str, str]]:
    """Who could be measured, and for each other one the reason why not.

    All servers are up at once, each with its audience, and nobody speaks but at the one whose turn it is: so all meet the same noise
    in every round, and nobody has to come in twice.
    """
    missing: dict[str, str] = {}
    made: dict[str, Server] = {}
    for name, make in servers.items():
        with _noting(missing, name):
            server = make()
            server.prepare()
            made[name] = server
    ending = time.monotonic() + _PATIENCE_SECS
    audiences: dict[str, Audience] = {}
    windows: dict[str, list[Window]] = {}
    with ExitStack() as everything:
        for name, server in made.items():
            began = time.monotonic()
            with _noting(missing, name), ExitStack() as one:  # what fails half-way is taken down at once
                one.enter_context(server)
                audiences[name] = one.enter_context(Audience(server, listeners))
                windows[name] = []
                everything.push(one.pop_all())
                progress(f"{server.title} {server.version()}: {listeners} listeners after {time.monotonic() - began:.0f} s")
        for number in range(rounds):
            if time.monotonic() > ending:
                progress(f"no time for more than {number} of {rounds} rounds: the machine is too busy")
                break
            for name in [name for name in windows if name not in missing]:
                with _noting(missing, name):
                    windows[name].append(_window(audiences[name], window_secs))
            costs = ", ".join(f"{name} {windows[name][-1].us_per_packet:.1f}" for name in windows if name not in missing)
            progress(f"round {number + 1}: {costs} us")
        contenders = [
            Contender(name, made[name].title, made[name].version(), audiences[name].protection, taken)
            for name, taken in windows.items()
            if name not in missing and taken
        ]
    return contenders, missing


def _window(audience: Audience, secs: float) -> Window:
    """A machine that was busy with something else for a second spoils a window in which all must be heard: that one is taken again."""
    for _ in range(_TRIES - 1):
        try:
            return audience.window(secs)
        except BenchFailed as error:
            progress(f"{audience.server.title}, once more: {error}")
    return audience.window(secs)


@contextmanager
def _noting(missing: dict[str, str], name: str) -> Iterator[None]:
    """Whoever fails is out, and the others go on."""
    try:
        yield
    except (BenchFailed, ProcessGone, OSError) as error:
        missing[name] = str(error)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
