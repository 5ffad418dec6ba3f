"""One gateway process's state, and what it does with each message from the bus."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from salon.bus import Bus, Message, MessagesLost, Subscription
from salon.config.environment import Environment
from salon.gateway import place_changes
from salon.gateway.blocks import Blocks
from salon.gateway.client import Client
from salon.gateway.close_codes import CloseCode
from salon.gateway.heartbeats import Heartbeats
from salon.gateway.people import People
from salon.gateway.presence import Presence
from salon.gateway.quality import QualityReports
from salon.gateway.reactions import Reactions
from salon.gateway.stream_names import HALLWAY, room_of_conversation
from salon.gateway.streams import Streams
from salon.gateway.tallies import Tallies
from salon.gateway.tickets import TicketDesk
from salon.gateway.web import InternalWeb

logger = logging.getLogger(__name__)

FORGET_INTERVAL_SECS = 10.0


class Gateway:
    def __init__(self, settings: Environment, bus: Bus, web: InternalWeb) -> None:
        self.settings = settings
        self.bus = bus
        self.web = web
        self.tickets = TicketDesk(settings.secret_key)
        self.people = People()
        self.streams = Streams(web)
        self.presence = Presence(self.streams.watchers)
        self.tallies = Tallies(self.streams.watchers, self.streams.is_known)
        self.reactions = Reactions(self.streams.watchers, self.streams.is_watched)
        self.quality = QualityReports(bus)
        self.heartbeats = Heartbeats()
        self.is_stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self.blocks = Blocks(web, self.people, on_change=self.streams.reconsider)
        self.streams.on_answer = self.tallies.learn
        self.streams.on_snapshot = self._note_snapshot
        self.streams.on_greeting = self._greet
        self.streams.on_repaired = self._note_repaired

    async def start(self) -> None:
        """Returns when everything published from now on will be noticed."""
        for pattern, receive in (
            ("stream.>", self._receive_event),
            ("presence.>", self._receive_presence),
            ("talked.>", self._receive_talked),
            ("tally.>", self._receive_tally),
            ("reaction.>", self._receive_reaction),
            ("blocks.>", self._receive_blocks),
            ("cut.>", self._receive_cut),
            ("alive.>", self._receive_heartbeat),
        ):
            subscription = await self.bus.subscribe(pattern)
            self._spawn(self._pump(pattern, subscription, receive), f"bus {pattern}")
        for board in (self.presence, self.tallies, self.reactions, self.quality):
            self._spawn(board.run(), type(board).__name__.lower())
        self._spawn(self._forget_now_and_then(), "forget")

    def close_sockets(self) -> None:
        """Tell everybody to come back soon, and take nobody new."""
        self.is_stopping = True
        for client in self.people:
            client.close(CloseCode.STOPPING)

    async def stop(self) -> None:
        self.close_sockets()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.streams.close()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _pump(self, pattern: str, subscription: Subscription, receive: Callable[[Message], Awaitable[None]]) -> None:
        async for item in subscription:
            if isinstance(item, MessagesLost):
                # Presence, talk times and heartbeats are said again by themselves; who missed some reactions missed them.
                if pattern == "stream.>":
                    self.streams.recover()
                elif pattern == "tally.>":
                    self.streams.recover(lambda name: room_of_conversation(name) is not None)
                elif pattern == "blocks.>":
                    self._spawn(self.blocks.ask_again(self.streams.watchers(HALLWAY)), "blocks")
                elif pattern == "cut.>":
                    self._ask_everybody_for_a_new_ticket()
                continue
            try:
                await receive(item)
            except (ValueError, KeyError, TypeError):
                extra = {"action": "bus_message_unreadable", "subject": item.subject}
                logger.exception("A message on the bus cannot be read.", extra=extra)

    async def _receive_event(self, message: Message) -> None:
        name = message.subject.removeprefix("stream.")
        if name.startswith("person/"):
            self._note_place_change(name.removeprefix("person/"), message.parsed())
        event = await self.streams.deliver(name, message.payload)
        if event is not None and name == HALLWAY:
            self.presence.hallway_event(event["kind"], event["data"])

    def _note_place_change(self, person: str, event: Mapping[str, Any]) -> None:
        """Before anything else is delivered: who was removed hears no event that comes after it.

        Also for people without a socket now: they might come back and resume.
        """
        if event["kind"] == "place_changed":
            for name in place_changes.lost_streams(event["data"]):
                self.streams.expel(person, name)

    def _note_repaired(self, name: str, event: Mapping[str, Any]) -> None:
        if name.startswith("person/"):
            self._note_place_change(name.removeprefix("person/"), event)
        elif name == HALLWAY:
            self.presence.hallway_event(event["kind"], event["data"])

    async def _receive_presence(self, message: Message) -> None:
        self.presence.hear(message.subject.removeprefix("presence."), message.parsed())

    async def _receive_talked(self, message: Message) -> None:
        self.presence.hear_talked(message.subject.removeprefix("talked."), message.parsed()["talked"])

    async def _receive_tally(self, message: Message) -> None:
        self.tallies.hear(message.subject.removeprefix("tally."), message.parsed())

    async def _receive_reaction(self, message: Message) -> None:
        self.reactions.hear(message.subject.removeprefix("reaction."), message.parsed())

    async def _receive_blocks(self, message: Message) -> None:
        self.blocks.hear(message.subject.removeprefix("blocks."), message.parsed()["blocked_by"])

    async def _receive_cut(self, message: Message) -> None:
        person = message.subject.removeprefix("cut.")
        self.tickets.cut(person, now=time.time())
        for client in self.people.sockets_of_person(person):
            client.close(CloseCode.TICKET_REFUSED)

    def _ask_everybody_for_a_new_ticket(self) -> None:
        """Nobody knows who was cut meanwhile; web does, and gives no ticket to who has signed out or been suspended."""
        for client in self.people:
            if client.identity.person is not None:
                client.close(CloseCode.STOPPING)

    async def _receive_heartbeat(self, message: Message) -> None:
        self.heartbeats.hear(message.subject.removeprefix("alive."), message.parsed()["node"], time.monotonic())

    def _note_snapshot(self, client: Client, name: str, state: Any) -> None:
        if name == HALLWAY:
            client.hallway.begin(state)
            self.presence.hallway_snapshot(state, is_whole=not client.hallway.blocked_by)

    def _greet(self, client: Client, name: str) -> None:
        self.presence.greet(client, name)
        self.tallies.greet(client, name)

    async def _forget_now_and_then(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(FORGET_INTERVAL_SECS)
                self.streams.forget_idle()
