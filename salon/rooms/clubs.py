"""What rooms ask of clubs: a port that the clubs app fills, so that rooms import nothing of it. Without clubs nobody is in any.

Whoever has clubs calls `install` once, when Django's apps are ready.
"""

from collections.abc import Sequence
from typing import Protocol

from typing_extensions import TypedDict


class ClubCard(TypedDict):
    """What a room shows of its club. rules: its house rules, up to three sentences."""

    id: str
    name: str
    rules: list[str]


class Clubs(Protocol):
    """Ids are opaque; an unknown club has no members."""

    def card(self, club: str) -> ClubCard | None: ...

    def may_open_rooms(self, club: str, person: str) -> bool:
        """Whether `person` may open a room in the club's name."""
        ...

    def is_member(self, club: str, person: str) -> bool: ...

    def have_common(self, person: str, other: str) -> bool:
        """Whether two people are in one club."""
        ...

    def ever_moderated(self, club: str, people: Sequence[str]) -> set[str]:
        """Those of `people` who moderated a room of this club at some time, or run the club."""
        ...


class NoClubs:
    """An installation without clubs."""

    def card(self, club: str) -> ClubCard | None:
        return None

    def may_open_rooms(self, club: str, person: str) -> bool:
        return False

    def is_member(self, club: str, person: str) -> bool:
        return False

    def have_common(self, person: str, other: str) -> bool:
        return False

    def ever_moderated(self, club: str, people: Sequence[str]) -> set[str]:
        return set()


_installed: Clubs = NoClubs()


def clubs() -> Clubs:
    return _installed


def install(port: Clubs) -> None:
    global _installed  # noqa: PLW0603  (one port for the process, set once at start)
    _installed = port
