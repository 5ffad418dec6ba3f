"""Invitations: make one within one's budget, spend one."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from salon.accounts.channels import messages
from salon.accounts.errors import InvitationSpent, MessageUndelivered, NoInvitationsLeft, SignUpClosed
from salon.accounts.models import Invitation, Person
from salon.accounts.queries import invitations_left, open_invitation
from salon.common.errors import NotFound
from salon.common.ids import is_id
from salon.config.environment import environment

logger = logging.getLogger(__name__)


def make_invitation(inviter: Person, *, uses_allowed: int = 1, days: int = 14, email: str | None = None) -> Invitation:
    """A new link that takes `uses_allowed` out of the inviter's budget and works for `days`.

    With `email`, only that address may spend it, and it is told by mail.
    Raises NoInvitationsLeft; MessageUndelivered, and then there is no invitation.
    """
    invitation = _take_from_budget(inviter, uses_allowed, days, email)
    if email:
        _tell_invited(invitation, email)
    logger.info("Invitation made.", extra={"action": "invitation_made", "person": inviter.id, "uses_allowed": uses_allowed})
    return invitation


@transaction.atomic
def _take_from_budget(inviter: Person, uses_allowed: int, days: int, email: str | None) -> Invitation:
    now = timezone.now()
    # The row lock makes two requests count one after the other; other rows may refer to the person meanwhile.
    locked = Person.objects.select_for_update(no_key=True).get(pk=inviter.pk)
    if uses_allowed > invitations_left(locked, now):
        raise NoInvitationsLeft
    return Invitation.objects.create(inviter=locked, email=email, uses_allowed=uses_allowed, expires_at=now + timedelta(days=days))


def _tell_invited(invitation: Invitation, email: str) -> None:
    """Outside the transaction: a mail server may take its time, and nobody waits on a lock for it."""
    try:
        messages.send_mail("invitation", email, {"inviter": invitation.inviter, "url": invitation_url(invitation)})
    except MessageUndelivered:
        Invitation.objects.filter(pk=invitation.pk, uses=0).delete()
        raise


def show_invitation(code: str) -> Invitation:
    """What a link offers. Raises NotFound for one that is unknown, spent or over."""
    invitation = open_invitation(code, timezone.now())
    if invitation is None:
        raise NotFound
    return invitation


def spend_invitation_locked(code: str | None, email: str, *, required: bool) -> Invitation | None:
    """Use it once, by the end of the caller's transaction. Returns None where there is none to spend and none is required.

    Of two newcomers who want the last use the second waits for the first's row lock and then finds it gone.
    Raises SignUpClosed, InvitationSpent (field `invitation`) where one is required.
    """
    if code and is_id(code):
        held = Invitation.objects.select_for_update().filter(pk=code).first()
        if held and open_invitation(code, timezone.now()) and held.email in (None, email):
            Invitation.objects.filter(pk=code).update(uses=F("uses") + 1)
            return held
    if required:
        raise InvitationSpent(field="invitation") if code else SignUpClosed(field="invitation")
    return None


def invitation_url(invitation: Invitation) -> str:
    return f"{environment().public_url}/i/{invitation.id}"
