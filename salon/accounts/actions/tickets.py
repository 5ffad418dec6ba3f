"""The single-use ticket that opens a WebSocket at the gateway, which knows nobody by session."""

import time

from salon.accounts.callers import Caller
from salon.accounts.errors import SignInRequired
from salon.common.ids import new_id
from salon.common.signing import Ticket, sign_ticket
from salon.config.environment import environment

TICKET_SECS = 60


def issue_ticket(caller: Caller) -> str:
    """Raises SignInRequired for a visitor where the operator lets none listen."""
    if caller.person is None and not environment().anonymous_listening:
        raise SignInRequired
    ticket: Ticket = {
        "id": new_id(),
        "person": caller.person.id if caller.person else None,
        "visitor": caller.visitor,
        "language": caller.language,
        "expires": int(time.time()) + TICKET_SECS,
    }
    return sign_ticket(ticket, environment().secret_key)
