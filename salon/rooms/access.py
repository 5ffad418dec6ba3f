"""The door: from what a request names to a thing its caller may have. What is private, missing or closed to them looks the same."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.ids import is_id
from salon.config.environment import environment
from salon.rooms.enums import Phase, Visibility
from salon.rooms.errors import PersonNotFound, RoomEnded, RoomNotFound, SessionNotFound
from salon.rooms.models import MediaSession, Place, Removal, Room


def access_room_by_id(caller: Caller, room_id: str) -> Room:
    """The room, live or ended, with its host. Raises RoomNotFound, and SignInRequired for a visitor where visitors may not listen."""
    require_listening_allowed(caller)
    if not is_id(room_id):
        raise RoomNotFound
    room = rooms_for(caller).select_related("host").filter(id=room_id).first()
    if room is None:
        raise RoomNotFound
    return room


def access_live_room_by_id(caller: Caller, room_id: str) -> Room:
    """What access_room_by_id raises, and RoomEnded."""
    room = access_room_by_id(caller, room_id)
    if not room.is_live:
        raise RoomEnded
    return room


def access_room_as_person(caller: Caller, room_id: str) -> tuple[Room, Person]:
    """For commands. Raises SignInRequired for a visitor, and what access_room_by_id raises."""
    if caller.person is None:
        raise SignInRequired
    return access_room_by_id(caller, room_id), caller.person


def access_person_by_id(person_id: str, *, field: str = "person") -> Person:
    """Somebody whom a command names. Raises PersonNotFound."""
    person = Person.objects.filter(id=person_id, is_active=True).first() if is_id(person_id) else None
    if person is None:
        raise PersonNotFound(field=field)
    return person


def access_media_session_by_id(caller: Caller, session_id: str) -> MediaSession:
    """The caller's own sound session that has not ended. Raises SessionNotFound for everybody else's."""
    if not is_id(session_id):
        raise SessionNotFound
    owner = Q(person=caller.person) if caller.person else Q(visitor=caller.visitor)
    session = MediaSession.objects.select_related("room").filter(owner, id=session_id, ended_at=None).first()
    if session is None:
        raise SessionNotFound
    return session


def require_listening_allowed(caller: Caller) -> None:
    """Raises SignInRequired for a visitor where the operator keeps rooms to people with an account."""
    if caller.person is None and not environment().anonymous_listening:
        raise SignInRequired


def rooms_for(caller: Caller) -> QuerySet[Room]:
    """Every room the caller may enter, in one query: open ones and those they have a place in, but none they were removed from."""
    rooms = Room.objects.all()
    if caller.person is None:
        return rooms.filter(visibility=Visibility.OPEN)
    own_places = Place.objects.filter(room=OuterRef("pk"), person=caller.person)
    return rooms.filter(Q(visibility=Visibility.OPEN) | Exists(own_places)).exclude(
        Exists(_removals_now(caller.person).filter(room=OuterRef("pk")))
    )


def live_rooms_for(caller: Caller) -> QuerySet[Room]:
    return rooms_for(caller).filter(phase=Phase.LIVE)


def is_removed(room: Room, person: Person) -> bool:
    return _removals_now(person).filter(room=room).exists()


def _removals_now(person: Person) -> QuerySet[Removal]:
    return person.removals.filter(Q(until=None) | Q(until__gt=timezone.now()))
