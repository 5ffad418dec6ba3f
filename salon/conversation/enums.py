"""The states and kinds of what is written; the same words on the wire, in the database and on screens."""

from enum import StrEnum


class Part(StrEnum):
    """What a moderator can switch off by itself. Each is a field of Room."""

    CHAT = "chat"
    QUESTIONS = "questions"
    LINKS = "links"
    REACTIONS = "reactions"
    POLLS = "polls"


class QuestionState(StrEnum):
    OPEN = "open"
    INVITED = "invited"
    """Its author was offered the stage for it."""
    READ = "read"
    """A moderator reads it out."""
    CLOSED = "closed"
    """Answered, or not wanted: shown no more."""


class TakenHow(StrEnum):
    """How a moderator takes a question up."""

    INVITE = "invite"
    READ = "read"


class ReactionKind(StrEnum):
    CLAP = "clap"
    HEART = "heart"
    LAUGH = "laugh"
    WOW = "wow"
