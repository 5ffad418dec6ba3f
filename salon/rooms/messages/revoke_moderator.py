from salon.accounts.callers import Caller
from salon.rooms.actions import moderators

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return moderators.revoke_moderator(caller, room_id, fields.person)


MESSAGE = Message("revoke_moderator", OnePerson, act, "Make a moderator, or oneself, none any more")
