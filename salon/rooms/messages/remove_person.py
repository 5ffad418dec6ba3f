from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.common.text import clean_line
from salon.rooms.actions import remove_person
from salon.rooms.models.removal import REASON_MAX

from .message import Acted, Fields, Message, PersonIdField

# A year: beyond it "for good" is the honest word.
_MINUTES_MAX = 366 * 24 * 60


class RemovePerson(Fields):
    person: PersonIdField
    reason: Annotated[str, Field(json_schema_extra={"maxLength": REASON_MAX})] = ""
    minutes: Annotated[int, Field(ge=1, le=_MINUTES_MAX)] | None = None


def act(caller: Caller, room_id: str, fields: RemovePerson) -> Acted:
    reason = clean_line(fields.reason, REASON_MAX, field="reason")
    return remove_person.remove_person(caller, room_id, fields.person, reason=reason, minutes=fields.minutes)


MESSAGE = Message("remove_person", RemovePerson, act, "Put somebody out of the room, for some minutes or for good")
