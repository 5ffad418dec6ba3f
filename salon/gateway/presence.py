"""Who really has sound connected, as the media nodes say it, added up and sent on calmly.

A node's word holds until its next one, or until it has been silent for `NODE_SILENCE_SECS` (nodes repeat themselves every 5 s).
How long each on the stage has talked is the keeper's word, who knows it over restarts; who has the floor is the nodes'.
The hallway hears of rooms that it lists, and of no others: a count would tell that a private room exists.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from salon.gateway.client import Client
from salon.gateway.fanout import fan_out
from salon.gateway.frames import frame
from salon.gateway.stream_names import HALLWAY, room_stream

NODE_SILENCE_SECS = 15.0
TALKED_HELD_SECS = 90.0
"""The keeper repeats talk times every 30 s; two may be lost."""
ROOM_INTERVAL_SECS = 0.5
HALLWAY_INTERVAL_SECS = 1.0
SHOWN_FACES = 12


class PresenceBoard:
    """The latest word of each node about each room. No I/O."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, tuple[float, Mapping[str, Any]]]] = {}
        self._talked: dict[str, tuple[float, Mapping[str, int]]] = {}
        self._changed: set[str] = set()

    def hear(self, room: str, said: Mapping[str, Any], now: float) -> None:
        """said: `{"node", "audience", "faces", "connected", "turn"}`. now: monotonic seconds."""
        nodes = self._said.setdefault(room, {})
        before = nodes.get(said["node"])
        nodes[said["node"]] = (now, said)
        if before is None or before[1] != said:
            self._changed.add(room)

    def hear_talked(self, room: str, talked: Mapping[str, int], now: float) -> None:
        """talked: whole seconds that each on the stage has talked in this room."""
        before = self._talked.get(room)
        self._talked[room] = (now, dict(talked))
        if (before[1] if before else {}) != talked:
            self._changed.add(room)

    def forget_silent(self, now: float) -> None:
        for room, nodes in list(self._said.items()):
            for node, (at, said) in list(nodes.items()):
                if now - at > NODE_SILENCE_SECS:
                    del nodes[node]
                    self._changed.add(room)
                elif not said["audience"] and not said["connected"] and len(nodes) == 1 and room not in self._changed:
                    del nodes[node]  # an empty room that everybody has heard of
            if not nodes:
                del self._said[room]
        self._talked = {room: (at, talked) for room, (at, talked) in self._talked.items() if now - at <= TALKED_HELD_SECS}

    def take_changed(self) -> set[str]:
        changed, self._changed = self._changed, set()
        return changed

    def audience(self, room: str) -> int:
        return sum(said["audience"] for _, said in self._said.get(room, {}).values())

    def rooms(self) -> Iterable[str]:
        return self._said.keys()

    def merged(self, room: str) -> dict[str, Any]:
        """`{"audience", "faces", "connected", "talk", "turn"}` over all nodes; somebody on two nodes (a reconnection) is one person.

        Of two nodes that give the floor to two people, the later turn holds.
        """
        faces: dict[str, Any] = {}
        connected: dict[str, None] = {}
        turns = []
        for _, said in self._said.get(room, {}).values():
            faces |= {face["id"]: face for face in said["faces"]}
            connected |= dict.fromkeys(said["connected"])
            turns += [said["turn"]] if said.get("turn") else []
        return {
            "audience": self.audience(room),
            "faces": list(faces.values())[:SHOWN_FACES],
            "connected": list(connected),
            "talk": self._talked[room][1] if room in self._talked else {},
            "turn": max(turns, key=lambda turn: turn["since"], default=None),
        }


class Presence:
    """Sends the board's changes to whoever watches."""

    def __init__(self, watchers: Callable[[str], list[Client]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.board = PresenceBoard()
        self._watchers = watchers
        self._clock = clock
        self._listed: set[str] = set()
        self._hallway_at = 0.0
        self._hallway_said: dict[str, int] = {}

    def hear(self, room: str, said: Mapping[str, Any]) -> None:
        self.board.hear(room, said, self._clock())

    def hear_talked(self, room: str, talked: Mapping[str, int]) -> None:
        self.board.hear_talked(room, talked, self._clock())

    def hallway_snapshot(self, state: Mapping[str, Any], *, is_whole: bool) -> None:
        """is_whole: False where it was made for somebody from whom rooms are hidden."""
        rooms = {card["id"] for card in state["rooms"]}
        self._listed = rooms if is_whole else self._listed | rooms

    def hallway_event(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "room_listed":
            self._listed.add(data["id"])
        elif kind == "room_unlisted":
            self._listed.discard(data["id"])

    def greet(self, client: Client, name: str) -> None:
        """Right after its snapshot a client gets the state of presence too."""
        if name == HALLWAY:
            client.send(self._hallway_frame(_shown(client, self._counts())))
        elif name.startswith("room/"):
            client.send(self._room_frame(name.removeprefix("room/")))

    async def run(self) -> None:
        """For ever: what changed, at most every half second."""
        while True:
            await asyncio.sleep(ROOM_INTERVAL_SECS)
            await self.send_changes()

    async def send_changes(self) -> None:
        now = self._clock()
        self.board.forget_silent(now)
        for room in self.board.take_changed():
            watchers = self._watchers(room_stream(room))
            if watchers:
                prepared = self._room_frame(room)
                await fan_out(watchers, lambda client, prepared=prepared: client.send(prepared))  # type: ignore[misc]
        if now - self._hallway_at >= HALLWAY_INTERVAL_SECS:
            await self._send_hallway(now)

    async def _send_hallway(self, now: float) -> None:
        counts = self._counts()
        if counts == self._hallway_said:
            return
        self._hallway_at, self._hallway_said = now, counts
        prepared = self._hallway_frame(counts)

        def write(client: Client) -> None:
            client.send(self._hallway_frame(_shown(client, counts)) if client.hallway.blocked_by else prepared)

        await fan_out(self._watchers(HALLWAY), write)

    def _counts(self) -> dict[str, int]:
        return {room: self.board.audience(room) for room in sorted(self._listed.intersection(self.board.rooms()))}

    def _room_frame(self, room: str) -> bytes:
        return frame({"type": "presence", "stream": room_stream(room), **self.board.merged(room)})

    def _hallway_frame(self, counts: Mapping[str, int]) -> bytes:
        return frame({"type": "presence", "stream": HALLWAY, "rooms": counts})


def _shown(client: Client, counts: Mapping[str, int]) -> Mapping[str, int]:
    """A count would name a room that is hidden from this client."""
    return {room: count for room, count in counts.items() if room in client.hallway.rooms} if client.hallway.blocked_by else counts
