from salon.accounts.callers import Caller
from salon.rooms.actions import mutes

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return mutes.mute_all(caller, room_id)


MESSAGE = Message("mute_all", NoFields, act, "Mute everybody else on the stage, plainly")
