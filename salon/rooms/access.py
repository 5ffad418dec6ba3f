"""The door: from what a request names to a thing its caller may have. What is private, missing or closed to them looks the same."""

from collections.abc import Iterable

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.ids import is_id
from salon.common.prepared import AnyOf, Parameter, Prepared
from salon.config.environment import environment
from salon.rooms.enums import Phase, Role, Visibility
from salon.rooms.errors import PersonNotFound, RoomEnded, RoomNotFound, SessionNotFound
from salon.rooms.models import Guest, MediaSession, Place, Removal, Room
from salon.social.models import Block, Follow

_Person = Person | str | Parameter
# Of places.
IN = Q(left_at=None)
ON_STAGE = Q(on_stage_since__isnull=False)
MODERATES = Q(role__in=[Role.HOST, Role.MODERATOR])


def access_room_by_id(caller: Caller, room_id: str) -> Room:
    """The room, live or ended, with its host. Raises RoomNotFound, and SignInRequired for a visitor where visitors may not listen."""
    require_listening_allowed(caller)
    if not is_id(room_id):
        raise RoomNotFound
    room = _room_for(caller, room_id)
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


def live_rooms_for(caller: Caller) -> list[Room]:
    """Every live room that the caller may enter, with its host, in one query."""
    if caller.person is None:
        return _OPEN_LIVE_ROOMS()
    return _LIVE_ROOMS(person=caller.person.id, now=timezone.now())


def is_let_in(room: Room, person: Person) -> bool:
    """Whether the room is there for `person`, live or ended."""
    return _room_for(Caller(person, None, ""), room.id) is not None


def may_enter_anew(room: Room, person: Person) -> bool:
    """Whether the door lets `person` into a live room now, its lock included."""
    return room.is_live and is_let_in(room, person) and (not room.locked or is_known(room, person))


def is_known(room: Room, person: Person) -> bool:
    """Whether somebody is no newcomer: has been in the room, or was invited in. A lock does not keep them out."""
    return _known_places(person).filter(room=room).exists() or Guest.objects.filter(room=room, person=person).exists()


def without_blocked(rooms: QuerySet[Room], person: str) -> QuerySet[Room]:
    """Those of `rooms` in which nobody who opened, moderates or speaks has blocked `person`."""
    return rooms.exclude(_blocked_from(person))


def folded_among(rooms: Iterable[Room], caller: Caller) -> set[str]:
    """The ids of those of `rooms` that are folded for the caller, where they did not come by the door for them. One query."""
    if caller.person is None:
        return set()
    return {room.id for room in _FOLDED(person=caller.person.id, rooms=[room.id for room in rooms])}


def _room_for(caller: Caller, room_id: str) -> Room | None:
    """The room, with its host, if it is there for the caller. One query."""
    found = _OPEN_ROOM(room=room_id) if caller.person is None else _ROOM(person=caller.person.id, room=room_id, now=timezone.now())
    return found[0] if found else None


def _rooms_for(person: _Person, now: Parameter) -> QuerySet[Room]:
    """Every room that a person may enter. Missing from it, a room looks to them as if there were none.

    Open rooms; social ones for whom a moderator follows; any for who has been in it or was invited in. None that one was removed from,
    and none in which somebody runs or speaks who blocked the caller, unless the caller is in it now or moderates it: a block separates
    two people, and shall not take a room from those who run it.
    """
    there = OuterRef("pk")
    entitled = (
        Q(visibility=Visibility.OPEN)
        | Q(Exists(_known_places(person).filter(room=there)))
        | Q(Exists(Guest.objects.filter(room=there, person=person)))
        | Q(Q(visibility=Visibility.SOCIAL), Exists(_moderators_who_follow(person).filter(room=there)))
    )
    staying = Exists(Place.objects.filter(IN | MODERATES, room=there, person=person))
    return Room.objects.filter(entitled, ~Exists(_removals_at(now, person).filter(room=there)), staying | ~_blocked_from(person))


def _open_rooms() -> QuerySet[Room]:
    """Every room that a visitor may enter."""
    return Room.objects.filter(visibility=Visibility.OPEN)


def _blocked_from(person: _Person) -> Exists:
    return _runs_with(Block.objects.filter(blocked=person), "blocker")


def _runs_with(blocks: QuerySet[Block], other: str) -> Exists:
    """Whether one at the end `other` of `blocks` opened, moderates, or is on the stage of the outer query's room."""
    running = Place.objects.filter(MODERATES | ON_STAGE, room=OuterRef(OuterRef("pk")), person=OuterRef(other))
    return Exists(blocks.filter(Q(**{other: OuterRef("host")}) | Exists(running)))


def _known_places(person: _Person) -> QuerySet[Place]:
    # A place without an entry is what a request to listen leaves that came to nothing.
    return Place.objects.filter(IN | Q(entered_at__isnull=False), person=person)


def _moderators_who_follow(person: _Person) -> QuerySet[Place]:
    """In the room or not: a moderator who stepped out for a minute has not changed whom they know."""
    return Place.objects.filter(MODERATES, Exists(Follow.objects.filter(followed=person, follower=OuterRef("person"))))


def _removals_at(now: Parameter, person: _Person) -> QuerySet[Removal]:
    return Removal.objects.filter(Q(until=None) | Q(until__gt=now), lifted_at=None, person=person)


def _with_folds(rooms: QuerySet[Room]) -> QuerySet[Room]:
    return rooms.annotate(is_folded=_FOLDS)  # type: ignore[no-redef]  # the model has it for rooms that are read otherwise


# The door stands before nearly every request, so it is composed and planned once.
_WHO, _NOW = Parameter("person"), Parameter("now", DateTimeField())
_FOLDS = _runs_with(Block.objects.filter(blocker=_WHO), "blocked")
_ROOM = Prepared(lambda: _with_folds(_rooms_for(_WHO, _NOW).select_related("host").filter(id=Parameter("room"))))
_OPEN_ROOM = Prepared(lambda: _open_rooms().select_related("host").filter(id=Parameter("room")))
_LIVE_ROOMS = Prepared(lambda: _with_folds(_rooms_for(_WHO, _NOW).select_related("host").filter(phase=Phase.LIVE)))
_OPEN_LIVE_ROOMS = Prepared(lambda: _open_rooms().select_related("host").filter(phase=Phase.LIVE))
_FOLDED = Prepared(lambda: Room.objects.filter(AnyOf("id", Parameter("rooms")), _FOLDS).only("id"))
