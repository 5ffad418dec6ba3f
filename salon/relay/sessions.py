"""The sessions of this process and what is said about them to others. No I/O."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from salon.common.signing import SignedFace
from salon.relay.policies import Policy

Direction = Literal["listen", "speak"]

SHOWN_FACES = 12
_TAG_BYTES = 1024


@dataclass(slots=True)
class Session:
    id: str
    room: str
    person: str
    """A person's id, or a visitor's."""
    direction: Direction
    epoch: int
    face: SignedFace | None
    is_connected: bool = False
    source: str = ""
    """The address that asked for it, as the front door saw it."""

    def tag(self) -> bytes:
        """What the engine does not know of it, to outlive this process with it."""
        tag = _encoded({"epoch": self.epoch, "face": self.face})
        return tag if len(tag) <= _TAG_BYTES else _encoded({"epoch": self.epoch, "face": None})


def restored_session(id_: str, room: str, person: str, direction: Direction, tag: bytes) -> Session:
    """Connected. Raises ValueError, KeyError, TypeError for a tag that is none of ours."""
    said = json.loads(tag)
    return Session(id_, room, person, direction, int(said["epoch"]), said["face"], is_connected=True)


def _encoded(said: dict[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


class Sessions:
    def __init__(self) -> None:
        self._by_id: dict[str, Session] = {}
        self._by_room: defaultdict[str, dict[str, Session]] = defaultdict(dict)
        self._by_person: defaultdict[str, dict[str, Session]] = defaultdict(dict)
        self._unfinished: Counter[str] = Counter()
        """Sessions that never connected, by source; of 5,000 listeners behind one address a few at a time."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_id.values())

    def add(self, session: Session) -> None:
        self._by_id[session.id] = session
        self._by_room[session.room][session.id] = session
        self._by_person[session.person][session.id] = session
        if not session.is_connected:
            self._unfinished[session.source] += 1

    def connect(self, id_: str) -> None:
        """Its sound has connected; one that is gone already has nothing to be noted."""
        session = self._by_id.get(id_)
        if session is not None and not session.is_connected:
            session.is_connected = True
            self._finish(session.source)

    def get(self, id_: str) -> Session | None:
        return self._by_id.get(id_)

    def remove(self, id_: str) -> None:
        session = self._by_id.pop(id_, None)
        if session is None:
            return
        if not session.is_connected:
            self._finish(session.source)
        for index, key in ((self._by_room, session.room), (self._by_person, session.person)):
            del index[key][id_]
            if not index[key]:
                del index[key]

    def rooms(self) -> set[str]:
        return set(self._by_room)

    def of_room(self, room: str) -> Iterable[Session]:
        return self._by_room[room].values() if room in self._by_room else ()

    def unfinished_of(self, person: str) -> int:
        """How many of somebody's sessions are open but have never connected."""
        sessions = self._by_person[person].values() if person in self._by_person else ()
        return sum(1 for session in sessions if not session.is_connected)

    def unfinished_from(self, source: str) -> int:
        """How many were asked for from one address."""
        return self._unfinished[source]

    def unfinished(self) -> int:
        return self._unfinished.total()

    def _finish(self, source: str) -> None:
        self._unfinished[source] -= 1
        if not self._unfinished[source]:
            del self._unfinished[source]

    def older_than(self, policy: Policy) -> set[str]:
        """Whoever has a session in the policy's room of an older epoch than it demands."""
        return {session.person for session in self.of_room(policy.room) if session.epoch < policy.epochs.get(session.person, 0)}

    def presence(self, room: str, policy: Policy | None) -> dict[str, Any]:
        """Who really has sound connected: the audience counted, some of its faces, and those of the stage by id."""
        on_stage = {speaker.person for speaker in policy.speakers} if policy else set()
        listeners: dict[str, SignedFace | None] = {}
        connected_stage: dict[str, None] = {}
        for session in self._connected(room):
            if session.person in on_stage:
                connected_stage[session.person] = None
            elif session.direction == "listen":
                listeners.setdefault(session.person, session.face)
        faces = [face for face in listeners.values() if face is not None]
        return {"audience": len(listeners), "faces": faces[:SHOWN_FACES], "connected": list(connected_stage)}

    def roster(self) -> dict[str, dict[str, list[str]]]:
        """`{room: {"listen": [person…], "speak": [person…]}}` of what is connected."""
        roster: dict[str, dict[str, list[str]]] = {}
        for room in self._by_room:
            entry: dict[str, list[str]] = {"listen": [], "speak": []}
            for session in self._connected(room):
                entry[session.direction].append(session.person)
            roster[room] = {direction: sorted(set(people)) for direction, people in entry.items()}
        return roster

    def _connected(self, room: str) -> Iterator[Session]:
        return (session for session in self.of_room(room) if session.is_connected)
