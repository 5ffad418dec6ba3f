"""People come into a room and go: without a word, frozen, by logging in twice, politely. What its roster says is compared with the truth.

Three accounts of who is there: the media engine's (`GET /truth`), the roster that a client is told (presence on the WebSocket), and that
of those who come and go, who know when they heard something last.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from bench.faults.room_state import sessions
from bench.figures import Figure, grouped, percentile
from bench.installation import Installation
from bench.programs import BenchFailed, progress, run_load_client

_PEOPLE = 11
"""The host, and as many as a roster surely names: it shows twelve faces of the audience."""
_VANISHING = ("vanish", "freeze")


class Comparison:
    """No I/O. Times are milliseconds of one clock, never less than before."""

    def __init__(self) -> None:
        self.vanished_listed_ms: list[float] = []
        """For each who vanished: how long the roster went on naming them."""
        self.receiver_not_listed_ms: float = 0.0
        """The longest that anybody was sent sound, or could be, and was not named."""
        self.listed_deaf_ms: float = 0.0
        """The longest that anybody was named and heard nothing, those who vanished excepted."""
        self._listed: dict[str, float] = {}
        self._receives_unlisted: dict[str, float] = {}
        self._vanished: dict[str, float] = {}
        self._unlisted: dict[str, float] = {}
        self._heard: dict[str, float] = {}
        self._looked_at: float | None = None

    def act(self, what: str, person: str, at: float) -> None:
        if what in _VANISHING:
            self._vanished[person] = at
            self._unlisted.pop(person, None)
        elif what == "join":
            self._close(person, at)
            if person in self._listed:
                self._listed[person] = at  # not the time before they were back

    def roster(self, listed: AbstractSet[str], at: float) -> None:
        for person in self._listed.keys() - listed:
            del self._listed[person]
            self._unlisted[person] = at
        for person in listed:
            self._listed.setdefault(person, at)
            self._is_right(person, at)

    def look(self, receivers: AbstractSet[str], heard: Mapping[str, float], at: float) -> None:
        """receivers: who has a connected listening session. heard: when each of those who come and go heard something last, by the session
        that they have; 0 without one."""
        before = at if self._looked_at is None else self._looked_at
        for person in self._receives_unlisted.keys() - receivers:
            self._is_right(person, at)
        for person in receivers - self._listed.keys():
            # They may have been so since just after the last look.
            since = self._receives_unlisted.setdefault(person, before)
            self.receiver_not_listed_ms = max(self.receiver_not_listed_ms, at - since)
        self._heard |= {person: max(heard_at, self._heard.get(person, 0.0)) for person, heard_at in heard.items()}
        # Not of the host, who is the only one to talk.
        for person in self._heard.keys() & self._listed.keys() - self._vanished.keys():
            self.listed_deaf_ms = max(self.listed_deaf_ms, at - max(self._heard[person], self._listed[person]))
        self._looked_at = at

    def finish(self, at: float) -> None:
        for person in list(self._vanished):
            self._close(person, at)

    def _is_right(self, person: str, at: float) -> None:
        since = self._receives_unlisted.pop(person, None)
        if since is not None:
            self.receiver_not_listed_ms = max(self.receiver_not_listed_ms, at - since)

    def _close(self, person: str, at: float) -> None:
        """The time of having vanished is over. Who was named again meanwhile was named all the time, for who reads it."""
        gone_at = self._vanished.pop(person, None)
        if gone_at is not None:
            until = at if person in self._listed else self._unlisted.get(person, gone_at)
            self.vanished_listed_ms.append(max(until - gone_at, 0.0))


def ghost_figures(salon: Installation, trials: int) -> Iterator[Figure]:
    """Raises BenchFailed when not all trials were made."""
    comparison = Comparison()
    made = 0
    for line in run_load_client("ghosts", base=salon.base, tokens=salon.tokens(_PEOPLE), trials=trials):
        made += follow(comparison, line, salon)
        if made and line["kind"] == "act" and line["act"] != "join" and made % 20 == 0:
            progress(f"{made} of {trials} have gone")
    if made != trials:
        raise BenchFailed(f"{made} of {trials} trials were made")
    yield from figures_of(comparison)


def follow(comparison: Comparison, line: Mapping[str, Any], salon: Installation) -> bool:
    """One line of the load client. True if somebody went."""
    match line["kind"]:
        case "act":
            comparison.act(line["act"], line["person"], line["at_ms"])
            return bool(line["act"] != "join")
        case "roster":
            comparison.roster(frozenset(line["listed"]), line["at_ms"])
        case "look":
            receivers = {person for person, direction, _ in sessions(salon).values() if direction == "listen"}
            comparison.look(receivers, line["heard_ms"], time.time() * 1000)
        case "done":
            comparison.finish(time.time() * 1000)
    return False


def figures_of(comparison: Comparison) -> Iterator[Figure]:
    """Nothing where nobody vanished: there is no figure of that then."""
    if vanished := comparison.vanished_listed_ms:
        yield Figure("faults.vanished_listed_ms_p99", "ms", "lower", _p99(vanished))
        yield Figure("faults.vanished_listed_ms_max", "ms", "lower", (max(vanished),))
    yield Figure("faults.receiver_not_listed_ms_max", "ms", "lower", (comparison.receiver_not_listed_ms,))
    yield Figure("faults.listed_deaf_ms_max", "ms", "lower", (comparison.listed_deaf_ms,))


def _p99(times: Sequence[float]) -> tuple[float, ...]:
    return tuple(percentile(group, 0.99) for group in grouped(times, len(times)))
