"""What a media process says again and again: presence, talk, roster; and what it asks again: policies."""

import asyncio
import contextlib
import http.client
import json
import logging
import time
from typing import Any

from salon.bus import Bus, Message, MessagesLost
from salon.config.environment import Environment
from salon.relay.policies import read_policy
from salon.relay.relay import Relay

logger = logging.getLogger(__name__)

PRESENCE_INTERVAL_SECS = 0.5
TALK_INTERVAL_SECS = 1.0
REPEAT_SECS = 5.0
_ASK_AGAIN_SECS = 0.25
_WARN_EVERY = 20
_TIMEOUT_SECS = 5.0
_UNREADABLE = (ValueError, KeyError, TypeError)


class Reports:
    def __init__(self, settings: Environment, relay: Relay, bus: Bus) -> None:
        self._relay = relay
        self._bus = bus
        self._web_port = settings.web_port
        self._headers = {"X-Salon-Internal": settings.internal_secret, "Content-Type": "application/json"}
        self._may_have_missed = asyncio.Event()
        self._failures = 0

    async def tell_presence(self) -> None:
        """For ever: what changed, at most twice a second for a room."""
        while True:
            await asyncio.sleep(PRESENCE_INTERVAL_SECS)
            self._relay.listen_to_talk(now=time.monotonic())
            await self.tell_changed_presence()

    async def tell_changed_presence(self) -> None:
        changed, self._relay.changed_rooms = self._relay.changed_rooms, set()
        await self._relay.publish_all([(f"presence.{room}", self._relay.presence(room)) for room in sorted(changed)])

    async def tell_talk(self) -> None:
        """For ever: where somebody has talked, at most once a second for a room."""
        while True:
            await asyncio.sleep(TALK_INTERVAL_SECS)
            await self.tell_changed_talk()

    async def tell_changed_talk(self) -> None:
        changed = self._relay.talk.take_changed()
        await self._relay.publish_all([(f"talk.{room}", self._relay.talked(room)) for room in sorted(changed)])

    async def repeat(self) -> None:
        """For ever: everything, for those who missed it."""
        while True:
            await asyncio.sleep(REPEAT_SECS)
            await self.tell_everything()

    async def tell_everything(self) -> None:
        await self._relay.publish("roster", self._relay.roster())
        rooms = self._relay.sessions.rooms()
        self._relay.changed_rooms |= rooms
        self._relay.talk.repeat(rooms)
        self._relay.forget_unused_rooms(now=time.monotonic())

    async def follow_policies(self) -> None:
        """For ever: each policy as it is published. What a gap hid is asked for elsewhere: a mute must not wait for web's answer."""
        async for item in await self._bus.subscribe("policy.>"):
            if isinstance(item, MessagesLost):
                self._may_have_missed.set()
            else:
                self._apply(item)

    async def recover_policies(self) -> None:
        """For ever: ask for what may have been missed, at once after a gap, else now and then. Versions make the order irrelevant."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._may_have_missed.wait(), REPEAT_SECS)
            # Before the question: a gap while web answers is one more question.
            self._may_have_missed.clear()
            await self.ask_policies()

    async def learn_policies(self) -> None:
        """Until web has told the policies of all rooms that have sessions here, asking again and again."""
        while not await self.ask_policies():  # noqa: ASYNC110  (another process's word)
            await asyncio.sleep(_ASK_AGAIN_SECS)

    async def ask_policies(self) -> bool:
        """False if web does not answer, which says nothing: what is known holds."""
        versions = self._relay.known_versions()
        if not versions:
            return True
        try:
            for policy in await asyncio.to_thread(self._fetch_policies, versions):
                self._relay.apply(read_policy(policy))
            self._failures = 0
            return True
        except (OSError, http.client.HTTPException) as error:
            self._failures += 1
            # Once is a start or a restart: everything starts at the same time, and web takes longest.
            if self._failures == 2 or self._failures % _WARN_EVERY == 0:
                logger.warning("Web does not tell policies.", extra={"action": "policies_unanswered", "kind": type(error).__name__})
        except _UNREADABLE:
            logger.exception("Web's policies cannot be read.", extra={"action": "policies_unreadable"})
        return False

    def _fetch_policies(self, versions: dict[str, int]) -> list[Any]:
        """Blocks. With nothing that takes long to load: sound waits for the first answer. Raises OSError, HTTPException, or for an answer
        that cannot be read ValueError, KeyError, TypeError."""
        connection = http.client.HTTPConnection("127.0.0.1", self._web_port, timeout=_TIMEOUT_SECS)
        try:
            connection.request("POST", "/internal/policies", json.dumps({"rooms": versions}), self._headers)
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise http.client.HTTPException(f"status {response.status}")
            policies = json.loads(response.read())["policies"]
        finally:
            connection.close()
        return list(policies)

    def _apply(self, message: Message) -> None:
        try:
            self._relay.apply(read_policy(message.parsed()))
        except _UNREADABLE:
            logger.exception("A policy cannot be read.", extra={"action": "policy_unreadable", "subject": message.subject})
