from salon.accounts.callers import Caller
from salon.rooms.actions import stepping_up
from salon.rooms.enums import Status

from .message import Fields, Message


class SetStatus(Fields):
    status: Status | None


def act(caller: Caller, room_id: str, fields: SetStatus) -> int:
    return stepping_up.set_status(caller, room_id, fields.status)


MESSAGE = Message("set_status", SetStatus, act, "Let the others on the stage know that one is on a call, or no more")
