"""Tickets for sockets: signed by web, 60 s old at most, taken once."""

from dataclasses import dataclass

from salon.common.signing import SignatureRefused, read_ticket
from salon.gateway.identity import Identity


class TicketRefused(Exception):
    """Not ours, too old, or taken before."""


@dataclass(frozen=True, slots=True)
class Admitted:
    identity: Identity
    language: str


class TicketDesk:
    """Remembers taken tickets until they expire.

    Single use holds for one gateway process: two would need shared memory, and a ticket that leaks is already confined to 60 s.
    """

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key
        self._taken: dict[str, int] = {}

    def admit(self, signed: str, *, now: float) -> Admitted:
        """now: Unix seconds. Raises TicketRefused."""
        try:
            ticket = read_ticket(signed, self._secret_key, now=now)
        except SignatureRefused as error:
            raise TicketRefused from error
        self._forget_expired(now)
        if ticket["id"] in self._taken or (ticket["person"] is None) == (ticket["visitor"] is None):
            raise TicketRefused
        self._taken[ticket["id"]] = ticket["expires"]
        return Admitted(Identity(ticket["person"], ticket["visitor"]), ticket["language"])

    def _forget_expired(self, now: float) -> None:
        # All live equally long, so the order of taking is nearly the order of expiry: look only until the first that still lives.
        while self._taken:
            oldest = next(iter(self._taken))
            if self._taken[oldest] > now:
                break
            del self._taken[oldest]
