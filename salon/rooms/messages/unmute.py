from salon.accounts.callers import Caller
from salon.rooms.actions import mutes

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return mutes.unmute(caller, room_id)


MESSAGE = Message("unmute", NoFields, act, "Unmute oneself; nobody can do it to somebody else")
