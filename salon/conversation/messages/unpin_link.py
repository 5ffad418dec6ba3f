from salon.accounts.callers import Caller
from salon.conversation.actions import links
from salon.conversation.messages.fields import IdField
from salon.rooms.messages.message import Fields, Message


class UnpinLink(Fields):
    link: IdField


def act(caller: Caller, room_id: str, fields: UnpinLink) -> int:
    return links.unpin_link(caller, room_id, fields.link)


MESSAGE = Message("unpin_link", UnpinLink, act, "Take a pinned link down")
