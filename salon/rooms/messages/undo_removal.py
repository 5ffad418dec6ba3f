from salon.accounts.callers import Caller
from salon.rooms.actions import remove_person

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return remove_person.undo_removal(caller, room_id, fields.person)


MESSAGE = Message("undo_removal", OnePerson, act, "Let somebody in again who was removed")
