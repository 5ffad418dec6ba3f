from salon.accounts.callers import Caller
from salon.rooms.actions import stepping_up

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return stepping_up.step_up(caller, room_id)


MESSAGE = Message("step_up", NoFields, act, "Go onto an open stage, muted")
