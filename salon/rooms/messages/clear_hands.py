from salon.accounts.callers import Caller
from salon.rooms.actions import hands

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return hands.clear_hands(caller, room_id)


MESSAGE = Message("clear_hands", NoFields, act, "Take every hand down and every invitation back")
