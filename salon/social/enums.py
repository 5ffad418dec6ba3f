"""The states of a contest, as the database keeps them."""

from enum import StrEnum


class ContestState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
