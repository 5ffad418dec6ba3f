"""What the moderators of a room see together: themselves, removals, who is silenced, open requests, the log. docs/protocol.md section 7."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet
from typing_extensions import TypedDict

from salon.accounts.faces import Face, face_of
from salon.accounts.models import Person
from salon.rooms.enums import RequestOutcome
from salon.rooms.events import moderation_stream
from salon.rooms.models import Place, Room, RoomAction, SecondModeratorRequest
from salon.rooms.shapes import LogEntry, Moderator, RemovalEntry, Request, log_entry, moderators, open_request, removal_entry
from salon.rooms.stages import seats_of
from salon.streams.events import NewEvent

LOG_LENGTH = 100
"""How many entries of the log are shown; docs/protocol.md section 7."""


class ModerationState(TypedDict):
    moderators: list[Moderator]
    removals: list[RemovalEntry]
    silenced: list[Face]
    requests: list[Request]
    log: list[LogEntry]


def log_action(
    room: Room, action: str, *, actor: Person | None, target: Person | None = None, reason: str | None = None,
    data: Mapping[str, object] | None = None, at: datetime,
) -> NewEvent:  # fmt: skip
    """Write what a moderator did as one into the room's log. Returns the event that tells it, to be emitted with the caller's others.

    The room's row is locked: otherwise the order of entries could differ from that of their events. action: the command's name, or what
    Salon did itself, where `actor` is None. reason: the moderator's words to the target. data: what a reader of the log needs beyond these.
    """
    entry = RoomAction.objects.create(
        room=room, action=action, actor=actor, target=target, reason=reason or "", data=dict(data or {}), logged=True, at=at
    )
    return NewEvent(moderation_stream(room.id), "action_logged", {**log_entry(entry)})


def moderation_of(room: Room) -> ModerationState:
    """In five queries."""
    seats = seats_of(room)
    removals = room.removals.filter(lifted_at=None).select_related("person", "by").order_by("id")
    requests = room.requests.filter(settled_at=None).select_related("by", "target").order_by("at", "id")
    newest = room.room_actions.filter(logged=True).select_related("actor", "target").order_by("-id")[:LOG_LENGTH]
    return {
        "moderators": moderators(seats.stage, seats.faces),
        "removals": [removal_entry(removal) for removal in removals],
        "silenced": silenced_in(room),
        "requests": [open_request(request) for request in requests],
        "log": [log_entry(action) for action in reversed(newest)],
    }


def settle_requests(requests: QuerySet[SecondModeratorRequest], outcome: RequestOutcome, now: datetime) -> list[NewEvent]:
    """Those of one room, whose row is locked. Returns the events that tell it."""
    settled = list(requests.order_by("at", "id"))
    SecondModeratorRequest.objects.filter(id__in=[request.id for request in settled]).update(settled_at=now, outcome=outcome)
    return [
        NewEvent(moderation_stream(request.room_id), "request_settled", {"request": request.id, "outcome": outcome.value})
        for request in settled
    ]


def silenced_in(room: Room) -> list[Face]:
    """By handle."""
    silenced = Place.objects.select_related("person").filter(room=room, silenced=True)
    return [face_of(place.person) for place in silenced.order_by("person__handle")]
