from typing import Any, Literal

from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Schema

from salon.accounts.callers import caller_of
from salon.accounts.faces import PersonBody, person_body
from salon.common.wire import refusals
from salon.config.environment import environment

router = Router()


class Me(Schema):
    """Who asks, and what this installation lets them do."""

    person: PersonBody | None
    visitor: bool
    sign_up_policy: Literal["invite", "waitlist", "open"]
    demo: bool
    anonymous_listening: bool


@router.get("/me", response={200: Me, **refusals()})
def me(request: HttpRequest) -> dict[str, Any]:
    get_token(request)  # sets the cookie `csrftoken`, which a browser's first change needs
    caller = caller_of(request)
    return {
        "person": person_body(caller.person) if caller.person else None,
        "visitor": caller.person is None,
        "sign_up_policy": environment().sign_up_policy.value,
        "demo": environment().demo,
        "anonymous_listening": environment().anonymous_listening,
    }
