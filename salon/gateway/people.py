"""Whose sockets are open in this process."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from salon.gateway import limits
from salon.gateway.identity import Identity

if TYPE_CHECKING:
    from salon.gateway.client import Client


class TooManySockets(Exception):
    """This person, or visitor, has as many sockets as one may have."""


class People:
    def __init__(self) -> None:
        self._clients: defaultdict[Identity, set[Client]] = defaultdict(set)

    def add(self, identity: Identity, client: "Client") -> None:
        """Raises TooManySockets."""
        clients = self._clients[identity]
        if len(clients) >= limits.SOCKETS_PER_PERSON:
            raise TooManySockets
        clients.add(client)

    def remove(self, identity: Identity, client: "Client") -> None:
        clients = self._clients.get(identity)
        if clients is not None:
            clients.discard(client)
            if not clients:
                del self._clients[identity]

    def sockets_of_person(self, person: str) -> "list[Client]":
        return list(self._clients.get(Identity(person, None), ()))

    def __iter__(self) -> "Iterator[Client]":
        for clients in list(self._clients.values()):
            yield from list(clients)
