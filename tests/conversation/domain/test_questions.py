from dataclasses import dataclass

import pytest

from salon.conversation.domain import questions
from salon.conversation.domain.questions import LISTED_PER_ROOM, OPEN_PER_PERSON
from salon.conversation.enums import Part, QuestionState, TakenHow
from salon.conversation.errors import AlreadyTaken, QuestionNotFound, TooManyQuestions
from salon.rooms.errors import CannotActOnOneself, NotAModerator, NotInRoom, Silenced, SwitchedOff
from tests.conversation.domain.standings import LISTENER, MODERATOR, OUTSIDER, SILENCED, terms

OPEN, INVITED, READ, CLOSED = QuestionState
OFF = terms(on=set(Part) - {Part.QUESTIONS})


@dataclass
class Asked:
    state: str = OPEN
    author_id: str = LISTENER.person
    votes: int = 0
    seq: int = 1


def test_asking_ends_at_three_of_ones_own_and_at_the_rooms_limit():
    questions.require_may_ask(terms(), LISTENER, own_open=OPEN_PER_PERSON - 1, listed=LISTED_PER_ROOM - 1)
    for own_open, listed in ((OPEN_PER_PERSON, 3), (0, LISTED_PER_ROOM)):
        with pytest.raises(TooManyQuestions):
            questions.require_may_ask(terms(), MODERATOR, own_open=own_open, listed=listed)


@pytest.mark.parametrize(
    ("refusal", "room", "who"), [(NotInRoom, OFF, OUTSIDER), (SwitchedOff, OFF, SILENCED), (Silenced, terms(), SILENCED)]
)
def test_asking_is_refused_for_the_weightiest_reason(refusal, room, who):
    with pytest.raises(refusal):
        questions.require_may_ask(room, who, own_open=9, listed=9)


def test_voting_is_for_everybody_but_the_author():
    for state in (OPEN, INVITED, READ):
        questions.require_may_vote(terms(), SILENCED, Asked(state))
    with pytest.raises(CannotActOnOneself):
        questions.require_may_vote(terms(), LISTENER, Asked())
    with pytest.raises(QuestionNotFound):
        questions.require_may_vote(terms(), MODERATOR, Asked(CLOSED))
    with pytest.raises(SwitchedOff):
        questions.require_may_vote(OFF, MODERATOR, Asked())


@pytest.mark.parametrize(
    ("state", "how", "after"),
    [
        (OPEN, "invite", INVITED), (OPEN, "read", READ), (INVITED, "read", READ),
        (INVITED, "invite", AlreadyTaken), (READ, "read", AlreadyTaken), (READ, "invite", AlreadyTaken),
        (CLOSED, "read", QuestionNotFound), (CLOSED, "invite", QuestionNotFound),
    ],
)  # fmt: skip
def test_taking_a_question_up(state, how, after):
    if isinstance(after, QuestionState):
        assert questions.taken(terms(), MODERATOR, Asked(state), TakenHow(how)) is after
        return
    with pytest.raises(after) as refused:
        questions.taken(terms(), MODERATOR, Asked(state), TakenHow(how))
    assert refused.value.field == "question"


def test_taking_is_for_moderators_while_questions_are_on():
    with pytest.raises(NotAModerator):
        questions.taken(OFF, LISTENER, Asked(), TakenHow.READ)
    with pytest.raises(SwitchedOff):
        questions.taken(OFF, MODERATOR, Asked(), TakenHow.READ)


def test_closing_is_for_moderators_and_until_it_is_taken_for_the_author():
    questions.require_may_close(OFF, LISTENER, Asked())
    for state in (OPEN, INVITED, READ):
        questions.require_may_close(OFF, MODERATOR, Asked(state))
    for state in (INVITED, READ):
        with pytest.raises(AlreadyTaken):
            questions.require_may_close(terms(), LISTENER, Asked(state))
    with pytest.raises(NotAModerator):
        questions.require_may_close(terms(), SILENCED, Asked())
    for who in (LISTENER, MODERATOR):
        with pytest.raises(QuestionNotFound):
            questions.require_may_close(terms(), who, Asked(CLOSED))


def test_most_wanted_come_first_and_of_equals_the_older():
    asked = [Asked(votes=votes, seq=seq) for seq, votes in ((1, 0), (2, 3), (3, 5), (4, 3))]
    assert [question.seq for question in questions.most_wanted_first(asked)] == [3, 2, 4, 1]
