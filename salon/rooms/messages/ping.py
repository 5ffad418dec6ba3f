from salon.accounts.callers import Caller
from salon.rooms.actions import ping

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return ping.ping(caller, room_id, fields.person)


MESSAGE = Message("ping", OnePerson, act, "Call somebody into the room who follows one or shares a club")
