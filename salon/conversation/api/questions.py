from django.http import HttpRequest
from ninja import Router
from typing_extensions import TypedDict

from salon.accounts.callers import caller_of
from salon.common.wire import refusals
from salon.conversation.domain.questions import most_wanted_first
from salon.conversation.queries import listed_questions, voted_for
from salon.conversation.shapes import Question, question_shape
from salon.rooms.access import access_room_by_id

router = Router()


class QuestionToMe(Question):
    """mine: the caller asked it. voted: the caller wants it answered too."""

    votes: int
    mine: bool
    voted: bool


class Questions(TypedDict):
    questions: list[QuestionToMe]


@router.get("/rooms/{room_id}/questions", operation_id="room_questions", response={200: Questions, **refusals(404)})
def room_questions(request: HttpRequest, room_id: str) -> Questions:
    caller = caller_of(request)
    room = access_room_by_id(caller, room_id)
    listed = most_wanted_first(listed_questions(room.id))
    me = caller.person.id if caller.person else None
    voted = voted_for(room.id, me) if me else set()
    return {
        "questions": [
            {**question_shape(question), "votes": question.votes, "mine": question.author_id == me, "voted": question.id in voted}
            for question in listed
        ]
    }
