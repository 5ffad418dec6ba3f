"""What rooms give to watch: the hallway, a room, its hand queue, what its moderators see, one's own places. docs/protocol.md section 7."""

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.rooms import queries
from salon.rooms.access import access_room_by_id, require_listening_allowed
from salon.rooms.errors import RoomNotFound
from salon.rooms.models import Room
from salon.rooms.moderation import moderation_of
from salon.social.relations import who_blocked
from salon.streams.errors import StreamNotFound
from salon.streams.events import Json
from salon.streams.kinds import StreamKind, Watcher, register


def register_kinds() -> None:
    register(StreamKind("hallway", _admit_to_hallway, lambda key: {"rooms": queries.listed_cards()}, _hallway_of_the_blocked))
    register(StreamKind("room", admit_to_room, lambda room_id: {**queries.state_of(_room(room_id))}))
    register(StreamKind("hands", _admit_moderators, lambda room_id: {"hands": queries.hands_of(_room(room_id))}))
    register(StreamKind("moderation", _admit_moderators, lambda room_id: {**moderation_of(_room(room_id))}))
    register(StreamKind("person", _admit_to_oneself, _own_places))


def _admit_to_hallway(watcher: Watcher, key: str) -> None:
    if key:
        raise StreamNotFound
    require_listening_allowed(_caller(watcher))


def _hallway_of_the_blocked(watcher: Watcher, key: str) -> Json | None:
    """For somebody whom others have blocked: what those open, moderate or speak in is not there. None for everybody else."""
    if watcher.person is None or not who_blocked(watcher.person):
        return None
    return {"rooms": queries.listed_cards(hidden_from=watcher.person)}


def admit_to_room(watcher: Watcher, room_id: str) -> None:
    """For streams that are for whoever may enter the room. Raises what the door raises."""
    access_room_by_id(_caller(watcher), room_id)


def _admit_moderators(watcher: Watcher, room_id: str) -> None:
    room = access_room_by_id(_caller(watcher), room_id)
    if watcher.person is None or not queries.moderates(watcher.person, room.id):
        raise RoomNotFound


def _admit_to_oneself(watcher: Watcher, person_id: str) -> None:
    """Streams hand over nobody else's name; the account must still be one."""
    if _caller(watcher).person is None:
        raise StreamNotFound


def _own_places(person_id: str) -> Json:
    return {"places": queries.places_of(person_id)}


def _room(room_id: str) -> Room:
    return Room.objects.select_related("host").get(id=room_id)


def _caller(watcher: Watcher) -> Caller:
    """Raises StreamNotFound for a person who is none any more."""
    if watcher.person is None:
        return Caller(None, watcher.visitor, "")
    person = Person.objects.filter(id=watcher.person, is_active=True).first()
    if person is None:
        raise StreamNotFound
    return Caller(person, None, "")
