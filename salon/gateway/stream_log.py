"""The last events of one stream in order, whatever order they come in. No I/O.

Events are numbered without gaps. One transport may swap neighbours (two web processes publish on NATS at once) or lose some
(a reconnection); so an event ahead of its turn is held until the missing ones come, or until somebody fetches them.
"""

from collections import deque
from dataclasses import dataclass

from salon.gateway.hallway import HallwayView, Listing

KEPT_EVENTS = 256
"""Enough for a minute's absence from a busy room; what is older web knows."""
HELD_EVENTS = 1024
"""Ahead of their turn. Past this the missing ones are not coming by themselves."""


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    frame: bytes
    """Ready to write to any number of sockets."""
    listing: Listing | None = None
    """For the hallway's events alone."""
    unlisted_frame: bytes = b""
    """What goes to those from whom the listing is hidden, under the same number."""

    def frame_for(self, view: HallwayView) -> bytes:
        """To be asked once for each event, in order."""
        return self.frame if self.listing is None or view.shows(self.listing) else self.unlisted_frame


class StreamLog:
    def __init__(self) -> None:
        self.head: int | None = None
        """The number of the last event in order; None until `start`."""
        self._events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._held: dict[int, Event] = {}

    @property
    def has_gap(self) -> bool:
        return self.head is not None and bool(self._held)

    def start(self, seq: int) -> list[Event]:
        """A snapshot says that the stream stands at `seq`; events that came before the snapshot wait in hand. What follows, in order."""
        if self.head is not None:
            return []
        self.head = seq
        return self._release()

    def append(self, event: Event) -> list[Event]:
        """The events that are now in turn: none if this one is old, ahead of its turn, or the log has not started."""
        if self.head is not None and event.seq <= self.head:
            return []
        if len(self._held) < HELD_EVENTS:
            self._held[event.seq] = event
        return self._release()

    def after(self, seq: int) -> list[Event] | None:
        """Everything after `seq` up to the head; None where some of it is no longer, or not yet, known."""
        if self.head is None or seq > self.head:
            return None
        if seq == self.head:
            return []
        if not self._events or self._events[0].seq > seq + 1:
            return None
        return [event for event in self._events if event.seq > seq]

    def skip_to(self, seq: int) -> list[Event]:
        """Nobody knows what lies between the head and `seq` any more: watchers need fresh snapshots. What follows, in order."""
        if self.head is None or seq <= self.head:
            return []
        self._events.clear()
        self.head = seq
        return self._release()

    def _release(self) -> list[Event]:
        if self.head is None:
            return []
        released = []
        while event := self._held.pop(self.head + 1, None):
            self._events.append(event)
            released.append(event)
            self.head = event.seq
        self._held = {seq: event for seq, event in self._held.items() if seq > self.head} if self._held else self._held
        return released
