from salon.accounts.callers import Caller
from salon.rooms.actions import end_room

from .message import Acted, Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> Acted:
    return end_room.end_room(caller, room_id)


MESSAGE = Message("end_room", NoFields, act, "End the room for everybody")
