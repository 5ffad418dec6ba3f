"""The waiting list: an address holds a handle until somebody lets it in."""

import logging

from django.db import transaction
from django.utils import timezone

from salon.accounts.actions.handles import claim_handle_locked
from salon.accounts.channels import messages
from salon.accounts.errors import WaitingListClosed
from salon.accounts.models import Person, Waiting
from salon.config.environment import SignUpPolicy, environment

logger = logging.getLogger(__name__)


@transaction.atomic
def join_waiting_list(email: str, handle: str) -> None:
    """Hold `handle` for `email`, and tell that address.

    Whoever asks learns nothing about the address: for one that waits already, or has an account, the answer is the same and the mail
    says what is true. Raises WaitingListClosed, Invalid, HandleTaken.
    """
    if environment().sign_up_policy is not SignUpPolicy.WAITLIST:
        raise WaitingListClosed
    handle = claim_handle_locked(handle, email=email)
    if Person.objects.filter(email=email, is_pending=False).exists():
        messages.send_mail("account_already_exists", email, {"sign_in_url": f"{environment().public_url}/sign-in"})
        return
    waiting, is_new = Waiting.objects.get_or_create(email=email, defaults={"handle": handle})
    messages.send_mail("waiting", email, {"handle": waiting.handle})
    if is_new:
        logger.info("Handle reserved on the waiting list.", extra={"action": "waiting_joined", "waiting": waiting.id})


@transaction.atomic
def admit(waiting: Waiting, by: Person) -> None:
    """Let an address sign up. Does nothing the second time."""
    locked = Waiting.objects.select_for_update().get(pk=waiting.pk)
    if locked.admitted_at is not None:
        return
    locked.admitted_at, locked.admitted_by = timezone.now(), by
    locked.save(update_fields=["admitted_at", "admitted_by"])
    messages.send_mail("admitted", locked.email, {"handle": locked.handle, "url": f"{environment().public_url}/sign-in"})
    logger.info("Admitted from the waiting list.", extra={"action": "waiting_admitted", "waiting": locked.id, "by": by.id})
