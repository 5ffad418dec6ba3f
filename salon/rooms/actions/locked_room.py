"""One change in one room, the way every action makes it.

Through the door → `locked_room` (the room's row is locked, so commands in one room happen one after the other) → the rule →
`commit` (changed fields, audit record, events and policy, all in this transaction).
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from salon.accounts.faces import face_of
from salon.accounts.models import Person
from salon.rooms.domain.room_stage import Outcome, RoomClosed, RoomStage
from salon.rooms.enums import Phase
from salon.rooms.errors import RoomNotFound
from salon.rooms.events import Cause, events_of, room_stream
from salon.rooms.models import Room, RoomAction
from salon.rooms.policy import epochs_of, heard, publish_policy
from salon.rooms.stages import Seats, add_faces, save_changed_places, seats_of
from salon.streams.events import emit_all, newest_seq

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LockedRoom:
    """A room whose row this transaction has locked. Valid inside `locked_room` only; `commit` is called at most once, last."""

    room: Room
    seats: Seats
    now: datetime

    @property
    def stage(self) -> RoomStage:
        return self.seats.stage

    def commit(
        self, outcome: Outcome, action: str, *, actor: Person | None, target: Person | None = None, reason: str | None = None,
        data: Mapping[str, object] | None = None, audited: bool = True,
    ) -> int:  # fmt: skip
        """Make `outcome` true and tell it. Returns the number of the room's stream after the change.

        reason: shown to the target. data: for the audit record alone.
        """
        before = self.stage
        if outcome.stage == before:
            return newest_seq(room_stream(self.room.id))
        self._save(outcome)
        if audited:
            self._record(action, actor, target, data or {})
        cause = Cause(action, face_of(actor) if actor else None, target.id if target else None, reason)
        add_faces(self.seats, [person for person in (actor, target) if person])
        if self._media_must_know(before, outcome.stage):
            publish_policy(self.room)
        # All at once and last: streams/events.py says why.
        emit_all(events_of(self.room, before, outcome, self.seats.faces, cause))
        return newest_seq(room_stream(self.room.id))

    def _save(self, outcome: Outcome) -> None:
        save_changed_places(self.room, self.stage, outcome.stage, self.now)
        for happening in outcome.happened:
            if isinstance(happening, RoomClosed):
                self.room.phase, self.room.ended_at, self.room.end_reason = Phase.ENDED, self.now, happening.reason
                self.room.save(update_fields=["phase", "ended_at", "end_reason"])
                logger.info("A room ended.", extra={"action": "room_ended", "room": self.room.id, "reason": happening.reason.value})

    def _record(self, action: str, actor: Person | None, target: Person | None, data: Mapping[str, object]) -> None:
        RoomAction.objects.create(room=self.room, action=action, actor=actor, target=target, data=dict(data), at=self.now)

    @staticmethod
    def _media_must_know(before: RoomStage, after: RoomStage) -> bool:
        return before.phase is not after.phase or heard(before) != heard(after) or epochs_of(before) != epochs_of(after)


@contextmanager
def locked_room(room: Room, *people: Person | None) -> Iterator[LockedRoom]:
    """people: whose places the rule looks at. What was read before the lock is read again: it may have changed while waiting."""
    with transaction.atomic():
        fresh = Room.objects.select_for_update(of=("self",), no_key=True).select_related("host").filter(id=room.id).first()
        if fresh is None:
            raise RoomNotFound
        seats = seats_of(fresh, *(person.id for person in people if person))
        yield LockedRoom(fresh, seats, timezone.now())
