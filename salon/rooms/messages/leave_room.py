from salon.accounts.callers import Caller
from salon.rooms.actions import attendance

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return attendance.leave_room(caller, room_id)


MESSAGE = Message("leave_room", NoFields, act, "Leave quietly")
