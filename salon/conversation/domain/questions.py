"""Questions: how many may be open, whose vote counts, how a moderator takes one up, and what comes first."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from salon.conversation.domain.participant import Participant, Terms, require_moderator, require_part, require_present, require_writing
from salon.conversation.enums import Part, QuestionState, TakenHow
from salon.conversation.errors import AlreadyTaken, QuestionNotFound, TooManyQuestions
from salon.rooms.errors import CannotActOnOneself, NotAModerator

OPEN_PER_PERSON = 3
# All of them are in every snapshot, and the votes of all in every tally; nobody reads more than these.
LISTED_PER_ROOM = 200


class Listed(Protocol):
    """A question as far as the rules look at it. seq: its place in the order of asking."""

    author_id: str
    state: str
    votes: int
    seq: int


Q = TypeVar("Q", bound=Listed)


def require_may_ask(terms: Terms, participant: Participant, *, own_open: int, listed: int) -> None:
    """own_open: questions of the participant that nobody has taken up. listed: questions of the room that are not closed.

    Raises what require_writing raises, and TooManyQuestions.
    """
    require_writing(terms, participant, Part.QUESTIONS)
    if own_open >= OPEN_PER_PERSON or listed >= LISTED_PER_ROOM:
        raise TooManyQuestions


def require_may_vote(terms: Terms, participant: Participant, question: Listed) -> None:
    """Raises what require_part raises, QuestionNotFound, CannotActOnOneself."""
    require_part(terms, participant, Part.QUESTIONS)
    require_listed(question)
    if question.author_id == participant.person:
        raise CannotActOnOneself(field="question")


def taken(terms: Terms, participant: Participant, question: Listed, how: TakenHow) -> QuestionState:
    """The state after a moderator takes it up.

    A question whose author was offered the stage can still be read out: they may have declined, or gone.
    Raises RoomEnded, NotInRoom, NotAModerator, SwitchedOff, QuestionNotFound, AlreadyTaken.
    """
    require_moderator(terms, participant, Part.QUESTIONS)
    require_listed(question)
    if question.state == QuestionState.READ or (question.state == QuestionState.INVITED and how is TakenHow.INVITE):
        raise AlreadyTaken(field="question")
    return QuestionState.INVITED if how is TakenHow.INVITE else QuestionState.READ


def require_may_close(terms: Terms, participant: Participant, question: Listed) -> None:
    """Its author takes it back while nobody has taken it up; a moderator closes any.

    Raises what require_present raises, QuestionNotFound, NotAModerator, AlreadyTaken.
    """
    require_present(terms, participant)
    require_listed(question)
    if participant.moderates:
        return
    if question.author_id != participant.person:
        raise NotAModerator
    if question.state != QuestionState.OPEN:
        raise AlreadyTaken(field="question")


def require_listed(question: Listed) -> None:
    """Raises QuestionNotFound for a closed one: for everybody it is gone."""
    if question.state == QuestionState.CLOSED:
        raise QuestionNotFound(field="question")


def most_wanted_first(questions: Iterable[Q]) -> list[Q]:
    """By votes; of equally many, who asked first."""
    return sorted(questions, key=lambda question: (-question.votes, question.seq))
