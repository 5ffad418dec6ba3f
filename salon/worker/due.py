"""What becomes true by time alone: the end of a grace, of a request, of a removal. All of it is stored, so a restart forgets nothing.

Looked up by indexes that hold only what waits, so that an idle installation pays nothing for it.
"""

from collections.abc import Callable

from django.db.models import QuerySet
from django.utils import timezone

from salon.rooms.actions.remove_person import lift_expired_removals
from salon.rooms.actions.requests import expire_requests
from salon.rooms.actions.succession import settle_succession
from salon.rooms.enums import Phase
from salon.rooms.models import Removal, Room, SecondModeratorRequest

Settle = Callable[[Room], object]


def due() -> list[tuple[Settle, Room]]:
    """What is to be done now, room by room, in live rooms. Three queries."""
    now = timezone.now()
    over = Room.objects.filter(grace_ends_at__lte=now)
    expired = SecondModeratorRequest.objects.filter(settled_at=None, expires_at__lte=now)
    served = Removal.objects.filter(lifted_at=None, until__lte=now)
    return [
        *((settle_succession, room) for room in _live(over)),
        *((expire_requests, room) for room in _live(Room.objects.filter(id__in=expired.values("room")))),
        *((lift_expired_removals, room) for room in _live(Room.objects.filter(id__in=served.values("room")))),
    ]


def _live(rooms: QuerySet[Room]) -> list[Room]:
    return list(rooms.filter(phase=Phase.LIVE).order_by("id"))
