from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from salon.accounts.actions.waiting_list import join_waiting_list
from salon.accounts.api.addresses import clean_email
from salon.accounts.rate_limits import consume
from salon.common.wire import Body, refusals

router = Router()


class Wish(Body):
    email: Annotated[str, Field(max_length=254)]
    handle: Annotated[str, Field(max_length=100)]


class Noted(Schema):
    """The same for every address; what is true of it goes there by mail."""

    noted: bool


@router.post("/waitlist", response={202: Noted, **refusals(409, 429, 503)})
def join(request: HttpRequest, wish: Wish) -> Status[dict[str, Any]]:
    """Reserve a handle for an address, and wait to be admitted."""
    email = clean_email(wish.email)
    consume(request, "waiting", key=email)
    join_waiting_list(email, wish.handle)
    return Status(202, {"noted": True})
