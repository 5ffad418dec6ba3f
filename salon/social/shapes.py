"""Shapes on the wire; docs/protocol.md section 3."""

from datetime import datetime

from typing_extensions import TypedDict  # pydantic reads no others before Python 3.12

from salon.accounts.faces import Face


class Counts(TypedDict):
    """Of those whom the lists show to the same one."""

    followers: int
    following: int


class Relation(Counts):
    """How somebody stands to others and to the one who asks."""

    i_follow: bool
    follows_me: bool
    i_block: bool
    pings_muted: bool
    shielded: bool


class People(TypedDict):
    people: list[Face]


class PeoplePage(People):
    next: str | None
    """What to ask for as `after`; null on the last page."""


class Shield(TypedDict):
    shielded: bool
    contested_at: datetime | None
    """Of the contest that waits for a decision."""
