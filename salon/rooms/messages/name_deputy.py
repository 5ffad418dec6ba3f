from salon.accounts.callers import Caller
from salon.rooms.actions import moderators

from .message import Fields, Message, PersonIdField


class NameDeputy(Fields):
    person: PersonIdField | None


def act(caller: Caller, room_id: str, fields: NameDeputy) -> int:
    return moderators.name_deputy(caller, room_id, fields.person)


MESSAGE = Message("name_deputy", NameDeputy, act, "Name who succeeds the host, or nobody any more")
