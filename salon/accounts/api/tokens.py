from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from salon.accounts.actions.tokens import issue_token, revoke_token
from salon.accounts.callers import person_of
from salon.accounts.models import AccessToken
from salon.accounts.rate_limits import consume
from salon.common.wire import Body, refusals

router = Router()


class TokenBody(Schema):
    id: str
    name: str
    created_at: datetime
    last_used_on: date | None


class MyTokens(Schema):
    tokens: list[TokenBody]


class NewToken(Body):
    name: Annotated[str, Field(max_length=1_000)]


class IssuedToken(TokenBody):
    """`secret` is shown this once."""

    secret: str


@router.get("/tokens", response={200: MyTokens, **refusals()})
def my_tokens(request: HttpRequest) -> dict[str, Any]:
    """One's personal access tokens, newest first."""
    return {"tokens": [_body(token) for token in person_of(request).access_tokens.order_by("-created_at")]}


@router.post("/tokens", response={201: IssuedToken, **refusals(409, 429)})
def make_token(request: HttpRequest, asked: NewToken) -> Status[dict[str, Any]]:
    """Make a personal access token."""
    person = person_of(request)
    consume(request, "token", person=person)
    token, secret = issue_token(person, asked.name)
    return Status(201, {**_body(token), "secret": secret})


@router.delete("/tokens/{token_id}", response={204: None, **refusals(404)})
def delete_token(request: HttpRequest, token_id: str) -> Status[None]:
    """Revoke a token."""
    revoke_token(person_of(request), token_id)
    return Status(204, None)


def _body(token: AccessToken) -> dict[str, Any]:
    return {"id": token.id, "name": token.name, "created_at": token.created_at, "last_used_on": token.last_used_on}
