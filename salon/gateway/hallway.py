"""What one client may see of the hallway. A pure rule.

The hallway is one stream for everybody, but a room that somebody opened, moderates or speaks in is not there for those whom they blocked.
Such a client gets `room_unlisted` under the number of every event that lists such a room. Nearly everybody is blocked by nobody: they
share one prepared frame, and what this costs them is a look at an empty set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Listing:
    """What an event of the hallway says of one room."""

    room: str
    is_listed: bool
    people: frozenset[str] | None
    """Who opened it, moderates it or speaks in it; None where it was not said, as in what web tells again."""

    def is_hidden_from(self, blocked_by: frozenset[str]) -> bool:
        if not blocked_by:
            return False
        return self.people is None or not self.people.isdisjoint(blocked_by)


def read_listing(kind: str, data: Mapping[str, Any], people: list[str] | None) -> Listing:
    """Raises KeyError for what is no event of the hallway."""
    return Listing(data["id"], kind == "room_listed", None if people is None else frozenset(people))


class HallwayView:
    def __init__(self) -> None:
        self.blocked_by: frozenset[str] = frozenset()
        self.is_known = False
        """Whether `blocked_by` is the truth as far as this process can know it."""
        self.rooms: set[str] = set()
        """Those shown to this client; kept only while somebody blocks them, for everybody else sees all."""

    def set_blocked_by(self, blocked_by: frozenset[str]) -> bool:
        """Whether that changes anything."""
        changed = blocked_by != self.blocked_by
        self.blocked_by, self.is_known = blocked_by, True
        return changed

    def begin(self, state: Mapping[str, Any]) -> None:
        """A snapshot that web made for this client."""
        self.rooms = {card["id"] for card in state["rooms"]} if self.blocked_by else set()

    def shows(self, listing: Listing) -> bool:
        """Whether this client gets an event as it is; False: it gets `room_unlisted`. To be asked once for each event, in order."""
        if not self.blocked_by:
            return True
        is_hidden = listing.is_hidden_from(self.blocked_by)
        if listing.is_listed and not is_hidden:
            self.rooms.add(listing.room)
        else:
            self.rooms.discard(listing.room)
        return not (listing.is_listed and is_hidden)
