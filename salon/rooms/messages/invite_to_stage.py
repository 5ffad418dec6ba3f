from salon.accounts.callers import Caller
from salon.rooms.actions import invitations

from .message import Message, OnePerson


def act(caller: Caller, room_id: str, fields: OnePerson) -> int:
    return invitations.invite_to_stage(caller, room_id, fields.person)


MESSAGE = Message("invite_to_stage", OnePerson, act, "Offer the stage to a listener")
