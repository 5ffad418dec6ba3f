from salon.accounts.callers import Caller
from salon.rooms.actions import mutes

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return mutes.mute_speaker(caller, room_id, fields.person)


MESSAGE = Message("mute_speaker", OnePerson, act, "Mute a speaker, who may unmute at once")
