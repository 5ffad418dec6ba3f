from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from salon.accounts.actions.invitations import invitation_url, make_invitation, show_invitation
from salon.accounts.api.addresses import clean_email
from salon.accounts.callers import person_of
from salon.accounts.faces import Face, face_of
from salon.accounts.models import Invitation
from salon.accounts.queries import invitations_left
from salon.accounts.rate_limits import consume
from salon.common.wire import Body, refusals

router = Router()


class InvitationBody(Schema):
    """One of one's own invitations. Whoever opens `url` may sign up, until `uses_left` is 0 or `expires_at` is reached."""

    code: str
    url: str
    email: str | None
    uses_allowed: int
    uses_left: int
    created_at: datetime
    expires_at: datetime


class MyInvitations(Schema):
    invitations: list[InvitationBody]
    invitations_left: int


class NewInvitation(Body):
    """`email`: only this address may spend it, and gets it by mail."""

    uses_allowed: Annotated[int, Field(ge=1, le=100)] = 1
    days: Annotated[int, Field(ge=1, le=90)] = 14
    email: Annotated[str, Field(max_length=254)] | None = None


class Offer(Schema):
    """What a link offers to whoever opens it."""

    code: str
    inviter: Face | None
    """None: the operator."""
    uses_left: int
    expires_at: datetime


@router.get("/invitations", response={200: MyInvitations, **refusals()})
def my_invitations(request: HttpRequest) -> dict[str, Any]:
    """One's own invitations, newest first, and how many people one may still invite."""
    person = person_of(request)
    invitations = person.invitations.order_by("-created_at")[:200]
    return {"invitations": [_body(invitation) for invitation in invitations], "invitations_left": invitations_left(person, timezone.now())}


@router.post("/invitations", response={201: InvitationBody, **refusals(409, 429, 503)})
def invite(request: HttpRequest, asked: NewInvitation) -> Status[dict[str, Any]]:
    """Make an invitation out of one's budget."""
    person = person_of(request)
    consume(request, "invitation", person=person)
    email = clean_email(asked.email) if asked.email else None
    return Status(201, _body(make_invitation(person, uses_allowed=asked.uses_allowed, days=asked.days, email=email)))


@router.get("/invitations/{code}", response={200: Offer, **refusals(404)})
def offered(request: HttpRequest, code: str) -> dict[str, Any]:
    """What an invitation's link offers; for everyone who has it."""
    invitation = show_invitation(code)
    inviter = face_of(invitation.inviter) if invitation.inviter else None
    return {"code": invitation.id, "inviter": inviter, "uses_left": invitation.uses_left, "expires_at": invitation.expires_at}


def _body(invitation: Invitation) -> dict[str, Any]:
    return {
        "code": invitation.id,
        "url": invitation_url(invitation),
        "email": invitation.email,
        "uses_allowed": invitation.uses_allowed,
        "uses_left": invitation.uses_left,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }
