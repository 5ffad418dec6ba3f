"""Who follows whom, for everybody; whom one blocked or wants no pings from, for oneself."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from salon.accounts.access import access_person_by_handle
from salon.accounts.callers import caller_of, person_of
from salon.common.wire import refusals
from salon.social import queries
from salon.social.cursors import Cursor
from salon.social.shapes import People, PeoplePage

router = Router()
After = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]


@router.get("/people/{handle}/followers", operation_id="followers", response={200: PeoplePage, **refusals(404)})
def get_followers(request: HttpRequest, handle: str, after: After = None) -> PeoplePage:
    """Who follows somebody, newest first."""
    asker = caller_of(request).person
    return queries.followers(asker, access_person_by_handle(asker, handle), _parsed(after))


@router.get("/people/{handle}/following", operation_id="following", response={200: PeoplePage, **refusals(404)})
def get_following(request: HttpRequest, handle: str, after: After = None) -> PeoplePage:
    """Whom somebody follows, newest first."""
    asker = caller_of(request).person
    return queries.following(asker, access_person_by_handle(asker, handle), _parsed(after))


@router.get("/me/blocks", operation_id="my_blocks", response={200: People, **refusals()})
def my_blocks(request: HttpRequest) -> People:
    """Whom one has blocked, newest first."""
    return queries.blocks_of(person_of(request))


@router.get("/me/ping-mutes", operation_id="my_ping_mutes", response={200: People, **refusals()})
def my_ping_mutes(request: HttpRequest) -> People:
    """Whom one wants no pings from, newest first."""
    return queries.ping_mutes_of(person_of(request))


def _parsed(after: str | None) -> Cursor | None:
    return None if after is None else Cursor.parse(after, field="after")
