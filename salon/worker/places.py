"""What the database holds of those whom the keeper looks after. Each function is a fixed number of queries."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from salon.rooms.actions.attendance import OWNER_LEFT, REVIVABLE, VANISHED
from salon.rooms.actions.end_room import ENTERED_WITHIN
from salon.rooms.actions.line import forget_seats
from salon.rooms.enums import Phase
from salon.rooms.models import MediaSession, Place, Room
from salon.worker.attendance import GRACE_SECS, Attendance, Seat

# A session answers within seconds or never.
_CONNECTS_WITHIN = timedelta(seconds=60)
_IN = Q(left_at=None)


def occupied_seats() -> set[Seat]:
    """Everybody in a live room, as the database has it. A host who has just opened a room is given a minute to come."""
    overdue = Q(room__opened_at__lt=timezone.now() - ENTERED_WITHIN)
    places = Place.objects.filter(_IN, Q(entered_at__isnull=False) | overdue, room__phase=Phase.LIVE)
    return set(places.values_list("room_id", "person_id"))


def places_at(seats: Iterable[Seat]) -> list[Place]:
    """The places, still occupied, of these seats; visitors have none."""
    wanted = set(seats)
    rooms, people = {room for room, _ in wanted}, {person for _, person in wanted}
    places = Place.objects.select_related("room", "person").filter(_IN, room__in=rooms, person__in=people, room__phase=Phase.LIVE)
    return [place for place in places.order_by("id") if (place.room_id, place.person_id) in wanted]


def seats_coming_back(seats: Iterable[Seat]) -> set[Seat]:
    """Those of `seats` that have been given a session so lately that it may still be connecting."""
    wanted = set(seats)
    lately = timezone.now() - timedelta(seconds=GRACE_SECS)
    sessions = MediaSession.objects.filter(ended_at=None, opened_at__gt=lately, room__in={room for room, _ in wanted})
    return wanted & set(sessions.values_list("room_id", "person_id"))


def live_rooms_without_people() -> list[Room]:
    people = Place.objects.filter(_IN, room=OuterRef("pk"), entered_at__isnull=False)
    return list(Room.objects.filter(~Exists(people), phase=Phase.LIVE).order_by("id"))


def ended_rooms_with_people() -> list[Room]:
    return list(Room.objects.filter(Exists(Place.objects.filter(_IN, room=OuterRef("pk"))), phase=Phase.ENDED).order_by("id"))


def live_rooms_with_audience(ids: Iterable[str]) -> list[Room]:
    """Those of `ids`, and those whose stored audience is not nobody."""
    return list(Room.objects.filter(Q(id__in=set(ids)) | Q(audience__gt=0), phase=Phase.LIVE).order_by("id"))


def stage_of_live_rooms() -> set[Seat]:
    return set(Place.objects.filter(room__phase=Phase.LIVE, on_stage_since__isnull=False).values_list("room_id", "person_id"))


def sessions_at(seats: Iterable[Seat]) -> list[MediaSession]:
    """For somebody with sound and without a place: sessions, oldest first, that are open, taken for vanished, or left lately."""
    wanted = set(seats)
    rooms, people = {room for room, _ in wanted}, {person for _, person in wanted}
    lately = Q(ended_at=None) | Q(end_reason__in=[OWNER_LEFT, VANISHED], ended_at__gt=timezone.now() - REVIVABLE)
    sessions = MediaSession.objects.filter(lately, room__in=rooms, person__in=people, room__phase=Phase.LIVE).order_by("opened_at")
    return [session for session in sessions if (session.room_id, str(session.person_id)) in wanted]


def end_vanished_sessions(attendance: Attendance) -> int:
    """Mark ended what no node has any more, without a word of its end: a media process died. Returns how many."""
    old = MediaSession.objects.filter(ended_at=None, opened_at__lt=timezone.now() - _CONNECTS_WITHIN)
    vanished = [session.id for session in old if not attendance.has((session.room_id, session.owner), session.direction)]
    return MediaSession.objects.filter(id__in=vanished, ended_at=None).update(ended_at=timezone.now(), end_reason=VANISHED)


def vanished_sessions(rooms: Iterable[str]) -> list[MediaSession]:
    """Those that vanished lately in these rooms, and that nothing newer of their owner and direction has followed; visitors' too."""
    same_owner = Q(person=OuterRef("person")) | Q(visitor=OuterRef("visitor"))
    newer = MediaSession.objects.filter(
        same_owner, room=OuterRef("room"), direction=OuterRef("direction"), opened_at__gt=OuterRef("opened_at")
    )
    lately = Q(end_reason=VANISHED, ended_at__gt=timezone.now() - REVIVABLE)
    return list(MediaSession.objects.filter(lately, ~Exists(newer), room__in=set(rooms), room__phase=Phase.LIVE).order_by("id"))


def revive_session(session: MediaSession) -> None:
    """A node that was silent for long has spoken up, and still has it."""
    with transaction.atomic():
        forget_seats(session.room_id)
        MediaSession.objects.filter(id=session.id, end_reason=VANISHED).update(ended_at=None, end_reason="")
