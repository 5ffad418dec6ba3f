from salon.accounts.callers import Caller
from salon.rooms.actions import invite_in

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return invite_in.invite_in(caller, room_id, fields.person)


MESSAGE = Message("invite_in", OnePerson, act, "Let somebody in, whatever the visibility")
