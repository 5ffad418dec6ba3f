from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.rooms.actions import invitations

from .message import Fields, Message

COUNT_MAX = 10


class InviteNext(Fields):
    count: Annotated[int, Field(strict=True, ge=1, le=COUNT_MAX)] = 1


def act(caller: Caller, room_id: str, fields: InviteNext) -> int:
    return invitations.invite_next(caller, room_id, fields.count)


MESSAGE = Message("invite_next", InviteNext, act, "Offer the stage to the first of the hand queue")
