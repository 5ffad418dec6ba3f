"""One demo room: its people come in, go on stage and talk in turns for ever, as any client could.

Whatever breaks (a restart of any part, a room that ended) breaks `_hold`; `run` waits and holds the room again from the turn
where it stopped. Newcomers' hands are taken up: the host invites them, and the others fall silent for a while to hear them.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from salon.demo.client import Api, Events, Refused, SessionLost, Whep, Whip, backoff_secs
from salon.demo.community import Script
from salon.demo.speech import SpeechTrack, read_speech

logger = logging.getLogger(__name__)

_BETWEEN_TURNS_SECS = 0.7
_BEFORE_AGAIN_SECS = 4.0
"""Short enough that a newcomer hears somebody within ten seconds at any moment."""
_FLOOR_SECS = 25.0
"""How long the speakers keep quiet for somebody who just came up."""
_BEFORE_INVITING_SECS = 2.0
"""As a human host would: a hand is seen, then taken up."""
_ARRIVAL_SECS = 15.0
_LONGEST_RETRY_SECS = 15.0
_ABSENCE_SECS = 4.0
"""Presence runs a little behind a reconnection; longer than this it is no delay."""
_STEADY_SECS = 60.0
"""A room held this long counts as working: the next failure is retried at once again."""
Broken = (Refused, SessionLost, aiohttp.ClientError, ConnectionError, TimeoutError)


class Actor:
    """One demo person in one room: always listening; on stage where the script says so."""

    def __init__(self, handle: str, api: Api) -> None:
        self.handle = handle
        self.api = api
        self.person = ""
        self.track = SpeechTrack()
        self._listening: Whep | None = None
        self._speaking: Whip | None = None

    @property
    def is_present(self) -> bool:
        return all(session is None or session.is_connected for session in (self._listening, self._speaking))

    async def enter(self, room: str) -> None:
        if not self.person:
            self.person = (await self.api.get("/api/v1/me"))["person"]["id"]
        self._listening = Whep(self.api, room)
        await self._listening.connect()
        self._listening.stop_hearing()

    async def place(self, room: str) -> Mapping[str, Any] | None:
        place: Mapping[str, Any] | None = (await self.api.get(f"/api/v1/rooms/{room}"))["mine"]
        return place

    async def go_on_air(self, room: str) -> None:
        self.track = SpeechTrack()
        self._speaking = Whip(self.api, room, self.track)
        await self._speaking.connect()
        place = await self.place(room)
        if place and place["muted"]:
            await self.api.command(room, "unmute")

    async def leave(self) -> None:
        """Closes the sound; the place itself stays for the server's grace time, and so survives a restart of this process."""
        sessions, self._listening, self._speaking = (self._speaking, self._listening), None, None
        for session in sessions:
            if session is not None:
                await session.peer.close()


