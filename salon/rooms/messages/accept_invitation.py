from salon.accounts.callers import Caller
from salon.rooms.actions import invitations

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return invitations.accept_invitation(caller, room_id)


MESSAGE = Message("accept_invitation", NoFields, act, "Go onto the stage one was invited to")
