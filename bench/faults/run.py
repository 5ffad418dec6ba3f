"""`make bench-faults`: the media process is killed, and replaced, under an audience that only listens; figures come as JSON lines."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench.faults.room_state import command, person_of, sessions, stage
from bench.figures import Figure, percentile
from bench.installation import Installation
from bench.programs import BenchFailed, build, progress, run_load_client
from bench.run import interrupt, show

_KILLS, _UPGRADES, _LISTENERS = 20, 5, 1000
# Longer than what makes a run healthy: a restart begins without a pause, and each kill is one of its own.
_WINDOW_SECS = 14
_ACT_AFTER_SECS = 1.5
_STAGE = 4
"""The host, who talks; two who are muted; one who is removed while media is dead."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listeners", type=int, default=_LISTENERS)
    parser.add_argument("--kills", type=int, default=_KILLS)
    parser.add_argument("--upgrades", type=int, default=_UPGRADES)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    build()
    try:
        with Installation() as salon:
            salon.start()
            show(fault_figures(salon, options.listeners, options.kills, options.upgrades))
    except BenchFailed as error:
        progress(str(error))
        return 1
    return 0


def fault_figures(salon: Installation, listeners: int, kills: int, upgrades: int) -> Iterator[Figure]:
    """Raises BenchFailed when what was to be measured did not happen."""
    tokens = salon.tokens(_STAGE)
    faults = Faults(salon, tokens.read_text().split(), [*["kill"] * kills, *["upgrade"] * upgrades])
    windows: list[dict[str, Any]] = []
    for line in run_load_client(
        "gaps", base=salon.base, tokens=tokens, listeners=listeners, windows=kills + upgrades, window=f"{_WINDOW_SECS}s"
    ):
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
    if len(windows) != kills + upgrades:
        raise BenchFailed(f"{len(windows)} of {kills + upgrades} windows were measured")
    yield from gap_figures("faults.media_kill", windows[:kills])
    yield Figure("faults.media_kill_changed", "differences", "lower", (float(faults.differences),))
    yield Figure("faults.media_kill_removed_came_back", "sessions", "lower", (float(faults.came_back),))
    yield from gap_figures("faults.media_upgrade", windows[kills:])
    if upgrades:
        yield Figure("faults.media_upgrade_secs", "s", "lower", tuple(faults.upgrade_secs))


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

    def __init__(self, salon: Installation, tokens: Sequence[str], acts: Sequence[str]) -> None:
        self._salon = salon
        self._tokens = tokens
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
            if what == "kill":
                os.kill(self._salon.media_pid(), signal.SIGKILL)
                if not self._is_removed:
                    # Media is dead for some hundred milliseconds: it cannot be told, and must find out.
                    data = {"person": self._victim}
                    command(self._salon, self._room, self._tokens[0], "remove_person", data)
                    self._is_removed = True
            else:
                self.upgrade_secs.append(self._upgrade())
        except Exception as error:
            self._failure = error

    def _upgrade(self) -> float:
        began = time.monotonic()
        done = self._salon.command("restart", "media")
        if done.returncode != 0:
            raise BenchFailed(done.stderr.strip())
        progress(done.stdout.strip())
        return time.monotonic() - began


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
