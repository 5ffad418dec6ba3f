"""Between the database and the rules: places as a RoomStage, and back as the fields that changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models import Q

from salon.accounts.faces import Face, face_of
from salon.accounts.models import Person
from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace
from salon.rooms.enums import Phase, Role
from salon.rooms.models import Place, Room

# Whoever has a standing beyond listening, and moderators wherever they are; the partial index `place_standing` finds them.
STANDING = (
    Q(on_stage_since__isnull=False)
    | Q(hand_raised_at__isnull=False)
    | Q(invited_at__isnull=False)
    | Q(role__in=[Role.HOST, Role.MODERATOR])
)

_PEOPLE = {"invited_by": "invited_by_id", "muted_by": "muted_by_id"}


@dataclass(frozen=True, slots=True)
class Seats:
    """A stage, and the faces of everybody it names."""

    stage: RoomStage
    faces: dict[str, Face]


def seats_of(room: Room, *people: str) -> Seats:
    """The stage, the queue, and the places of moderators and of `people`, whether they are in the room or not. One query."""
    return seats_of_all([room], *people)[room.id]


def seats_of_all(rooms: Sequence[Room], *people: str) -> dict[str, Seats]:
    """`seats_of` for several rooms by id; still one query."""
    return _seats_by_room(rooms, STANDING | Q(person__in=people))


def seats_on_stage(rooms: Sequence[Room]) -> dict[str, Seats]:
    """Like `seats_of_all`, without the queues: enough for cards."""
    return _seats_by_room(rooms, Q(on_stage_since__isnull=False))


def save_changed_places(room: Room, before: RoomStage, after: RoomStage, now: datetime) -> None:
    """Write the fields in which `after` differs, and the times of entering and leaving that follow from them. The room's row is locked."""
    # People whose places change alike, as everybody's does when a room ends, are one statement.
    alike: dict[tuple[tuple[str, object], ...], list[PersonId]] = {}
    for person, place in after.places.items():
        changed = _changed_fields(before.places[person], place, now)
        alike.setdefault(tuple(changed.items()), []).append(person)
    for change, people in alike.items():
        if change:
            Place.objects.filter(room=room, person__in=people).update(**dict(change))


def add_faces(seats: Seats, people: Iterable[Person]) -> None:
    seats.faces.update((person.id, face_of(person)) for person in people)


def _seats_by_room(rooms: Sequence[Room], wanted: Q) -> dict[str, Seats]:
    places: dict[str, list[Place]] = {room.id: [] for room in rooms}
    for place in Place.objects.select_related("person", "invited_by", "muted_by").filter(wanted, room__in=list(places)):
        places[place.room_id].append(place)
    return {room.id: _seats(room, places[room.id]) for room in rooms}


def _seats(room: Room, places: list[Place]) -> Seats:
    faces: dict[str, Face] = {}
    for place in places:
        for person in (place.person, place.invited_by, place.muted_by):
            if person is not None and person.id not in faces:
                faces[person.id] = face_of(person)
    return Seats(RoomStage(Phase(room.phase), {PersonId(place.person_id): _stage_place(place) for place in places}), faces)


def _stage_place(place: Place) -> StagePlace:
    return StagePlace(
        person=PersonId(place.person_id),
        csrc=place.csrc,
        role=Role(place.role),
        is_in=place.left_at is None,
        on_stage_since=place.on_stage_since,
        hand_raised_at=place.hand_raised_at,
        invited_at=place.invited_at,
        invited_by=PersonId(place.invited_by_id) if place.invited_by_id else None,
        muted=place.muted,
        muted_by=PersonId(place.muted_by_id) if place.muted_by_id else None,
        has_spoken=place.has_spoken,
        stage_lost_at=place.stage_lost_at,
        epoch=place.epoch,
    )


def _changed_fields(before: StagePlace, after: StagePlace, now: datetime) -> dict[str, object]:
    changed: dict[str, object] = {}
    for field in fields(StagePlace):
        value = getattr(after, field.name)
        if value == getattr(before, field.name):
            continue
        if field.name == "is_in":
            changed |= {"left_at": None, "entered_at": now} if value else {"left_at": now}
        else:
            changed[_PEOPLE.get(field.name, field.name)] = value
    return changed
