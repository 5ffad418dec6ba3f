from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from salon.accounts.callers import person_of
from salon.common.wire import Body, refusals
from salon.social import queries
from salon.social.actions.shield import contest_shield
from salon.social.rate_limits import CONTESTS
from salon.social.shapes import Shield

router = Router()


class Contest(Body):
    """Why the mark is not deserved; staff read it."""

    text: Annotated[str, Field(max_length=10_000)]


@router.get("/me/shield", operation_id="my_shield", response={200: Shield, **refusals()})
def my_shield(request: HttpRequest) -> Shield:
    """Whether blocks mark one's profile for people who follow the blockers."""
    return queries.shield_of(person_of(request))


@router.put("/me/shield", operation_id="contest_shield", response={200: Shield, **refusals(409, 429)})
def put_contest(request: HttpRequest, asked: Contest) -> Shield:
    """Contest the mark."""
    person = person_of(request)
    CONTESTS.take(person.id)
    contest_shield(person, asked.text)
    return queries.shield_of(person)
