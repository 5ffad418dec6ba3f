from salon.accounts.callers import Caller
from salon.rooms.actions import hands

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return hands.raise_hand(caller, room_id)


MESSAGE = Message("raise_hand", NoFields, act, "Put oneself at the end of the hand queue")
