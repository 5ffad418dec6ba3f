"""Who has the floor in each room, and how long each has talked at this node. No I/O. docs/algorithms/speaker.md, "The turn"."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from salon.common.times import rfc3339

KEPT_SECS = 4.0
"""A pause for thought or breath in front of silence: longer, and nobody has the floor."""
YIELDED_SECS = 2.0
"""A pause in which somebody else talks: shorter, and it is an interjection ("yes", laughter) that takes nobody's turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    person: str
    since: datetime

    def as_said(self) -> dict[str, str]:
        return {"person": self.person, "since": rfc3339(self.since)}


@dataclass(slots=True)
class _Floor:
    turn: Turn
    heard_at: float


class Floors:
    """The turn in each room. now: monotonic seconds; at: the same moment by the wall."""

    def __init__(self) -> None:
        self._floors: dict[str, _Floor] = {}

    def rooms(self) -> set[str]:
        """Where somebody has the floor."""
        return set(self._floors)

    def turn(self, room: str) -> Turn | None:
        floor = self._floors.get(room)
        return floor.turn if floor else None

    def observe(self, room: str, talking: Sequence[str], *, now: float, at: datetime) -> bool:
        """Who talks now, the dominant one first. To be told again and again while somebody has the floor. True if the turn has changed."""
        before, floor = self.turn(room), self._floors.get(room)
        if floor is not None and floor.turn.person in talking:
            floor.heard_at = now
        elif talking and (floor is None or now - floor.heard_at >= YIELDED_SECS):
            self._floors[room] = _Floor(Turn(talking[0], at), now)
        elif floor is not None and now - floor.heard_at > KEPT_SECS:
            del self._floors[room]
        return self.turn(room) != before

    def keep_only(self, room: str, stage: Collection[str]) -> bool:
        """Who has left the stage has the floor no more. True if that changes the turn."""
        turn = self.turn(room)
        if turn is None or turn.person in stage:
            return False
        del self._floors[room]
        return True


class TalkBook:
    """How long each has talked in each room since this node started, in milliseconds: totals, so that a message lost loses nothing."""

    def __init__(self) -> None:
        self._talked_ms: dict[str, dict[str, int]] = {}
        self._changed: set[str] = set()

    def add(self, room: str, talked_ms: Mapping[str, int]) -> None:
        """What the engine has counted since the last time."""
        if not talked_ms:
            return
        totals = self._talked_ms.setdefault(room, {})
        for person, ms in talked_ms.items():
            totals[person] = totals.get(person, 0) + ms
        self._changed.add(room)

    def talked_ms(self, room: str) -> Mapping[str, int]:
        return self._talked_ms.get(room, {})

    def take_changed(self) -> set[str]:
        changed, self._changed = self._changed, set()
        return changed

    def repeat(self, rooms: Collection[str]) -> None:
        """Tell these again, for those who missed it."""
        self._changed |= self._talked_ms.keys() & set(rooms)

    def forget(self, room: str) -> None:
        self._talked_ms.pop(room, None)
        self._changed.discard(room)
