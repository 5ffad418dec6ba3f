"""Votes on questions and on the open poll, as they stand, sent on calmly.

A tally is no event: the latest holds, and one that is lost is made good by the next. Web says a room's whole tally on the bus each time it
changes, and beside each snapshot of the conversation; of the two, what the bus has said since web was asked is the newer.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from salon.gateway.client import Client
from salon.gateway.fanout import fan_out
from salon.gateway.frames import frame
from salon.gateway.stream_names import conversation_stream, room_of_conversation

INTERVAL_SECS = 0.5


@dataclass(frozen=True, slots=True)
class Tally:
    votes: Mapping[str, int]
    """By question."""
    poll: Mapping[str, Any] | None
    """`{"id", "counts"}` of the open one."""


def read_tally(said: Mapping[str, Any]) -> Tally:
    """Raises KeyError, TypeError for what is no tally."""
    poll = said["poll"]
    return Tally(dict(said["votes"]), None if poll is None else dict(poll))


class TallyBoard:
    """The latest tally of each room that somebody here watches. No I/O. now, asked_at: monotonic seconds."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._heard_at: dict[str, float] = {}
        self._changed: set[str] = set()

    def hear(self, room: str, tally: Tally, now: float) -> None:
        """The bus says so."""
        self._heard_at[room] = now
        self._put(room, tally)

    def learn(self, room: str, tally: Tally, asked_at: float) -> None:
        """Web answered so. What the bus has said since web was asked is as new or newer.

        The first to be known is no change: nobody has another, and whoever it was asked for is greeted with it.
        """
        if room not in self._tallies:
            self._tallies[room] = tally
        elif self._heard_at.get(room, float("-inf")) < asked_at:
            self._put(room, tally)

    def tally(self, room: str) -> Tally | None:
        return self._tallies.get(room)

    def take_changed(self) -> set[str]:
        changed, self._changed = self._changed, set()
        return changed

    def keep_only(self, is_needed: Callable[[str], bool]) -> None:
        """Forget every room of which `is_needed` is false."""
        for room in [room for room in self._tallies if not is_needed(room)]:
            del self._tallies[room]
            self._heard_at.pop(room, None)
            self._changed.discard(room)

    def _put(self, room: str, tally: Tally) -> None:
        if self._tallies.get(room) != tally:
            self._tallies[room] = tally
            self._changed.add(room)


class Tallies:
    """Sends the board's changes to whoever watches the conversation.

    watchers: of a stream. is_known: whether anybody watches a stream, is about to, or did a moment ago.
    """

    def __init__(
        self, watchers: Callable[[str], list[Client]], is_known: Callable[[str], bool], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.board = TallyBoard()
        self._watchers = watchers
        self._is_known = is_known
        self._clock = clock

    def hear(self, room: str, said: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError for what is no tally."""
        if self._is_known(conversation_stream(room)):
            self.board.hear(room, read_tally(said), self._clock())

    def learn(self, name: str, answer: Mapping[str, Any], asked_at: float) -> None:
        """What web answered about a stream. asked_at: monotonic seconds."""
        room = room_of_conversation(name)
        if room is not None and answer.get("tally") is not None:
            self.board.learn(room, read_tally(answer["tally"]), asked_at)

    def greet(self, client: Client, name: str) -> None:
        """Right after its snapshot a client gets the tally too."""
        room = room_of_conversation(name)
        tally = self.board.tally(room) if room is not None else None
        if room is not None and tally is not None:
            client.send(_tally_frame(room, tally))

    async def run(self) -> None:
        """For ever: what changed, at most every half second."""
        while True:
            await asyncio.sleep(INTERVAL_SECS)
            await self.send_changes()

    async def send_changes(self) -> None:
        self.board.keep_only(lambda room: self._is_known(conversation_stream(room)))
        for room in self.board.take_changed():
            watchers, tally = self._watchers(conversation_stream(room)), self.board.tally(room)
            if watchers and tally is not None:
                prepared = _tally_frame(room, tally)
                await fan_out(watchers, lambda client, prepared=prepared: client.send(prepared))  # type: ignore[misc]


def _tally_frame(room: str, tally: Tally) -> bytes:
    return frame({"type": "tally", "stream": conversation_stream(room), "votes": tally.votes, "poll": tally.poll})
