"""Reactions, added up over half a second: a thousand clapping hands are one frame to each who watches."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from salon.gateway.client import Client
from salon.gateway.fanout import fan_out
from salon.gateway.frames import frame
from salon.gateway.stream_names import conversation_stream

INTERVAL_SECS = 0.5
NAMED = 5
"""People named with each kind; a face or two is what a screen has room for."""


class ReactionBoard:
    """What has been made since the last taking. No I/O."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}
        self._from: dict[str, dict[str, list[str]]] = {}

    def hear(self, room: str, person: str, kind: str) -> None:
        counts, named = self._counts.setdefault(room, {}), self._from.setdefault(room, {}).setdefault(kind, [])
        counts[kind] = counts.get(kind, 0) + 1
        if len(named) < NAMED and person not in named:
            named.append(person)

    def take(self) -> dict[str, dict[str, Any]]:
        """`{room: {"counts": {kind: n}, "from": {kind: [person…]}}}`; the first five people of each kind, each once."""
        taken = {room: {"counts": counts, "from": self._from[room]} for room, counts in self._counts.items()}
        self._counts, self._from = {}, {}
        return taken


class Reactions:
    """Sends what the board has added up to whoever watches the conversation. Who watches later has missed it."""

    def __init__(self, watchers: Callable[[str], list[Client]], is_watched: Callable[[str], bool]) -> None:
        self.board = ReactionBoard()
        self._watchers = watchers
        self._is_watched = is_watched

    def hear(self, room: str, said: Mapping[str, Any]) -> None:
        """said: `{"person", "kind"}`. Raises KeyError for what is no reaction."""
        if self._is_watched(conversation_stream(room)):
            self.board.hear(room, said["person"], said["kind"])

    async def run(self) -> None:
        """For ever: what came, every half second."""
        while True:
            await asyncio.sleep(INTERVAL_SECS)
            await self.send_new()

    async def send_new(self) -> None:
        for room, added_up in self.board.take().items():
            name = conversation_stream(room)
            prepared = frame({"type": "reactions", "stream": name, **added_up})
            await fan_out(self._watchers(name), lambda client, prepared=prepared: client.send(prepared))  # type: ignore[misc]
