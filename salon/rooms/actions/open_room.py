"""Opening a room."""

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from salon.accounts.models import Person
from salon.rooms.actions.places import random_csrc
from salon.rooms.clubs import clubs
from salon.rooms.enums import Role, Visibility
from salon.rooms.errors import ClubNotFound
from salon.rooms.events import room_listed
from salon.rooms.models import Place, Room, RoomAction
from salon.rooms.queries import my_place_in
from salon.rooms.settings import clean_settings
from salon.rooms.stages import seats_of
from salon.streams.events import NewEvent, emit_all
from salon.streams.names import person_stream

logger = logging.getLogger(__name__)


def open_room(host: Person, *, title: str, language: str, club: str = "", **settings: Any) -> Room:
    """The host is on the stage from the start; nobody is heard before their sound connects.

    settings: any further ones of docs/protocol.md section 4. Raises Invalid naming the field, and ClubNotFound.
    """
    fields = clean_settings({"title": title, "language": language, **settings})
    if club and not clubs().may_open_rooms(club, host.id):
        raise ClubNotFound(field="club")
    with transaction.atomic():
        now = timezone.now()
        room = Room.objects.create(host=host, club=club, opened_at=now, **fields)
        Place.objects.create(room=room, person=host, role=Role.HOST, ever_moderated=True, on_stage_since=now, csrc=random_csrc())
        RoomAction.objects.create(room=room, action="open_room", actor=host, data={"visibility": room.visibility}, at=now)
        events = [
            NewEvent(
                person_stream(host.id),
                "place_changed",
                {"room": room.id, "place": my_place_in(room, host), "cause": "open_room", "by": None, "reason": None},
            )
        ]
        if room.visibility == Visibility.OPEN:
            seats = seats_of(room)
            events.append(room_listed(room, seats.stage, seats.faces))
        emit_all(events)
    logger.info("A room was opened.", extra={"action": "room_opened", "room": room.id, "host": host.id})
    return room
