"""Who has sound connected, as far as the media nodes say, and who has had none for how long. Pure: times come as arguments.

Knowing nothing is not knowing that somebody is gone. So nobody counts as gone before every node has had the time to speak up, and
while the bus is away nobody's time runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from salon.rooms.enums import Direction

Seat = tuple[str, str]
"""(room, person); a visitor's id stands where a person's would."""

# A reload of the page, or a change of network with a new session, takes a few seconds.
GRACE_SECS = 10.0
# Nodes send a roster every 5 s. Three lost ones say that something is wrong; only well after that are its sessions taken for gone.
NODE_SILENCE_SECS = 20.0

Roster = Mapping[str, Mapping[str, Sequence[str]]]
"""{room: {"listen": [person…], "speak": [person…]}}"""


@dataclass(slots=True)
class _Node:
    heard_at: float
    seats: dict[str, set[Seat]] = field(default_factory=lambda: {direction.value: set() for direction in Direction})

    def has(self, seat: Seat) -> bool:
        return any(seat in seats for seats in self.seats.values())

    def all_seats(self) -> set[Seat]:
        return set().union(*self.seats.values())


class Attendance:
    """now, everywhere: monotonic seconds, never less than before."""

    def __init__(self, now: float) -> None:
        self._nodes: dict[str, _Node] = {}
        self._unseen_since: dict[Seat, float] = {}
        self._trusted_from = now + NODE_SILENCE_SECS

    def hear_roster(self, node: str, rooms: Roster, now: float) -> None:
        """Everything one node has. What it had before and has no more, has ended without our being told."""
        before = self._node(node, now)
        after = _Node(now)
        for direction, seats in after.seats.items():
            seats.update((room, person) for room, people in rooms.items() for person in people.get(direction, ()))
        self._nodes[node] = after
        for seat in after.all_seats():
            self._unseen_since.pop(seat, None)
        self._missing(before.all_seats(), now)

    def hear_connected(self, node: str, seat: Seat, direction: str, now: float) -> None:
        self._node(node, now).seats[direction].add(seat)
        self._unseen_since.pop(seat, None)

    def hear_closed(self, node: str, seat: Seat, direction: str, reason: str, now: float) -> None:
        if reason == "taken_over":
            return  # the newer session is on its way; if it never connects, its own end is told
        self._node(node, now).seats[direction].discard(seat)
        # Who fell silent was waited for already: several seconds, by the media node.
        self._missing([seat], now - GRACE_SECS if reason == "timed_out" else now)

    def hear_nothing(self, now: float) -> None:
        """The bus is away, or lost messages: begin to count anew."""
        self._trusted_from = now + NODE_SILENCE_SECS
        for node in self._nodes.values():
            node.heard_at = now
        self._unseen_since = dict.fromkeys(self._unseen_since, now)

    def expect(self, seats: Iterable[Seat], now: float) -> None:
        """Seats that the database knows: whoever of them has no sound is counted from now on."""
        self._missing(seats, now)

    def is_complete(self, now: float) -> bool:
        """Whether every node there is has had the time to speak up."""
        return now >= self._trusted_from

    def is_connected(self, seat: Seat) -> bool:
        return any(node.has(seat) for node in self._nodes.values())

    def has(self, seat: Seat, direction: str) -> bool:
        return any(seat in node.seats[direction] for node in self._nodes.values())

    def connected(self) -> set[Seat]:
        return set().union(*(node.all_seats() for node in self._nodes.values()))

    def listeners(self) -> dict[str, set[str]]:
        """By room; visitors too."""
        listeners: dict[str, set[str]] = {}
        for node in self._nodes.values():
            for room, person in node.seats[Direction.LISTEN]:
                listeners.setdefault(room, set()).add(person)
        return listeners

    def gone(self, now: float) -> list[Seat]:
        """Who has had no sound for the grace time. They are named again until `forget`."""
        self._drop_silent_nodes(now)
        if not self.is_complete(now):
            return []
        return [seat for seat, since in self._unseen_since.items() if now - since >= GRACE_SECS]

    def forget(self, seat: Seat) -> None:
        self._unseen_since.pop(seat, None)

    def _node(self, name: str, now: float) -> _Node:
        node = self._nodes.setdefault(name, _Node(now))
        node.heard_at = now
        return node

    def _missing(self, seats: Iterable[Seat], now: float) -> None:
        for seat in seats:
            if not self.is_connected(seat):
                self._unseen_since.setdefault(seat, now)

    def _drop_silent_nodes(self, now: float) -> None:
        for name, node in list(self._nodes.items()):
            if now - node.heard_at > NODE_SILENCE_SECS:
                del self._nodes[name]
                self._missing(node.all_seats(), now)
