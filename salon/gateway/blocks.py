"""By whom the people at this gateway are blocked, for the hallway.

Web is asked once, when somebody first watches the hallway; from then on the bus tells each change, whole. While web cannot say, the hallway
is not shown: a list that hides nothing would tell a blocked person what it must not.
"""

import asyncio
from collections.abc import Callable, Iterable

from salon.gateway.client import Client
from salon.gateway.people import People
from salon.gateway.web import InternalWeb, WebRefused

RETRY_SECS = 2.0


class Blocks:
    def __init__(self, web: InternalWeb, people: People, *, on_change: Callable[[Client], None]) -> None:
        """on_change: called with each client that was blocked, or is blocked no more, by somebody since it was last known."""
        self._web = web
        self._people = people
        self._on_change = on_change
        self._losses = 0
        """How often the bus may have lost changes: what web said before is no longer the truth."""

    async def learn(self, client: Client) -> None:
        """Make sure that it is known by whom this client is blocked. Raises WebRefused, always as a temporary refusal."""
        person = client.identity.person
        if person is None or client.hallway.is_known:
            return None
        # A socket opened earlier may know already.
        for other in self._people.sockets_of_person(person):
            if other.hallway.is_known:
                return self._set([client], other.hallway.blocked_by)
        while not client.hallway.is_known:  # what the bus tells meanwhile is as new or newer
            losses = self._losses
            try:
                blocked_by = await self._web.blocked_by(person)
            except WebRefused as refused:
                raise WebRefused(503, None) from refused
            if losses == self._losses and not client.hallway.is_known:
                self._set([client, *self._people.sockets_of_person(person)], blocked_by)
        return None

    def hear(self, person: str, blocked_by: Iterable[str]) -> None:
        """The bus says so."""
        self._set(self._people.sockets_of_person(person), frozenset(blocked_by))

    async def ask_again(self, watching: Iterable[Client]) -> None:
        """The bus may have lost changes: ask anew about those who are watching. Until web answers, what was last known holds."""
        self._losses += 1
        for client in self._people:
            client.hallway.is_known = False
        for client in watching:
            while client.is_open:
                try:
                    await self.learn(client)
                    break
                except WebRefused:
                    await asyncio.sleep(RETRY_SECS)

    def _set(self, clients: Iterable[Client], blocked_by: frozenset[str]) -> None:
        for client in clients:
            if client.hallway.set_blocked_by(blocked_by):
                self._on_change(client)
