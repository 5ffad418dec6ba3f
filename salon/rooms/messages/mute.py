from salon.accounts.callers import Caller
from salon.rooms.actions import mutes

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return mutes.mute(caller, room_id)


MESSAGE = Message("mute", NoFields, act, "Mute oneself")
