"""Making an account: the policy, the handle and the invitation, all or nothing."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.accounts.actions.handles import claim_handle_locked
from salon.accounts.actions.invitations import spend_invitation_locked
from salon.accounts.errors import SignUpClosed
from salon.accounts.models import Invitation, Person, Waiting
from salon.accounts.queries import is_admitted, open_invitation
from salon.common.errors import Invalid
from salon.common.locks import lock_name
from salon.config.environment import SignUpPolicy, environment

logger = logging.getLogger(__name__)

# Twice as long as a code can be typed (ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT).
_PENDING_FOR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class SignUp:
    """What a newcomer asks for; texts are cleaned, the e-mail address is in lower case."""

    email: str
    handle: str
    name: str
    languages: list[str]
    invitation: str | None


def check_sign_up(email: str, invitation: str | None) -> None:
    """Raises SignUpClosed (field `invitation`) unless the policy lets this address in. `sign_up` asks again under locks."""
    offered = open_invitation(invitation, timezone.now()) if invitation else None
    # Who begins again holds the invitation already; `sign_up` gives it back before it spends it anew.
    begins_again = bool(invitation) and Person.objects.filter(email=email, is_pending=True, invitation=invitation).exists()
    invited = begins_again or (offered is not None and offered.email in (None, email))
    if not invited and _needs_invitation(email):
        raise SignUpClosed(field="invitation")


@transaction.atomic
def sign_up(person: Person, asked: SignUp) -> None:
    """Save `person`, new and unsaved, as a pending newcomer. Raises SignUpClosed, HandleTaken, Invalid.

    A good invitation is spent under every policy: it is how the inviter comes onto the profile. A bad one is refused only
    where somebody needs one.
    """
    lock_name(f"email:{asked.email}")
    # Whoever confirmed this address keeps it; who only asked for it makes room.
    if Person.objects.filter(email=asked.email, is_pending=False).exists():
        raise Invalid(field="email", message=_("This address already has an account. Sign in instead."))
    discard_pending(email=asked.email)
    invitation = spend_invitation_locked(asked.invitation, asked.email, required=_needs_invitation(asked.email))
    person.handle = claim_handle_locked(asked.handle, email=asked.email)
    person.email, person.name, person.languages = asked.email, asked.name, asked.languages
    person.invitation, person.inviter = invitation, invitation.inviter if invitation else None
    person.is_pending = True
    person.save()
    logger.info("Person signed up, code not typed yet.", extra={"action": "signed_up", "person": person.id})


def _needs_invitation(email: str) -> bool:
    """Who was let in from the waiting list needs none under any policy, so that switching it loses nobody."""
    return environment().sign_up_policy is not SignUpPolicy.OPEN and not is_admitted(email)


@transaction.atomic
def confirm(person: Person) -> None:
    """The code was typed: from now on the account exists for others, and its place on the waiting list is not needed any more."""
    if Person.objects.filter(pk=person.pk, is_pending=True).update(is_pending=False):
        person.is_pending = False
        Waiting.objects.filter(email=person.email).delete()
        logger.info("Person confirmed.", extra={"action": "person_confirmed", "person": person.id})


def discard_abandoned(now: datetime) -> int:
    """Give back the handles and invitations of those who never typed their code. Returns how many."""
    return discard_pending(joined_at__lt=now - _PENDING_FOR)


@transaction.atomic
def discard_pending(**conditions: object) -> int:
    people = list(Person.objects.select_for_update().filter(is_pending=True, **conditions))
    for person in people:
        if person.invitation_id:
            # Never below nothing, whatever the operator did to the row meanwhile.
            Invitation.objects.filter(pk=person.invitation_id).update(uses=Greatest(F("uses") - 1, Value(0)))
        person.delete()
    return len(people)
