from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.conversation.actions import chat
from salon.conversation.models.chat_message import TEXT_MAX
from salon.conversation.rate_limits import MESSAGES, take
from salon.rooms.messages.message import Acted, Fields, Message


class PostMessage(Fields):
    text: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": TEXT_MAX})]


def act(caller: Caller, room_id: str, fields: PostMessage) -> Acted:
    take(MESSAGES, caller)
    return chat.post_message(caller, room_id, fields.text)


MESSAGE = Message("post_message", PostMessage, act, "Write into the chat")
