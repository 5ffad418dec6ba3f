"""Calling one person into a room: whom one may call, and what they are told. docs/protocol.md section 4, `ping` and `invite_in`."""

from salon.accounts.faces import face_of
from salon.accounts.models import Person
from salon.rooms import queries
from salon.rooms.clubs import clubs
from salon.rooms.models import Room
from salon.social.relations import who_blocked, who_follow
from salon.streams.events import NewEvent
from salon.streams.names import person_stream


def may_call(sender: Person, person: Person) -> bool:
    """Whether `person` follows the sender or shares a club with them, and neither has blocked the other."""
    are_close = bool(who_follow(sender.id, [person.id])) or clubs().have_common(sender.id, person.id)
    return are_close and not (who_blocked(sender.id, [person.id]) or who_blocked(person.id, [sender.id]))


def called(kind: str, room: Room, by: Person, person: Person) -> NewEvent:
    """kind: `pinged` or `invited_in`. room: with its host loaded."""
    return NewEvent(person_stream(person.id), kind, {"room": queries.card_for(person, room), "by": face_of(by)})
