from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.rooms.actions import invitations

from .message import Fields, Message, PersonIdField

PEOPLE_MAX = 20


class InviteSeveral(Fields):
    people: Annotated[list[PersonIdField], Field(min_length=1, max_length=PEOPLE_MAX)]


def act(caller: Caller, room_id: str, fields: InviteSeveral) -> int:
    return invitations.invite_several(caller, room_id, fields.people)


MESSAGE = Message("invite_several", InviteSeveral, act, "Offer the stage to all of these who still can be invited")
