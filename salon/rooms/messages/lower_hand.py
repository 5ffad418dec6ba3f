from salon.accounts.callers import Caller
from salon.rooms.actions import hands

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return hands.lower_hand(caller, room_id)


MESSAGE = Message("lower_hand", NoFields, act, "Take one's hand down, and with it an invitation that answered it")
