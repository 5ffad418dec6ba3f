from salon.accounts.callers import Caller
from salon.rooms.actions import moderators

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return moderators.appoint_moderator(caller, room_id, fields.person)


MESSAGE = Message("appoint_moderator", OnePerson, act, "Make somebody in the room a moderator")
