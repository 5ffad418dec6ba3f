from salon.accounts.callers import Caller
from salon.rooms.actions import silence

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return silence.unsilence_person(caller, room_id, fields.person)


MESSAGE = Message("unsilence_person", OnePerson, act, "Let somebody write again")
