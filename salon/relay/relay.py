"""One media process: sessions in, policies in, truth out."""

import asyncio
import logging
import platform
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from salon.bus import Bus, BusUnavailable
from salon.common.signing import Grant
from salon.config.environment import Environment
from salon.relay.engine_port import Engine, EngineModule
from salon.relay.grants import GrantDesk, GrantRefused
from salon.relay.policies import Policy, PolicyBook, read_policy
from salon.relay.quality import HeardQuality
from salon.relay.session_counts import SessionCounts
from salon.relay.sessions import Direction, Session, Sessions, restored_session
from salon.relay.talk import Floors, TalkBook

logger = logging.getLogger(__name__)

UNFINISHED_PER_PERSON = 5
"""docs/protocol.md section 9: each holds keys and answers checks for 15 s."""
UNFINISHED_PER_SOURCE = 200
"""A lecture hall behind one address comes in within a second or two, and each needs a fraction of one to connect."""
UNFINISHED_IN_ALL = 4_000
"""5,000 who come within half a minute are some hundreds at a time. Each is given up after 15 s."""

_TRUTHS_TOGETHER = 500
"""In one statement. A storm of joins waits for no statement each."""


class TooManyUnfinished(Exception):
    """This person, this address or everybody together has as many sessions open that never connected as there may be."""


class SessionNotFound(Exception):
    """No such session, or it is somebody else's: the two look alike."""


