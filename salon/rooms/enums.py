"""The states and kinds of rooms; the same words on the wire, in the database and on screens."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is in one room. HOST and MODERATOR keep it off the stage; SPEAKER is on the stage, LISTENER is not."""

    HOST = "host"
    MODERATOR = "moderator"
    SPEAKER = "speaker"
    LISTENER = "listener"

    @property
    def moderates(self) -> bool:
        return self in (Role.HOST, Role.MODERATOR)


class Visibility(StrEnum):
    OPEN = "open"
    """Everyone may enter."""
    SOCIAL = "social"
    """People whom a moderator follows."""
    CLOSED = "closed"
    """People who have a place already."""


class Phase(StrEnum):
    LIVE = "live"
    ENDED = "ended"


class EndReason(StrEnum):
    ENDED = "ended"
    """A moderator ended it."""
    EMPTY = "empty"
    """Nobody came, or the last person left."""


class StageLeftReason(StrEnum):
    STEPPED_DOWN = "stepped_down"
    MOVED = "moved"
    REMOVED = "removed"
    LEFT = "left"


class Direction(StrEnum):
    LISTEN = "listen"
    SPEAK = "speak"
