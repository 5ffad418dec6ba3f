"""Stands for the app that has clubs, behind the port of salon.rooms.clubs."""

from collections.abc import Sequence

from salon.rooms.clubs import ClubCard

CLUB = "c" * 26


class FakeClubs:
    """Pairs of a club's id and a person's."""

    def __init__(self) -> None:
        self.members: set[tuple[str, str]] = set()
        self.leaders: set[tuple[str, str]] = set()
        self.moderated: set[tuple[str, str]] = set()

    def card(self, club: str) -> ClubCard | None:
        return {"id": club, "name": "Readers", "rules": ["Be kind."]}

    def may_open_rooms(self, club: str, person: str) -> bool:
        return (club, person) in self.leaders

    def is_member(self, club: str, person: str) -> bool:
        return (club, person) in self.members

    def have_common(self, person: str, other: str) -> bool:
        return any((club, other) in self.members for club, member in self.members if member == person)

    def ever_moderated(self, club: str, people: Sequence[str]) -> set[str]:
        return {person for person in people if (club, person) in self.moderated}
