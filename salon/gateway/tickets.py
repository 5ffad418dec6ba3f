"""Tickets for sockets: signed by web, 60 s old at most, taken once."""

from dataclasses import dataclass

from salon.common.signing import TICKET_SECS, SignatureRefused, Ticket, read_ticket
from salon.gateway.identity import Identity


class TicketRefused(Exception):
    """Not ours, too old, taken before, or of somebody who was signed out since."""


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
        self._cut_at: dict[str, float] = {}
        """By person, for as long as a ticket from before could be taken."""

    def admit(self, signed: str, *, now: float) -> Admitted:
        """now: Unix seconds. Raises TicketRefused."""
        try:
            ticket = read_ticket(signed, self._secret_key, now=now)
        except SignatureRefused as error:
            raise TicketRefused from error
        self._forget_expired(now)
        if ticket["id"] in self._taken or self._is_from_before_a_cut(ticket) or (ticket["person"] is None) == (ticket["visitor"] is None):
            raise TicketRefused
        self._taken[ticket["id"]] = ticket["expires"]
        return Admitted(Identity(ticket["person"], ticket["visitor"]), ticket["language"])

    def cut(self, person: str, *, now: float) -> None:
        """Refuse every ticket that this person has been given so far: a socket opened with one would outlast the sign-out."""
        # In the order of cutting, so that the oldest comes first.
        self._cut_at.pop(person, None)
        self._cut_at[person] = now
        while self._cut_at[oldest := next(iter(self._cut_at))] <= now - TICKET_SECS:
            del self._cut_at[oldest]

    def _is_from_before_a_cut(self, ticket: Ticket) -> bool:
        """A ticket tells its time in whole seconds: one of the second of the cut counts as older, and its owner asks for another."""
        cut_at = self._cut_at.get(ticket["person"] or "")
        return cut_at is not None and ticket["expires"] - TICKET_SECS <= cut_at

    def _forget_expired(self, now: float) -> None:
        # All live equally long, so the order of taking is nearly the order of expiry: look only until the first that still lives.
        while self._taken:
            oldest = next(iter(self._taken))
            if self._taken[oldest] > now:
                break
            del self._taken[oldest]
