"""What the rules must know about people and cannot see on the stage: given to them as values, so that they ask nobody."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from salon.rooms.domain.room_stage import PersonId

BlockedBy = Mapping[PersonId, Set[PersonId]]
"""For several people at once: who has blocked each of them. Who is not in it was blocked by nobody that matters."""


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """How one person is known to others.

    followed_by, blocked_by: at least those on the stage who follow, or have blocked, this person; more change nothing.
    in_club: whether they are a member of the club whose room it is.
    """

    followed_by: frozenset[PersonId] = frozenset()
    blocked_by: frozenset[PersonId] = frozenset()
    in_club: bool = False


UNKNOWN = Acquaintance()
"""Of somebody whom nobody follows and nobody blocked."""
