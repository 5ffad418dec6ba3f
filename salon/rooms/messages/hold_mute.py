from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.common.text import clean_line
from salon.rooms.actions import mutes
from salon.rooms.models.removal import REASON_MAX

from .message import Fields, Message, PersonIdField


class HoldMute(Fields):
    person: PersonIdField
    reason: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": REASON_MAX})]


def act(caller: Caller, room_id: str, fields: HoldMute) -> int:
    reason = clean_line(fields.reason, REASON_MAX, field="reason", required=True)
    return mutes.hold_mute(caller, room_id, fields.person, reason=reason)


MESSAGE = Message("hold_mute", HoldMute, act, "Mute somebody until a moderator releases it; they see the reason")
