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


class HandPolicy(StrEnum):
    """Who may raise a hand."""

    EVERYONE = "everyone"
    FOLLOWED_BY_SPEAKERS = "followed_by_speakers"
    """Whom somebody on the stage follows."""
    CLUB_MEMBERS = "club_members"
    NOBODY = "nobody"
    OPEN_STAGE = "open_stage"
    """No hand is needed: one steps up."""


class Status(StrEnum):
    """What a person on the stage lets the others know."""

    ON_A_CALL = "on_a_call"


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


class LargeAct(StrEnum):
    """What needs a second moderator when it is large."""

    END_ROOM = "end_room"
    REMOVE_PERSON = "remove_person"


class RequestOutcome(StrEnum):
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    EXPIRED = "expired"


class Direction(StrEnum):
    LISTEN = "listen"
    SPEAK = "speak"
