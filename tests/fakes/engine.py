"""The media engine as Python sees it (`salon/relay/_engine.pyi`), without sound: sessions connect when the test says so."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Literal

Direction = Literal["listen", "speak"]


class EngineError(Exception):
    pass


class OfferRefused(Exception):
    pass


class SessionUnknown(Exception):
    pass


@dataclass(frozen=True)
class Speaker:
    person: str
    csrc: int
    muted: bool


@dataclass(frozen=True)
class SessionOpened:
    session: str
    answer: str
    etag: str


@dataclass(frozen=True)
class SessionRestored:
    session: str
    room: str
    person: str
    direction: Direction
    tag: bytes


@dataclass(frozen=True)
class SessionConnected:
    session: str
    room: str
    person: str
    direction: Direction


@dataclass(frozen=True)
class SessionClosed:
    session: str
    room: str
    person: str
    direction: Direction
    reason: str


@dataclass(frozen=True)
class SessionTruth:
    session: str
    room: str
    person: str
    direction: Direction
    connected: bool
    may_be_heard: bool
    last_in_secs: float | None = None
    last_out_secs: float | None = None
    packets_in: int = 0
    packets_out: int = 0
    packets_dropped: int = 0
    transport: Literal["udp", "tcp"] | None = None
    lost_share: float | None = None
    round_trip_secs: float | None = None


@dataclass(frozen=True)
class RoomTalk:
    room: str
    talked_ms: dict[str, int]
    talking: list[str]


@dataclass(frozen=True)
class ThreadStats:
    cpu_seconds: float = 0.0
    sessions: int = 0
    packets_in: int = 0
    packets_out: int = 0
    is_realtime: bool = False


@dataclass(frozen=True)
class EngineStats:
    threads: list[ThreadStats] = field(default_factory=lambda: [ThreadStats()])
    sessions: int = 0
    rooms: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    bypassed: int = 0
    send_errors: int = 0
    packets_dropped: int = 0
    dropped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("stun", "dtls", "rtp", "rtcp", "unheard", "other"), 0))
    nacked: int = 0
    retransmitted: int = 0
    requested: int = 0
    reported_expected: int = 0
    reported_lost: float = 0.0
    red_legs: list[int] = field(default_factory=lambda: [0, 0, 0])
    cpu_seconds: float = 0.0
    forward_delay_p50_ms: float = 0.0
    forward_delay_p99_ms: float = 0.0
    forward_delay_bounds_secs: list[float] = field(default_factory=lambda: [0.001, 0.01])
    forward_delay_counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    forward_delay_sum_secs: float = 0.0


@dataclass
class _Session:
    id: str
    room: str
    person: str
    direction: Direction
    connected: bool = False
    ice_restarts: int = field(default=0)
    tag: bytes = b""


class Engine:
    """An offer is any text that begins with `v=0`; the answer names the session, so that a test can tell them apart."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[Speaker, ...]] = {}
        self.said: list[RoomTalk] = []
        """Since it was last taken."""
        self._sessions: dict[str, _Session] = {}
        self._events: deque[SessionConnected | SessionClosed] = deque()
        self._happened = Condition()
        self._closed = False
        self.is_held = False
        self.is_settled = False
        self._restored: list[SessionRestored] = []

    # For tests

    def successor(self) -> "Engine":
        """An engine that goes on with the connected sessions of this one, which was killed."""
        engine = Engine()
        connected = [session for session in self._sessions.values() if session.connected]
        engine._sessions = {session.id: session for session in connected}
        engine._restored = [SessionRestored(s.id, s.room, s.person, s.direction, s.tag) for s in connected]
        engine.is_held = bool(connected)
        return engine

    def connect(self, session: str) -> None:
        """ICE and DTLS are done."""
        found = self._sessions[session]
        found.connected = True
        self._tell(SessionConnected(found.id, found.room, found.person, found.direction))

    def lose(self, session: str) -> None:
        """Its peer has said nothing for too long."""
        self._close(session, "timed_out")

    @property
    def open_sessions(self) -> set[str]:
        return set(self._sessions)

    # The engine's own interface

    def open_session(
        self, *, session: str, room: str, person: str, direction: Direction, offer: str, tag: bytes | None = None
    ) -> SessionOpened:
        self._require_running()
        if not offer.startswith("v=0"):
            raise OfferRefused("the offer has no version line")
        for other in list(self._sessions.values()):
            if (other.room, other.person, other.direction) == (room, person, direction):
                self._close(other.id, "taken_over")
        self._sessions[session] = _Session(session, room, person, direction, tag=tag or b"")
        return SessionOpened(session, f"v=0 answer to {session}", '"1"')

    def restart_ice(self, session: str, fragment: str) -> tuple[str, str]:
        self._require_running()
        if session not in self._sessions:
            raise SessionUnknown
        if "ice-ufrag" not in fragment:
            raise OfferRefused("no new credentials")
        self._sessions[session].ice_restarts += 1
        return "a=ice-ufrag:new", f'"{1 + self._sessions[session].ice_restarts}"'

    def close_session(self, session: str, reason: str) -> bool:
        return self._close(session, reason)

    def set_stage(self, room: str, speakers: Sequence[Speaker]) -> None:
        self._require_running()
        self.stages[room] = tuple(speakers)
        on_stage = {speaker.person for speaker in speakers}
        for session in list(self._sessions.values()):
            if session.room == room and session.direction == "speak" and session.person not in on_stage:
                self._close(session.id, "left_stage")

    def close_person(self, room: str, person: str, reason: str) -> int:
        return self._close_all(reason, [s.id for s in self._sessions.values() if (s.room, s.person) == (room, person)])

    def close_room(self, room: str, reason: str) -> int:
        self.stages.pop(room, None)
        return self._close_all(reason, [s.id for s in self._sessions.values() if s.room == room])

    def poll_events(self, timeout_secs: float) -> list[Any]:
        with self._happened:
            self._happened.wait_for(lambda: self._events or self._closed, timeout_secs)
            if self._closed:
                raise EngineError("closed")
            events = list(self._events)
            self._events.clear()
            return events

    def truth(self, room: str | None = None) -> list[SessionTruth]:
        heard = {(r, s.person) for r, stage in self.stages.items() for s in stage if not s.muted}
        return [
            SessionTruth(s.id, s.room, s.person, s.direction, s.connected, s.direction == "speak" and (s.room, s.person) in heard)
            for s in self._sessions.values()
            if room in (None, s.room)
        ]

    def take_talk(self) -> list[RoomTalk]:
        self._require_running()
        taken, self.said = self.said, []
        return taken

    def stats(self) -> EngineStats:
        self._require_running()
        return EngineStats(sessions=len(self._sessions), rooms=len({s.room for s in self._sessions.values()}))

    def restored(self) -> list[SessionRestored]:
        return self._restored

    def book_emptied(self) -> str | None:
        return None

    def release(self) -> None:
        self.is_held = False

    def settle(self) -> None:
        self.is_settled = True

    def leave(self) -> None:
        self.close()

    def close(self) -> None:
        with self._happened:
            self._closed = True
            self._happened.notify_all()

    def _require_running(self) -> None:
        if self._closed:
            raise EngineError("closed")

    def _close_all(self, reason: str, sessions: list[str]) -> int:
        return sum(self._close(session, reason) for session in sessions)

    def _close(self, id_: str, reason: str) -> bool:
        session = self._sessions.pop(id_, None)
        if session is None:
            return False
        self._tell(SessionClosed(session.id, session.room, session.person, session.direction, reason))
        return True

    def _tell(self, event: SessionConnected | SessionClosed) -> None:
        with self._happened:
            self._events.append(event)
            self._happened.notify_all()
