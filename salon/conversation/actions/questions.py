"""Asking a question, voting for it, taking it up, closing it."""

from salon.accounts.callers import Caller
from salon.common.text import clean_line
from salon.conversation.actions.standing import Standing, as_moderator, for_oneself, locked_place
from salon.conversation.domain import questions
from salon.conversation.domain.participant import require_present
from salon.conversation.enums import QuestionState, TakenHow
from salon.conversation.errors import AlreadyVoted, NotVoted, QuestionNotFound
from salon.conversation.events import conversation_stream, tell, told
from salon.conversation.models import Question, QuestionVote
from salon.conversation.models.question import TEXT_MAX
from salon.conversation.shapes import question_shape
from salon.conversation.tally import publish_tally
from salon.rooms.actions.acted import Acted
from salon.rooms.actions.invitations import invited
from salon.rooms.actions.locked_room import LockedRoom, Record
from salon.rooms.errors import at_field
from salon.rooms.moderation import log_action
from salon.streams.events import NewEvent, newest_seq, redact


def ask_question(caller: Caller, room_id: str, text: str) -> Acted:
    """Raises what the door and domain.questions.require_may_ask raise, and Invalid for the text."""
    cleaned = clean_line(text, TEXT_MAX, field="text", required=True)
    with for_oneself(caller, room_id) as at:
        listed = Question.objects.filter(room=at.room).exclude(state=QuestionState.CLOSED)
        own_open = listed.filter(author=at.person, state=QuestionState.OPEN).count()
        questions.require_may_ask(at.terms, at.participant, own_open=own_open, listed=listed.count())
        question = Question(room=at.room, author=at.person, text=cleaned, asked_at=at.now)
        question.seq = tell(at.room.id, "question_asked", {**question_shape(question)})
        question.save(force_insert=True)
        return Acted(question.seq, question.id)


def vote_question(caller: Caller, room_id: str, question_id: str) -> int:
    """Returns the number of the conversation's stream. Raises what the door and domain.questions.require_may_vote raise, AlreadyVoted."""
    with for_oneself(caller, room_id) as at:
        question = _locked_question(at, question_id)
        questions.require_may_vote(at.terms, at.participant, question)
        if QuestionVote.objects.filter(question=question, person=at.person).exists():
            raise AlreadyVoted(field="question")
        QuestionVote.objects.create(question=question, person=at.person)
        return _count(at, question, +1)


def unvote_question(caller: Caller, room_id: str, question_id: str) -> int:
    """Returns the number of the conversation's stream. Raises what the door and domain.questions.require_may_vote raise, NotVoted."""
    with for_oneself(caller, room_id) as at:
        question = _locked_question(at, question_id)
        questions.require_may_vote(at.terms, at.participant, question)
        if not QuestionVote.objects.filter(question=question, person=at.person).delete()[0]:
            raise NotVoted(field="question")
        return _count(at, question, -1)


def take_question(caller: Caller, room_id: str, question_id: str, how: TakenHow) -> int:
    """Returns the number of the conversation's stream.

    Raises what the door and domain.questions.taken raise; for an invitation what rooms.domain.hands.invite_to_stage raises, at the field
    `question`: it is about its author.
    """
    asked = Question.objects.select_related("author").filter(id=question_id, room=room_id).first()
    with as_moderator(caller, room_id, asked.author if asked else None) as (at, locked):
        require_present(at.terms, at.participant)
        if asked is not None:
            # Before the question: its author may be at it, and hold their place.
            locked_place(at.room, asked.author_id)
        question = _locked_question(at, question_id)
        question.state = questions.taken(at.terms, at.participant, question, how)
        question.save(update_fields=["state"])
        return _invite_author(at, locked, question) if how is TakenHow.INVITE else _read_out(at, question)


def close_question(caller: Caller, room_id: str, question_id: str) -> int:
    """Returns the number of the conversation's stream. Raises what the door and domain.questions.require_may_close raise."""
    own = Question.objects.filter(id=question_id, room=room_id, author=caller.person, state=QuestionState.OPEN).exists()
    return _close_own(caller, room_id, question_id) if own else _close_as_moderator(caller, room_id, question_id)


def _invite_author(at: Standing, locked: LockedRoom, question: Question) -> int:
    """Its author gets the same offer that a raised hand gets, and one place in the same queue."""
    with at_field("question"):
        outcome = invited(locked, at.person.id, question.author_id)
    changed = told(at.room.id, "question_changed", _change(question))
    data = _taken(question, TakenHow.INVITE)
    locked.commit(outcome, "take_question", actor=at.person, target=question.author, data=data, record=Record.LOG, events=[changed])
    return newest_seq(conversation_stream(at.room.id))


def _read_out(at: Standing, question: Question) -> int:
    data = _taken(question, TakenHow.READ)
    entry = log_action(at.room, "take_question", actor=at.person, target=question.author, data=data, at=at.now)
    return tell(at.room.id, "question_changed", _change(question), entry)


def _close_own(caller: Caller, room_id: str, question_id: str) -> int:
    with for_oneself(caller, room_id) as at:
        question = _question_to_close(at, question_id)
        return _close(at, question)


def _close_as_moderator(caller: Caller, room_id: str, question_id: str) -> int:
    with as_moderator(caller, room_id) as (at, _):
        question = _question_to_close(at, question_id)
        entry = log_action(at.room, "close_question", actor=at.person, target=question.author, data={"question": question.id}, at=at.now)
        return _close(at, question, entry)


def _close(at: Standing, question: Question, *entries: NewEvent) -> int:
    question.state = QuestionState.CLOSED
    question.save(update_fields=["state"])
    publish_tally(at.room.id)
    seq = tell(at.room.id, "question_closed", {"question": question.id}, *entries)
    redact(conversation_stream(at.room.id), question.seq, text="")
    return seq


def _count(at: Standing, question: Question, votes: int) -> int:
    question.votes += votes
    question.save(update_fields=["votes"])
    publish_tally(at.room.id)
    return newest_seq(conversation_stream(at.room.id))


def _question_to_close(at: Standing, question_id: str) -> Question:
    question = _locked_question(at, question_id)
    questions.require_may_close(at.terms, at.participant, question)
    return question


def _locked_question(at: Standing, question_id: str) -> Question:
    """With its author; nobody else changes it until the transaction ends. Raises RoomEnded, NotInRoom, QuestionNotFound."""
    require_present(at.terms, at.participant)
    asked = Question.objects.select_for_update(of=("self",), no_key=True).select_related("author")
    question = asked.filter(id=question_id, room=at.room).first()
    if question is None:
        raise QuestionNotFound(field="question")
    return question


def _change(question: Question) -> dict[str, object]:
    return {"question": question.id, "state": str(question.state)}


def _taken(question: Question, how: TakenHow) -> dict[str, object]:
    return {"question": question.id, "how": how.value}
