"""`make bench-faults`: media is killed and replaced under an audience that only listens; then people come and go in every way there is.

Figures come as JSON lines.
"""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.faults.ghosts import ghost_figures
from bench.faults.room_state import command, person_of, sessions, stage
from bench.figures import Figure, percentile
from bench.installation import Installation
from bench.processes import is_running
from bench.programs import BenchFailed, build, progress, run_load_client
from bench.run import interrupt, show
from salon.cli.serve import HAND_OVER_SECS

_KILLS, _UPGRADES, _LISTENERS, _TRIALS = 20, 5, 1000, 60
# Longer than what makes a run healthy: a restart begins without a pause, and each kill is one of its own.
_WINDOW_SECS = 14
# Until the supervisor gives a successor up, and a while to see that nothing came of it.
_ABORTED_WINDOW_SECS = int(HAND_OVER_SECS) + 10
_SUCCESSOR_SECS = 10
_ACT_AFTER_SECS = 1.5
_STAGE = 4
"""The host, who talks; two who are muted; one who is removed while media is dead."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listeners", type=int, default=_LISTENERS)
    parser.add_argument("--kills", type=int, default=_KILLS)
    parser.add_argument("--upgrades", type=int, default=_UPGRADES)
    parser.add_argument("--trials", type=int, default=_TRIALS, help=f"how often somebody vanishes or goes; {_TRIALS} take two minutes")
    parser.add_argument("--only", choices=("media", "aborted", "ghosts"), help="one part; all parts if left out")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    build()
    try:
        with Installation() as salon:
            salon.start()
            parts = {
                "media": fault_figures(salon, options.listeners, options.kills, options.upgrades),
                "aborted": aborted_upgrade_figures(salon, options.listeners),
                "ghosts": ghost_figures(salon, options.trials),
            }
            for name in [options.only] if options.only else parts:
                show(parts[name])
    except BenchFailed as error:
        progress(str(error))
        return 1
    return 0


def fault_figures(salon: Installation, listeners: int, kills: int, upgrades: int) -> Iterator[Figure]:
    """Raises BenchFailed when what was to be measured did not happen."""
    faults = Faults(salon, salon.tokens(_STAGE), [*["kill"] * kills, *["upgrade"] * upgrades])
    windows = measured_windows(salon, faults, listeners, kills + upgrades, _WINDOW_SECS)
    yield from gap_figures("faults.media_kill", windows[:kills])
    yield Figure("faults.media_kill_changed", "differences", "lower", (float(faults.differences),))
    yield Figure("faults.media_kill_removed_came_back", "sessions", "lower", (float(faults.came_back),))
    yield from gap_figures("faults.media_upgrade", windows[kills:])
    if upgrades:
        yield Figure("faults.media_upgrade_secs", "s", "lower", tuple(faults.upgrade_secs))


def aborted_upgrade_figures(salon: Installation, listeners: int) -> Iterator[Figure]:
    """An upgrade whose new process never gets ready. Raises BenchFailed when whoever asked for it is not told."""
    faults = Faults(salon, salon.tokens(_STAGE), ["aborted upgrade"])
    windows = measured_windows(salon, faults, listeners, 1, _ABORTED_WINDOW_SECS)
    yield from gap_figures("faults.aborted_upgrade", windows)
    yield Figure("faults.aborted_upgrade_changed", "differences", "lower", (float(faults.differences),))


def measured_windows(salon: Installation, faults: "Faults", listeners: int, count: int, secs: int) -> list[dict[str, Any]]:
    """Of a room with so many listeners. Raises BenchFailed."""
    windows: list[dict[str, Any]] = []
    for line in run_load_client("gaps", base=salon.base, tokens=faults.tokens_file, listeners=listeners, windows=count, window=f"{secs}s"):
        match line["kind"]:
            case "joined":
                progress(f"{len(line['audio_ms'])} listeners joined, {sum(line['failures'].values())} failed")
            case "opened":
                faults.prepare(line["room"])
            case "begin":
                faults.begin()
            case "gaps":
                faults.check_after()
                windows.append(line)
                progress(f"{faults.done[-1]}: longest gap {max(line['gap_ms']):.0f} ms, {line['hear_at_end']} of {line['listeners']} hear")
    if len(windows) != count:
        raise BenchFailed(f"{len(windows)} of {count} windows were measured")
    return windows


def gap_figures(name: str, windows: Sequence[dict[str, Any]]) -> Iterator[Figure]:
    """Percentiles over all listeners, one for each window."""
    if not windows:
        return
    for share in (0.5, 0.95, 0.99):
        gaps = tuple(percentile(window["gap_ms"], share) for window in windows)
        yield Figure(f"{name}_gap_ms_p{share * 100:.0f}", "ms", "lower", gaps)
    yield Figure(f"{name}_gap_ms_max", "ms", "lower", (max(max(window["gap_ms"]) for window in windows),))
    lost = sum(window["listeners"] - window["hear_at_end"] for window in windows)
    yield Figure(f"{name}_sessions_lost", "sessions", "lower", (float(lost),))


class Faults:
    """Does the next thing to media in each window, and compares before and after."""

    def __init__(self, salon: Installation, tokens_file: Path, acts: Sequence[str]) -> None:
        self.tokens_file = tokens_file
        self._salon = salon
        self._tokens = tokens_file.read_text().split()
        self._acts = iter(acts)
        self.done: list[str] = []
        self.differences = 0
        self.came_back = 0
        self.upgrade_secs: list[float] = []
        self._room = self._victim = ""
        self._is_removed = False
        self._acting: threading.Thread | None = None
        self._failure: BaseException | None = None

    def prepare(self, room: str) -> None:
        """Mutes on the stage, and a lock on the door, which must outlive every kill."""
        self._room = room
        for token in self._tokens[1:3]:
            command(self._salon, room, token, "mute", {})
        command(self._salon, room, self._tokens[0], "edit_room", {"locked": True})
        self._victim = person_of(self._salon, self._tokens[3])
        time.sleep(1)

    def begin(self) -> None:
        self._before = (stage(self._salon, self._room), sessions(self._salon))
        self._acting = threading.Thread(target=self._act, args=(next(self._acts),))
        self._acting.start()

    def check_after(self) -> None:
        """Raises BenchFailed if nothing could be done in this window."""
        assert self._acting is not None
        self._acting.join()
        if self._failure is not None:
            raise BenchFailed(f"media could not be harmed: {self._failure}")
        places, heard = self._before
        if self._is_removed:
            places = [place for place in places if place[0] != self._victim]
            heard = {session: truth for session, truth in heard.items() if truth[0] != self._victim}
        after = sessions(self._salon)
        self.came_back += sum(truth[0] == self._victim for truth in after.values()) if self._is_removed else 0
        now = stage(self._salon, self._room)
        self.differences += len(set(places) ^ set(now)) + len(set(heard.items()) ^ set(after.items()))

    def _act(self, what: str) -> None:
        self.done.append(what)
        time.sleep(_ACT_AFTER_SECS)
        try:
            match what:
                case "kill":
                    self._kill()
                case "upgrade":
                    self.upgrade_secs.append(self._upgrade())
                case "aborted upgrade":
                    self._abort_upgrade()
        except Exception as error:
            self._failure = error

    def _kill(self) -> None:
        os.kill(self._salon.media_pid(), signal.SIGKILL)
        if not self._is_removed:
            # Media is dead for some hundred milliseconds: it cannot be told, and must find out.
            command(self._salon, self._room, self._tokens[0], "remove_person", {"person": self._victim})
            self._is_removed = True

    def _upgrade(self) -> float:
        began = time.monotonic()
        done = self._salon.command("restart", "media")
        if done.returncode != 0:
            raise BenchFailed(done.stderr.strip())
        progress(done.stdout.strip())
        return time.monotonic() - began

    def _abort_upgrade(self) -> None:
        before = set(self._salon.pids())
        with ThreadPoolExecutor(1) as pool:
            restart = pool.submit(self._salon.command, "restart", "media")
            os.kill(self._successor(before), signal.SIGSTOP)
            done = restart.result()
        if done.returncode == 0 or "The old one goes on." not in done.stderr:
            raise BenchFailed(f"a successor that never got ready was reported as: {done.stdout.strip()} {done.stderr.strip()}")
        progress(done.stderr.strip())

    def _successor(self, before: set[int]) -> int:
        """The new media process, as soon as it is one."""
        deadline = time.monotonic() + _SUCCESSOR_SECS
        while time.monotonic() < deadline:
            for pid in set(self._salon.pids()) - before:
                if is_running(pid, "salon.cli.main", "media"):
                    return pid
            time.sleep(0.01)
        raise BenchFailed("no new media process came up")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
