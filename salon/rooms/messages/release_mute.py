from salon.accounts.callers import Caller
from salon.rooms.actions import mutes

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return mutes.release_mute(caller, room_id, fields.person)


MESSAGE = Message("release_mute", OnePerson, act, "Let somebody unmute again whose mute was held")
