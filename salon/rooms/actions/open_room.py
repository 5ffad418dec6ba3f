"""Opening a room."""

import logging

from django.db import transaction
from django.utils import timezone

from salon.accounts.models import Person
from salon.common.text import clean_line
from salon.rooms.actions.places import random_csrc
from salon.rooms.enums import Role, Visibility
from salon.rooms.events import room_listed
from salon.rooms.languages import clean_language
from salon.rooms.models import Place, Room, RoomAction
from salon.rooms.models.room import TITLE_MAX, TOPIC_MAX
from salon.rooms.queries import my_place_in
from salon.rooms.stages import seats_of
from salon.streams.events import NewEvent, emit_all
from salon.streams.names import person_stream

logger = logging.getLogger(__name__)


def open_room(host: Person, *, title: str, topic: str, language: str, visibility: Visibility = Visibility.OPEN) -> Room:
    """The host is on the stage from the start; nobody is heard before their sound connects. Raises Invalid naming the field."""
    fields = {
        "title": clean_line(title, TITLE_MAX, field="title", required=True),
        "topic": clean_line(topic, TOPIC_MAX, field="topic"),
        "language": clean_language(language, field="language"),
    }
    with transaction.atomic():
        now = timezone.now()
        room = Room.objects.create(host=host, visibility=visibility, opened_at=now, **fields)
        Place.objects.create(room=room, person=host, role=Role.HOST, ever_moderated=True, on_stage_since=now, csrc=random_csrc())
        RoomAction.objects.create(room=room, action="open_room", actor=host, data={"visibility": visibility.value}, at=now)
        events = [
            NewEvent(
                person_stream(host.id),
                "place_changed",
                {"room": room.id, "place": my_place_in(room, host), "cause": "open_room", "by": None, "reason": None},
            )
        ]
        if visibility is Visibility.OPEN:
            seats = seats_of(room)
            events.append(room_listed(room, seats.stage, seats.faces))
        emit_all(events)
    logger.info("A room was opened.", extra={"action": "room_opened", "room": room.id, "host": host.id})
    return room
