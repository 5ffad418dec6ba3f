from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Schema
from pydantic import Field

from salon.accounts.actions.profile import edit_profile, remove_picture, set_picture
from salon.accounts.callers import caller_of, person_of
from salon.accounts.faces import PersonBody, person_body
from salon.accounts.profiles import MyProfile, my_profile_of
from salon.accounts.rate_limits import consume
from salon.common.errors import TooLarge
from salon.common.wire import Body, refusals
from salon.config.environment import environment

router = Router()

_PICTURE_BODY = {
    "requestBody": {
        "required": True,
        "content": {f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("jpeg", "png", "webp", "gif")},
    }
}


class Me(Schema):
    """Who asks, and what this installation lets them do."""

    person: PersonBody | None
    visitor: bool
    sign_up_policy: Literal["invite", "waitlist", "open"]
    demo: bool
    anonymous_listening: bool


class Changes(Body):
    """What one may change about oneself; what is absent stays."""

    handle: Annotated[str, Field(max_length=100)] | None = None
    name: Annotated[str, Field(max_length=1_000)] | None = None
    bio: Annotated[str, Field(max_length=10_000)] | None = None
    languages: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=50)] | None = None


@router.get("/me", response={200: Me, **refusals()})
def me(request: HttpRequest) -> dict[str, Any]:
    """Who one is: a person or a visitor."""
    get_token(request)  # sets the cookie `csrftoken`, which a browser's first change needs
    caller = caller_of(request)
    return {
        "person": person_body(caller.person) if caller.person else None,
        "visitor": caller.person is None,
        "sign_up_policy": environment().sign_up_policy.value,
        "demo": environment().demo,
        "anonymous_listening": environment().anonymous_listening,
    }


@router.get("/me/profile", response={200: MyProfile, **refusals()})
def my_profile(request: HttpRequest) -> MyProfile:
    """One's own profile, with what only oneself sees."""
    return my_profile_of(person_of(request))


@router.patch("/me", response={200: MyProfile, **refusals(409, 429)})
def edit_me(request: HttpRequest, changes: Changes) -> MyProfile:
    """Change handle, name, bio or languages."""
    person = person_of(request)
    asked = changes.model_dump(exclude_none=True)
    if asked.get("handle", person.handle) != person.handle:
        consume(request, "handle", person=person)
    edit_profile(person, asked)
    return my_profile_of(person)


@router.put("/me/picture", response={200: MyProfile, **refusals(429)}, openapi_extra=_PICTURE_BODY)
def put_picture(request: HttpRequest) -> MyProfile:
    """Show this image: JPEG, PNG, WebP or GIF of at most 8 MiB, as the body."""
    person = person_of(request)
    consume(request, "picture", person=person)
    set_picture(person, _body_up_to(request, settings.PICTURE_MOST_BYTES))
    return my_profile_of(person)


@router.delete("/me/picture", response={200: MyProfile, **refusals()})
def delete_picture(request: HttpRequest) -> MyProfile:
    """Show no picture."""
    person = person_of(request)
    remove_picture(person)
    return my_profile_of(person)


def _body_up_to(request: HttpRequest, most: int) -> bytes:
    """The raw body, read past DATA_UPLOAD_MAX_MEMORY_SIZE, which is for JSON. Raises TooLarge (field `picture`) before it holds more."""
    if int(request.headers.get("Content-Length") or 0) > most:
        raise TooLarge(field="picture")
    body: bytes = request.read(most + 1)
    if len(body) > most:
        raise TooLarge(field="picture")
    return body
