from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.conversation.actions import polls
from salon.conversation.models.poll import OPTION_MAX, OPTIONS_MAX, OPTIONS_MIN, QUESTION_MAX
from salon.rooms.messages.message import Acted, Fields, Message

_Option = Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": OPTION_MAX})]


class OpenPoll(Fields):
    question: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": QUESTION_MAX})]
    options: Annotated[list[_Option], Field(json_schema_extra={"minItems": OPTIONS_MIN, "maxItems": OPTIONS_MAX, "uniqueItems": True})]


def act(caller: Caller, room_id: str, fields: OpenPoll) -> Acted:
    return polls.open_poll(caller, room_id, fields.question, fields.options)


MESSAGE = Message("open_poll", OpenPoll, act, "Ask the room, with two to four answers to choose from")