class Relay:
    def __init__(self, settings: Environment, engine: Engine, module: EngineModule, bus: Bus) -> None:
        self.node = f"{platform.node()}:{settings.media_port}"
        self.started_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.engine = engine
        self.policies = PolicyBook()
        self.sessions = Sessions()
        self.counts = SessionCounts()
        self.quality = HeardQuality(self.sessions, bus)
        self.floors = Floors()
        self.talk = TalkBook()
        self.changed_rooms: set[str] = set()
        """Rooms whose presence may differ from what was last said."""
        self._module = module
        self._bus = bus
        self._grants = GrantDesk(settings.secret_key)
        self._is_development = settings.is_development
        self._truths: asyncio.Queue[tuple[str, dict[str, object]]] = asyncio.Queue()

    # Sessions

    def open_session(self, signed_grant: str, offer: str, policy: Mapping[str, Any], source: str = "") -> tuple[str, str, str]:
        """(session, answer, etag). source: the address that asks. Raises GrantRefused, TooManyUnfinished, the engine's OfferRefused
        and EngineError."""
        try:
            self.apply(read_policy(policy))
        except (ValueError, KeyError, TypeError) as error:
            raise GrantRefused("unreadable policy") from error
        grant = self._grants.admit(signed_grant, self.policies, now=time.time())
        self._check_unfinished(grant["person"], source)
        session = _session_of(grant, source)
        # Before the engine answers: its events name the session.
        self.sessions.add(session)
        try:
            opened = self.engine.open_session(
                session=session.id, room=session.room, person=session.person, direction=session.direction, offer=offer, tag=session.tag()
            )
        except Exception:
            self.sessions.remove(session.id)
            raise
        logger.info("A session opened.", extra={"action": "session_opened", "session": session.id, "room": session.room})
        return opened.session, opened.answer, opened.etag

    def take_up_restored(self) -> int:
        """The sessions that the engine goes on with from the process before; how many. They are held until `release`."""
        for found in self.engine.restored():
            try:
                self.sessions.add(restored_session(found.session, found.room, found.person, found.direction, found.tag))
            except (ValueError, KeyError, TypeError):
                # Nobody can tell whether it is of an older epoch.
                self.engine.close_session(found.session, "removed")
        self.counts.restored = len(self.sessions)
        return self.counts.restored

    def release(self) -> None:
        """Let sound flow again, once web has told the policies of all rooms it still knows; the others are over."""
        for room in self.sessions.rooms():
            if self.policies.get(room) is None:
                self.engine.close_room(room, "room_ended")
        self.engine.release()
        self.changed_rooms |= self.sessions.rooms()

    def _check_unfinished(self, person: str, source: str) -> None:
        """Raises TooManyUnfinished."""
        sessions = self.sessions
        # In development everybody comes from one address.
        is_crowded = not self._is_development and sessions.unfinished_from(source) >= UNFINISHED_PER_SOURCE
        if is_crowded or sessions.unfinished_of(person) >= UNFINISHED_PER_PERSON or sessions.unfinished() >= UNFINISHED_IN_ALL:
            raise TooManyUnfinished

    def restart_ice(self, id_: str, person: str, fragment: str) -> tuple[str, str]:
        """(fragment, etag). Raises SessionNotFound, the engine's OfferRefused."""
        session = self._session_of_owner(id_, person)
        if session.epoch < self.policies.epoch(session.room, person):
            raise SessionNotFound
        try:
            return self.engine.restart_ice(id_, fragment)
        except self._module.SessionUnknown as error:
            raise SessionNotFound from error

    def close_session(self, id_: str, person: str) -> None:
        """Raises SessionNotFound."""
        self._session_of_owner(id_, person)
        if not self.engine.close_session(id_, "deleted"):
            raise SessionNotFound

    def _session_of_owner(self, id_: str, person: str) -> Session:
        session = self.sessions.get(id_)
        if session is None or session.person != person:
            raise SessionNotFound
        return session

    # Policies

    def apply(self, policy: Policy) -> None:
        """Make the engine obey, if the policy is newer than what it obeys now."""
        if not self.policies.accept(policy, now=time.monotonic()):
            return
        if not policy.is_live:
            self.listen_to_talk(now=time.monotonic())  # the engine forgets the room, and what was said last with it
            self.engine.close_room(policy.room, "room_ended")
            self.floors.keep_only(policy.room, ())
            return
        # Removal first: who is removed falls silent before anything else happens.
        for person in self.sessions.older_than(policy):
            self.engine.close_person(policy.room, person, "removed")
        speakers = [self._module.Speaker(speaker.person, speaker.csrc, speaker.muted) for speaker in policy.speakers]
        self.engine.set_stage(policy.room, speakers)
        self.floors.keep_only(policy.room, {speaker.person for speaker in policy.speakers})
        self.changed_rooms.add(policy.room)

    def forget_unused_rooms(self, *, now: float) -> None:
        """now: monotonic seconds. The engine drops a room without sessions and stage: it may never have heard of that room's end."""
        for room in self.policies.forget_unused(self.sessions.rooms(), now=now):
            self.engine.set_stage(room, [])
            self.talk.forget(room)

    def known_versions(self) -> dict[str, int]:
        """Of the rooms that have sessions here."""
        return {room: self.policies.version(room) for room in sorted(self.sessions.rooms())}

    # Truth

    def note(self, event: Any) -> None:
        """What the engine did. event: SessionConnected or SessionClosed."""
        session = self.sessions.get(event.session)
        if isinstance(event, self._module.SessionClosed):
            self.counts.closed(event.direction, event.reason, was_connected=session is not None and session.is_connected)
            self.sessions.remove(event.session)
            self._tell("closed", event, event.reason)
        else:
            self.counts.connected(event.direction)
            self.sessions.connect(event.session)
            self._tell("connected", event, None)
        self.changed_rooms.add(event.room)

    def _tell(self, kind: str, event: Any, reason: str | None) -> None:
        extra = {"action": f"session_{kind}", "session": event.session, "room": event.room, "reason": reason}
        logger.info("A session %s.", kind, extra=extra)
        told = {"node": self.node, "kind": kind, "session": event.session, "person": event.person, "direction": event.direction}
        self._truths.put_nowait((f"truth.{event.room}", {**told, "reason": reason}))

    def listen_to_talk(self, *, now: float) -> None:
        """Ask the engine who has talked since the last time. now: monotonic seconds."""
        at = datetime.now(UTC)
        talking: dict[str, list[str]] = {room: [] for room in self.floors.rooms()}
        for said in self.engine.take_talk():
            self.talk.add(said.room, said.talked_ms)
            talking[said.room] = said.talking
        for room, people in talking.items():
            if self.floors.observe(room, people, now=now, at=at):
                self.changed_rooms.add(room)

    def talked(self, room: str) -> dict[str, Any]:
        return {"node": self.node, "started_at": self.started_at, "talked_ms": self.talk.talked_ms(room)}

    async def publish_truths(self) -> None:
        """For ever, in the order of what happened, all that wait at a time. What the bus cannot take is lost; the roster tells it again."""
        while True:
            waiting = [await self._truths.get()]
            while len(waiting) < _TRUTHS_TOGETHER and not self._truths.empty():
                waiting.append(self._truths.get_nowait())
            await self.publish_all(waiting)

    async def publish(self, subject: str, message: Mapping[str, object]) -> None:
        await self.publish_all([(subject, message)])

    async def publish_all(self, messages: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        """What is said of hundreds of rooms at a time must not cost hundreds of statements."""
        try:
            await self._bus.publish_all(messages)
        except BusUnavailable:
            lost = {"subject": messages[0][0], "messages": len(messages)}
            logger.warning("The bus does not take a message.", extra={"action": "truth_lost", **lost})

    def presence(self, room: str) -> dict[str, Any]:
        turn = self.floors.turn(room)
        return {"node": self.node, **self.sessions.presence(room, self.policies.get(room)), "turn": turn.as_said() if turn else None}

    def roster(self) -> dict[str, Any]:
        return {"node": self.node, "started_at": self.started_at, "rooms": self.sessions.roster()}


def _session_of(grant: Grant, source: str) -> Session:
    direction: Direction = "speak" if grant["direction"] == "speak" else "listen"
    return Session(grant["session"], grant["room"], grant["person"], direction, grant["epoch"], grant["face"], source=source)
