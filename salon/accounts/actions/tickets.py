"""The single-use ticket that opens a WebSocket at the gateway, which knows nobody by session."""

import time

from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.ids import new_id
from salon.common.signing import TICKET_SECS, Ticket, sign_ticket
from salon.config.environment import environment


def issue_ticket(person: Person | None, visitor: str | None, language: str) -> str:
    """For a person, or for a visitor (an id). Raises SignInRequired for a visitor where the operator lets none listen."""
    if person is None and not environment().anonymous_listening:
        raise SignInRequired
    ticket: Ticket = {
        "id": new_id(),
        "person": person.id if person else None,
        "visitor": visitor,
        "language": language,
        "expires": int(time.time()) + TICKET_SECS,
    }
    return sign_ticket(ticket, environment().secret_key)
