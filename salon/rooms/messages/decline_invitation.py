from salon.accounts.callers import Caller
from salon.rooms.actions import invitations

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return invitations.decline_invitation(caller, room_id)


MESSAGE = Message("decline_invitation", NoFields, act, "Stay in the audience; the invitation and the hand are gone")
