from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.conversation.actions import questions
from salon.conversation.models.question import TEXT_MAX
from salon.conversation.rate_limits import QUESTIONS, take
from salon.rooms.messages.message import Acted, Fields, Message


class AskQuestion(Fields):
    text: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": TEXT_MAX})]


def act(caller: Caller, room_id: str, fields: AskQuestion) -> Acted:
    take(QUESTIONS, caller)
    return questions.ask_question(caller, room_id, fields.text)


MESSAGE = Message("ask_question", AskQuestion, act, "Write a question for the stage")