class Conversation:
    def __init__(self, script: Script, origin: str, tokens: Mapping[str, str]) -> None:
        """tokens: by handle, for the script's speakers at least."""
        self._script = script
        self._speakers = {handle: Actor(handle, Api(origin, tokens[handle])) for handle in script.speakers}
        self._visitor = Api(origin)
        self._visit: Whep | None = None
        self._host = self._speakers[script.host]
        self._turns = itertools.cycle(script.turns)
        self._turn = next(self._turns)
        self._quiet_until = 0.0
        self._absent_since: float | None = None

    async def run(self) -> None:
        """For ever; end it by cancelling."""
        attempt = 0
        try:
            while True:
                began = time.monotonic()
                try:
                    await self._hold()
                except Broken as error:
                    attempt = 1 if time.monotonic() - began > _STEADY_SECS else attempt + 1
                    logger.info(
                        "A demo room broke off and will be held again: %s: %s",
                        type(error).__name__,
                        error,
                        extra={"action": "demo_room_broken", "script": self._script.name, "attempt": attempt},
                    )
                finally:
                    await asyncio.gather(*(actor.leave() for actor in self._speakers.values()), self._end_visit(), return_exceptions=True)
                await asyncio.sleep(backoff_secs(attempt, _LONGEST_RETRY_SECS))
        finally:
            for actor in self._speakers.values():
                await actor.api.close()
            await self._visitor.close()

    async def _hold(self) -> None:
        self._absent_since = None
        known = await self._find_room()
        room = known or await self._open_room()
        await self._host.enter(room)
        await self._host.go_on_air(room)
        others = [actor for actor in self._speakers.values() if actor is not self._host]
        await asyncio.gather(*(self._come_up(actor, room) for actor in others), self._look_in(room))
        if known is None:
            await self._write(room)
        logger.info("A demo room is talking.", extra={"action": "demo_room_held", "room": room, "script": self._script.name})
        hands = asyncio.create_task(self._take_up_hands(room))
        talk = asyncio.create_task(self._talk())
        try:
            # Neither ends but by an exception, which is then what broke the room.
            done, _ = await asyncio.wait((hands, talk), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (hands, talk):
                task.cancel()
            await asyncio.gather(hands, talk, return_exceptions=True)

    async def _look_in(self, room: str) -> None:
        """Somebody to talk to: a visitor, because the quiet people of the community are for newcomers to borrow, and a person
        listens in one place only. Where visitors may not listen, or this one is lost, the room does without."""
        with contextlib.suppress(*Broken):
            visit = Whep(self._visitor, room)
            await visit.connect()
            visit.stop_hearing()
            self._visit = visit

    async def _end_visit(self) -> None:
        visit, self._visit = self._visit, None
        if visit is not None:
            await visit.close()

    async def _find_room(self) -> str | None:
        """The room that this host still has open: after a restart of this process it is gone on with."""
        hallway = await self._host.api.get("/api/v1/hallway")
        return next((card["id"] for card in hallway["rooms"] if card["host"]["handle"] == self._host.handle), None)

    async def _open_room(self) -> str:
        script = self._script
        opened = await self._host.api.post("/api/v1/rooms", {"title": script.title, "topic": script.topic, "language": script.language})
        return str(opened["id"])

    async def _come_up(self, actor: Actor, room: str) -> None:
        """From the door to the microphone: enter, raise a hand, be invited, accept."""
        await actor.enter(room)
        # The place is made with the answer to the offer; a keeper that let somebody go meanwhile makes it anew when the sound connects.
        async with asyncio.timeout(_ARRIVAL_SECS):
            while (place := await actor.place(room)) is None:  # noqa: ASYNC110  (the server makes it; nothing here could be waited on)
                await asyncio.sleep(0.2)
        if not place["on_stage"]:
            if place["hand_raised_at"] is None and place["invited_by"] is None:
                await actor.api.command(room, "raise_hand")
            if place["invited_by"] is None:
                with contextlib.suppress(Refused):
                    await self._host.api.command(room, "invite_to_stage", person=actor.person)
            await actor.api.command(room, "accept_invitation")
        await actor.go_on_air(room)

    async def _write(self, room: str) -> None:
        """Chat and a question with votes, once in a new room. A room that may not be written in, or not so fast, talks all the same."""
        with contextlib.suppress(Refused):
            for line in self._script.chat:
                await self._speakers[line.writer].api.command(room, "post_message", text=line.text)
            if question := self._script.question:
                asked = await self._speakers[question.writer].api.post(f"/api/v1/rooms/{room}/ask_question", {"text": question.text})
                for voter in question.voters:
                    await self._speakers[voter].api.command(room, "vote_question", question=asked["id"])

    async def _talk(self) -> None:
        while True:
            await self._wait_for_the_floor()
            turn = self._turn
            saying = asyncio.create_task(self._speakers[turn.speaker].track.say(read_speech(turn.speech)))
            try:
                while not saying.done():
                    await asyncio.wait((saying,), timeout=1.0)
                    self._check_present()
            finally:
                saying.cancel()
            self._turn = next(self._turns)
            await asyncio.sleep(_BEFORE_AGAIN_SECS if self._turn is self._script.turns[0] else _BETWEEN_TURNS_SECS)

    async def _wait_for_the_floor(self) -> None:
        while True:
            self._check_present()
            remaining = self._quiet_until - time.monotonic()
            if remaining <= 0:
                return
            await asyncio.sleep(min(remaining, 1.0))

    def _check_present(self) -> None:
        for actor in self._speakers.values():
            if not actor.is_present:
                raise SessionLost(f"{actor.handle} lost the connection")

    async def _take_up_hands(self, room: str) -> None:
        """Never ends by itself. A gateway that restarts costs the hands some seconds and the sound nothing."""
        for attempt in itertools.count(1):
            try:
                await self._follow(room)
            except (aiohttp.ClientError, ConnectionError, TimeoutError, Refused) as error:
                if isinstance(error, Refused) and error.is_final:
                    raise
            await asyncio.sleep(backoff_secs(min(attempt, 3)))

    async def _follow(self, room: str) -> None:
        async with Events(self._host.api) as events:
            await events.watch(f"room/{room}")
            queue = await events.watch(f"hands/{room}")
            for hand in queue["state"]["hands"]:
                await self._take_up(room, hand)
            async for frame in events:
                await self._react(room, frame)

    async def _react(self, room: str, frame: Mapping[str, Any]) -> None:
        match frame:
            case {"type": "event", "kind": "hand_raised", "data": hand}:
                await asyncio.sleep(_BEFORE_INVITING_SECS)
                await self._take_up(room, hand)
            case {"type": "event", "kind": "stage_joined", "data": {"person": person}} if person["handle"] not in self._speakers:
                self._quiet_until = time.monotonic() + _FLOOR_SECS
            case {"type": "event", "kind": "stage_left", "data": {"person": person}} if person not in self._people():
                self._quiet_until = 0.0
            case {"type": "event", "kind": "room_ended"}:
                raise SessionLost("the room ended")
            case {"type": "presence", "stream": stream, "connected": connected} if stream == f"room/{room}":
                self._notice_absence(self._people() - set(connected))

    def _notice_absence(self, absent: set[str]) -> None:
        """The server's word on who has sound comes sooner than the transport's own doubts, which take half a minute (RFC 7675)."""
        if not absent:
            self._absent_since = None
        elif self._absent_since is None:
            self._absent_since = time.monotonic()
        elif time.monotonic() - self._absent_since > _ABSENCE_SECS:
            raise SessionLost("somebody on the stage is not connected any more")

    def _people(self) -> set[str]:
        return {actor.person for actor in self._speakers.values()}

    async def _take_up(self, room: str, hand: Mapping[str, Any]) -> None:
        if hand["invited"] or hand["person"]["handle"] in self._speakers:
            return
        # Refused when they lowered the hand or left meanwhile: nothing to do.
        with contextlib.suppress(Refused):
            await self._host.api.command(room, "invite_to_stage", person=hand["person"]["id"])
