from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.conversation.actions import links
from salon.conversation.models.link import TITLE_MAX, URL_MAX
from salon.rooms.messages.message import Acted, Fields, Message


class PinLink(Fields):
    url: Annotated[str, Field(description="http or https", json_schema_extra={"minLength": 1, "maxLength": URL_MAX})]
    title: Annotated[str, Field(description="The host's name where it is empty", json_schema_extra={"maxLength": TITLE_MAX})] = ""


def act(caller: Caller, room_id: str, fields: PinLink) -> Acted:
    return links.pin_link(caller, room_id, fields.url, fields.title)


MESSAGE = Message("pin_link", PinLink, act, "Pin a link for everybody in the room")
