from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from salon.accounts.actions.tickets import issue_ticket
from salon.accounts.callers import caller_of
from salon.common.signing import TICKET_SECS
from salon.common.wire import refusals

router = Router()


class TicketBody(Schema):
    """`expires_in`: seconds."""

    ticket: str
    expires_in: int


@router.post("/realtime/ticket", response={200: TicketBody, **refusals()})
def ticket(request: HttpRequest) -> dict[str, Any]:
    """A single-use ticket for the WebSocket."""
    caller = caller_of(request)
    return {"ticket": issue_ticket(caller.person, caller.visitor, caller.language), "expires_in": TICKET_SECS}
