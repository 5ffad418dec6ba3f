from salon.accounts.callers import Caller
from salon.rooms.actions import stepping_down

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return stepping_down.move_to_audience(caller, room_id, fields.person)


MESSAGE = Message("move_to_audience", OnePerson, act, "Move a speaker to the audience")
