from salon.accounts.callers import Caller
from salon.rooms.actions import stepping_down

from .message import Message, NoFields


def act(caller: Caller, room_id: str, fields: NoFields) -> int:
    return stepping_down.step_down(caller, room_id)


MESSAGE = Message("step_down", NoFields, act, "Go from the stage to the audience")
