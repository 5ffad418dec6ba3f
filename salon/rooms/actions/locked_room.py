"""One change in one room, the way every action makes it.

Through the door → `locked_room` (the room's row is locked, so commands in one room happen one after the other) → the rule →
`commit` (changed fields, grace, audit record, events and policy, all in this transaction).
"""

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from django.db import transaction
from django.utils import timezone

from salon.accounts.faces import face_of
from salon.accounts.models import Person
from salon.common.prepared import Parameter, Prepared
from salon.rooms.domain.room_stage import Outcome, RoomClosed, RoomStage
from salon.rooms.domain.succession import needs_grace, with_grace
from salon.rooms.enums import Phase, RequestOutcome
from salon.rooms.errors import RoomNotFound
from salon.rooms.events import Cause, Moment, events_of, moderation_stream, room_stream
from salon.rooms.models import Place, Room, RoomAction
from salon.rooms.moderation import log_action, settle_requests, silenced_in
from salon.rooms.policy import epochs_of, heard, publish_policy
from salon.rooms.shapes import room_fields
from salon.rooms.stages import Seats, add_faces, save_changed_places, save_changed_rules, seats_of
from salon.streams.events import NewEvent, emit_all, newest_seq

logger = logging.getLogger(__name__)

_LOCKED = Prepared(lambda: Room.objects.select_for_update(of=("self",), no_key=True).select_related("host").filter(id=Parameter("room")))


class Record(Enum):
    """How an action is written down. NOWHERE: who came and went. AUDIT: for operators. LOG: also for the moderators of the room."""

    NOWHERE = auto()
    AUDIT = auto()
    LOG = auto()


@dataclass(slots=True)
class LockedRoom:
    """A room whose row this transaction has locked. Valid inside `locked_room` only; `commit` is called at most once, last.

    room: may be changed by the action, which saves it. before: as it was found.
    """

    room: Room
    before: Room
    seats: Seats
    now: datetime

    @property
    def stage(self) -> RoomStage:
        return self.seats.stage

    def anybody_in(self) -> bool:
        return Place.objects.filter(room=self.room, left_at=None).exists()

    def commit(
        self, outcome: Outcome, action: str, *, actor: Person | None, target: Person | None = None, reason: str | None = None,
        data: Mapping[str, object] | None = None, record: Record = Record.AUDIT, events: Sequence[NewEvent] = (),
    ) -> int:  # fmt: skip
        """Make `outcome` true and tell it. Returns the number of the room's stream after the change.

        reason: shown to the target. data: for the records. events: what else the action has done, to be told with the rest.
        """
        before = self.stage
        if outcome.stage == before and not events and room_fields(self.room) == room_fields(self.before):
            return newest_seq(room_stream(self.room.id))
        save_changed_places(self.room, before, outcome.stage, self.now)
        outcome = replace(outcome, stage=self._with_grace(outcome.stage))
        save_changed_rules(self.room, before.rules, outcome.stage.rules)
        told = [*events, *self._closed(outcome), *self._silenced(before, outcome.stage)]
        told += self._recorded(record, action, actor=actor, target=target, reason=reason, data=data or {})
        add_faces(self.seats, [person for person in (actor, target) if person])
        if self._media_must_know(before, outcome.stage):
            publish_policy(self.room)
        cause = Cause(action, face_of(actor) if actor else None, target.id if target else None, reason)
        happened = events_of(Moment(self.before, before), Moment(self.room, outcome.stage), outcome, self.seats.faces, cause)
        # All at once and last: streams/events.py says why.
        newest = emit_all([*happened, *told])
        stream = room_stream(self.room.id)
        return newest[stream] if stream in newest else newest_seq(stream)

    def _with_grace(self, stage: RoomStage) -> RoomStage:
        """After the places are saved: only the database knows whether a listener is left."""
        return with_grace(stage, self.now, anybody_in=needs_grace(stage) and self.anybody_in())

    def _closed(self, outcome: Outcome) -> list[NewEvent]:
        """The end of the room itself, and of what still waited in it."""
        for happening in outcome.happened:
            if isinstance(happening, RoomClosed):
                self.room.phase, self.room.ended_at, self.room.end_reason = Phase.ENDED, self.now, happening.reason
                self.room.save(update_fields=["phase", "ended_at", "end_reason"])
                logger.info("A room ended.", extra={"action": "room_ended", "room": self.room.id, "reason": happening.reason.value})
                return settle_requests(self.room.requests.filter(settled_at=None), RequestOutcome.EXPIRED, self.now)
        return []

    def _silenced(self, before: RoomStage, after: RoomStage) -> list[NewEvent]:
        if all(place.silenced == before.places[person].silenced for person, place in after.places.items()):
            return []
        return [NewEvent(moderation_stream(self.room.id), "silenced_changed", {"silenced": silenced_in(self.room)})]

    def _recorded(
        self, record: Record, action: str, *, actor: Person | None, target: Person | None, reason: str | None, data: Mapping[str, object]
    ) -> list[NewEvent]:
        if record is Record.LOG:
            return [log_action(self.room, action, actor=actor, target=target, reason=reason, data=data, at=self.now)]
        if record is Record.AUDIT:
            RoomAction.objects.create(
                room=self.room, action=action, actor=actor, target=target, reason=reason or "", data=dict(data), at=self.now
            )
        return []

    @staticmethod
    def _media_must_know(before: RoomStage, after: RoomStage) -> bool:
        return before.phase is not after.phase or heard(before) != heard(after) or epochs_of(before) != epochs_of(after)


@contextmanager
def locked_room(room: Room, *people: Person | None) -> Iterator[LockedRoom]:
    """people: whose places the rule looks at. What was read before the lock is read again: it may have changed while waiting."""
    with transaction.atomic():
        found = _LOCKED(room=room.id)
        if not found:
            raise RoomNotFound
        fresh = found[0]
        seats = seats_of(fresh, *(person.id for person in people if person))
        yield LockedRoom(fresh, copy.copy(fresh), seats, timezone.now())
