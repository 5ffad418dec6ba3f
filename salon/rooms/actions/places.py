"""Making somebody's place in a room."""

import secrets

from django.db import IntegrityError, transaction
from django.utils import timezone

from salon.accounts.models import Person
from salon.rooms.models import Place, Room

# Two of ten thousand people draw the same of 2³² with a chance of one in a hundred, so twice in a row is rare and thrice a fault.
_DRAWS = 5


def random_csrc() -> int:
    """1 to 2³²-1: zero would be no source."""
    return secrets.randbelow(2**32 - 1) + 1


def ensure_place(room: Room, person: Person) -> int:
    """A place to enter by: outside still, with a csrc nobody else in the room has. Returns its epoch."""
    for _ in range(_DRAWS):
        epoch = Place.objects.filter(room=room, person=person).values_list("epoch", flat=True).first()
        if epoch is not None:
            return epoch
        try:
            with transaction.atomic():
                Place.objects.create(room=room, person=person, csrc=random_csrc(), left_at=timezone.now())
        except IntegrityError:
            continue  # the number is taken, or they came in by another door just now: look again
        return 0
    raise RuntimeError("no free csrc found")
