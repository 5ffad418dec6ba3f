"""The keeper: makes places in rooms follow the truth that media nodes report, and ends rooms that nobody is in.

It hears messages at any time and acts in rounds. A round that fails is run again: what it did is not undone, what it did not
do is still due. Only one keeper acts at a time (lock.py); all of them hear, so that the next one knows.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from salon.common.errors import SalonError
from salon.common.sound_quality import SUBJECT as QUALITY
from salon.common.sound_quality import QualityReport, reports_of
from salon.quality.actions.keeping import keep_reports
from salon.rooms.actions.attendance import OWNER_LEFT, close_at_media, lose_connection
from salon.rooms.actions.end_room import end_if_empty, vacate_ended_room
from salon.rooms.actions.line import admit_from_all_lines
from salon.rooms.actions.truth import ClosedSession, confirm_connections, list_audience, record_closed
from salon.rooms.models import MediaSession, Place
from salon.worker import places
from salon.worker.attendance import Attendance, Seat
from salon.worker.due import due
from salon.worker.talk_times import TalkTimes

logger = logging.getLogger(__name__)

RECONCILE_SECS = 5.0
# A grace and a request are told in seconds; nobody sees a smaller part of one.
SETTLE_SECS = 1.0
# Nearly all of them are in already: the limit only bounds what is done again where one of them cannot be.
_CONFIRMED_AT_ONCE = 200
# Presence shows the live number to who is there; the hallway may lag, and each number is an event to everybody who looks at it.
AUDIENCE_SECS = 15.0


class Keeper:
    """now, everywhere: monotonic seconds."""

    def __init__(self, now: float) -> None:
        self.attendance = Attendance(now)
        self._talk_times = TalkTimes()
        self._connected: list[str] = []
        self._closed: list[ClosedSession] = []
        self._quality: list[QualityReport] = []
        self._reconciled_at = self._settled_at = float("-inf")
        self._audience_listed_at: dict[str, float] = {}

    def hear(self, subject: str, message: dict[str, Any], now: float) -> None:
        """One message of `roster`, `truth.<room>`, `talk.<room>` or `quality`; docs/subsystems/processes.md."""
        if subject.startswith("talk."):
            self._talk_times.hear(subject.removeprefix("talk."), message)
            return
        if subject == QUALITY:
            self._quality += reports_of(message)
            return
        node = message["node"]
        if subject == "roster":
            self.attendance.hear_roster(node, message["rooms"], now)
            return
        seat = (subject.removeprefix("truth."), message["person"])
        if message["kind"] == "connected":
            self.attendance.hear_connected(node, seat, message["direction"], now)
            self._connected.append(message["session"])
        else:
            self.attendance.hear_closed(node, seat, message["direction"], message["reason"], now)
            self._closed.append(ClosedSession(message["session"], message["reason"]))

    def hear_nothing(self, now: float) -> None:
        """The bus was away; rosters will tell again."""
        self.attendance.hear_nothing(now)

    def stand_by(self, now: float) -> None:
        """Another keeper acts: what was heard is its business. Who takes over later looks at everything first."""
        self.forget_heard()
        self._reconciled_at = float("-inf")
        for seat in self.attendance.gone(now):
            self.attendance.forget(seat)

    def forget_heard(self) -> None:
        self._connected.clear()
        self._closed.clear()
        self._quality.clear()
        self._talk_times.forget_heard()

    def round(self, now: float) -> None:
        """Do everything that is due."""
        self._confirm_connections()
        self._record_closed()
        self._let_go(now)
        if now - self._settled_at >= SETTLE_SECS:
            self._settle_due()
            self._settled_at = now
        self._talk_times.round(now)
        self._keep_quality()
        if now - self._reconciled_at >= RECONCILE_SECS:
            self._reconcile(now)
            self._reconciled_at = now

    def _confirm_connections(self) -> None:
        while self._connected:
            some = self._connected[:_CONFIRMED_AT_ONCE]
            confirm_connections(some)
            del self._connected[: len(some)]

    def _record_closed(self) -> None:
        due = list(self._closed)
        if due:
            record_closed(due)
            del self._closed[: len(due)]

    def _keep_quality(self) -> None:
        # Taken before they are kept: a report that the database refuses is not worth a second try.
        heard, self._quality = self._quality, []
        if heard:
            keep_reports(heard)

    def _let_go(self, now: float) -> None:
        """Whoever has had no sound for the grace time leaves; with the last person the room ends."""
        gone = self.attendance.gone(now)
        if not gone:
            return
        # Their time began with an earlier session. It begins anew with the next look at the database.
        coming_back = places.seats_coming_back(gone)
        for place in places.places_at(set(gone) - coming_back):
            _unless_refused(partial(_lose, place))
        for seat in gone:
            self.attendance.forget(seat)

    def _settle_due(self) -> None:
        for settle, room in due():
            _unless_refused(partial(settle, room))

    def _reconcile(self, now: float) -> None:
        """Compare the database with the rosters: what was lost on the way, or missed while nobody kept, is found here."""
        occupied = places.occupied_seats()
        self.attendance.expect(occupied, now)
        connected = self.attendance.connected()
        self._place_the_unplaced(connected - occupied)
        self._revive_vanished(connected)
        for room in places.live_rooms_without_people():
            _unless_refused(partial(end_if_empty, room))
        for room in places.ended_rooms_with_people():
            while vacate_ended_room(room):
                pass
        if self.attendance.is_complete(now):
            places.end_vanished_sessions(self.attendance)
        admit_from_all_lines()
        self._list_audiences(now)

    def _place_the_unplaced(self, seats: set[Seat]) -> None:
        """Sound without a place: the word of a connection was lost, or the media process never heard that its owner left."""
        by_seat: dict[Seat, list[MediaSession]] = {}
        for session in places.sessions_at(seats) if seats else []:
            by_seat.setdefault((session.room_id, session.owner), []).append(session)
        for sessions in by_seat.values():
            newest = sessions[-1]
            if newest.end_reason == OWNER_LEFT:
                for session in sessions:
                    close_at_media(session.id, session.owner)
                continue
            places.revive_session(newest)
            confirm_connections([newest.id])

    def _revive_vanished(self, connected: set[Seat]) -> None:
        """A node was silent and spoke up again before its people were let go: their sessions go on, and can be restarted and closed."""
        for session in places.vanished_sessions({room for room, _ in connected}) if connected else []:
            if self.attendance.has((session.room_id, session.owner), session.direction):
                places.revive_session(session)

    def _list_audiences(self, now: float) -> None:
        listeners = self.attendance.listeners()
        on_stage = places.stage_of_live_rooms()
        for room in places.live_rooms_with_audience(listeners):
            audience = sum((room.id, person) not in on_stage for person in listeners.get(room.id, ()))
            if audience != room.audience and now - self._audience_listed_at.get(room.id, float("-inf")) >= AUDIENCE_SECS:
                list_audience(room, audience)
                self._audience_listed_at[room.id] = now
        self._audience_listed_at = {room: at for room, at in self._audience_listed_at.items() if now - at < AUDIENCE_SECS}


def _lose(place: Place) -> None:
    lose_connection(place.room, place.person)
    logger.info("A person without sound has left.", extra={"action": "connection_lost", "room": place.room_id, "person": place.person_id})


def _unless_refused(act: Callable[[], object]) -> None:
    """The room ended, or the person left, between our looking and our lock: then nothing is left to do."""
    try:
        act()
    except SalonError as refusal:
        logger.info("Nothing to keep any more.", extra={"action": "keeper_refused", "code": refusal.code})
