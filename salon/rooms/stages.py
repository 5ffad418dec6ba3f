"""Between the database and the rules: a room and its places as a RoomStage, and back as the fields that changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models import Q

from salon.accounts.faces import Face, face_of
from salon.accounts.models import Person
from salon.common.prepared import AnyOf, Parameter, Prepared
from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace, StageRules
from salon.rooms.enums import HandPolicy, Phase, Role, Status, Visibility
from salon.rooms.models import Place, Room

# Whoever has a standing beyond listening, and moderators wherever they are; the partial index `place_standing` finds them.
STANDING = (
    Q(on_stage_since__isnull=False)
    | Q(hand_raised_at__isnull=False)
    | Q(invited_at__isnull=False)
    | Q(role__in=[Role.HOST, Role.MODERATOR])
)

_PLACES = Place.objects.select_related("person").filter(AnyOf("room", Parameter("rooms")))
# Every look at a room reads one of these.
_STANDING = Prepared(lambda: _PLACES.filter(STANDING | Q(AnyOf("person", Parameter("people")))))
_ON_STAGE = Prepared(lambda: _PLACES.filter(on_stage_since__isnull=False))

_PEOPLE = {"invited_by": "invited_by_id", "muted_by": "muted_by_id", "held_by": "held_by_id"}
# What the rules of a room's stage are called in its row. Who opened it never changes.
_RULES = {
    "hand_policy": "hand_policy",
    "stage_locked": "stage_locked",
    "fair_floor": "fair_floor",
    "visibility": "visibility",
    "deputy": "deputy_id",
    "grace_ends_at": "grace_ends_at",
    "host_away": "host_away",
}


@dataclass(frozen=True, slots=True)
class Seats:
    """A stage, and the faces of everybody it names."""

    stage: RoomStage
    faces: dict[str, Face]


def seats_of(room: Room, *people: str) -> Seats:
    """The stage, the queue, and the places of moderators, the opener, the deputy and `people`, in the room or not.

    One query, and one more only where somebody is named who has no part in any of the rooms any more.
    """
    return seats_of_all([room], *people)[room.id]


def seats_of_all(rooms: Sequence[Room], *people: str) -> dict[str, Seats]:
    """`seats_of` for several rooms by id; no more queries."""
    running = {person for room in rooms for person in (room.host_id, room.deputy_id) if person}
    return _seats_by_room(rooms, _STANDING(rooms=[room.id for room in rooms], people=list(running.union(people))))


def seats_on_stage(rooms: Sequence[Room]) -> dict[str, Seats]:
    """Like `seats_of_all`, without the queues: enough for cards."""
    return _seats_by_room(rooms, _ON_STAGE(rooms=[room.id for room in rooms]))


def save_changed_places(room: Room, before: RoomStage, after: RoomStage, now: datetime) -> None:
    """Write the fields in which `after` differs, and the times of entering and leaving that follow from them. The room's row is locked."""
    # People whose places change alike, as everybody's does when a room ends, are one statement.
    alike: dict[tuple[tuple[str, object], ...], list[PersonId]] = {}
    for person, place in after.places.items():
        changed = _changed_fields(before.places[person], place, now)
        alike.setdefault(tuple(changed.items()), []).append(person)
    # A room has one host at any moment (`place_one_host`): whoever was it stops first.
    for change, people in sorted(alike.items(), key=lambda item: ("role", Role.HOST) in item[0]):
        if change:
            Place.objects.filter(room=room, person__in=people).update(**dict(change))


def save_changed_rules(room: Room, before: StageRules, after: StageRules) -> None:
    """Write the rules in which `after` differs into the room, whose row is locked."""
    changed = {name: column for name, column in _RULES.items() if getattr(before, name) != getattr(after, name)}
    for name, column in changed.items():
        setattr(room, column, getattr(after, name))
    if changed:
        room.save(update_fields=list(changed.values()))


def add_faces(seats: Seats, people: Iterable[Person]) -> None:
    seats.faces.update((person.id, face_of(person)) for person in people)


def _seats_by_room(rooms: Sequence[Room], taken: Iterable[Place]) -> dict[str, Seats]:
    """taken: places in these rooms, with their people."""
    places: dict[str, list[Place]] = {room.id: [] for room in rooms}
    faces: dict[str, Face] = {}
    for place in taken:
        places[place.room_id].append(place)
        faces[place.person_id] = face_of(place.person)
    _add_faces_of_absent(faces, [place for there in places.values() for place in there])
    return {room.id: _seats(room, places[room.id], faces) for room in rooms}


def _add_faces_of_absent(faces: dict[str, Face], places: Sequence[Place]) -> None:
    """Of who invited, muted or holds a mute, and is not among those read: nearly always moderators have done it, and they are."""
    named = {id_ for place in places for id_ in (place.invited_by_id, place.muted_by_id, place.held_by_id) if id_}
    absent = named - faces.keys()
    if absent:
        faces.update((person.id, face_of(person)) for person in Person.objects.filter(id__in=absent))


def _seats(room: Room, places: list[Place], faces: dict[str, Face]) -> Seats:
    stage = RoomStage(Phase(room.phase), {PersonId(place.person_id): _stage_place(place) for place in places}, _rules(room))
    named = {id_ for p in places for id_ in (p.person_id, p.invited_by_id, p.muted_by_id, p.held_by_id) if id_}
    return Seats(stage, {id_: faces[id_] for id_ in named})


def _rules(room: Room) -> StageRules:
    return StageRules(
        hand_policy=HandPolicy(room.hand_policy),
        stage_locked=room.stage_locked,
        fair_floor=room.fair_floor,
        visibility=Visibility(room.visibility),
        opener=PersonId(room.host_id),
        deputy=_id(room.deputy_id),
        grace_ends_at=room.grace_ends_at,
        host_away=room.host_away,
    )


def _stage_place(place: Place) -> StagePlace:
    return StagePlace(
        person=PersonId(place.person_id),
        csrc=place.csrc,
        role=Role(place.role),
        is_in=place.left_at is None,
        on_stage_since=place.on_stage_since,
        hand_raised_at=place.hand_raised_at,
        invited_at=place.invited_at,
        invited_by=_id(place.invited_by_id),
        muted=place.muted,
        muted_by=_id(place.muted_by_id),
        held_at=place.held_at,
        held_by=_id(place.held_by_id),
        held_reason=place.held_reason,
        status=Status(place.status) if place.status else None,
        silenced=place.silenced,
        ever_moderated=place.ever_moderated,
        has_spoken=place.has_spoken,
        talked_ms=place.talked_ms,
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
        elif field.name == "status":
            changed["status"] = value or ""
        else:
            changed[_PEOPLE.get(field.name, field.name)] = value
    return changed


def _id(person: str | None) -> PersonId | None:
    return PersonId(person) if person else None
