"""Personal access tokens: make, show, check, revoke."""

import hashlib
import logging
import secrets

from django.db import transaction
from django.utils import timezone

from salon.accounts.actions.cut import cut
from salon.accounts.errors import TokenInvalid, TooManyTokens
from salon.accounts.models import AccessToken, Person
from salon.common.errors import NotFound
from salon.common.prepared import Parameter, Prepared
from salon.common.text import clean_line

logger = logging.getLogger(__name__)

# Scanners that look for leaked secrets find ours by this beginning.
SECRET_PREFIX = "salon_"  # noqa: S105
NAME_LENGTH = 60
_GOOD_TOKEN = Prepared(
    lambda: AccessToken.objects.select_related("person").filter(secret_sha256=Parameter("digest"), person__is_active=True)
)
# Enough for every script somebody runs; few enough to read through.
MOST_TOKENS = 50


def create_token(person: Person, name: str) -> str:
    """The new token's secret. It is told this once and never again: only its digest is stored."""
    return issue_token(person, name)[1]


@transaction.atomic
def issue_token(person: Person, name: str) -> tuple[AccessToken, str]:
    """The new token, and its secret. Raises Invalid (field `name`), TooManyTokens."""
    name = clean_line(name, NAME_LENGTH, field="name", required=True)
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if person.access_tokens.count() >= MOST_TOKENS:
        raise TooManyTokens
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(person=person, name=name, secret_sha256=_digest(secret))
    logger.info("Access token issued.", extra={"action": "token_issued", "person": person.id, "token": token.id})
    return token, secret


def authenticate_token(secret: str) -> Person:
    """Whose token this is; notes the day. Raises TokenInvalid, also for a person who was deactivated."""
    found = _GOOD_TOKEN(digest=_digest(secret))
    if not found:
        raise TokenInvalid
    token = found[0]
    today = timezone.now().date()
    if token.last_used_on != today:
        AccessToken.objects.filter(pk=token.pk).update(last_used_on=today)
    return token.person


@transaction.atomic
def revoke_token(person: Person, token_id: str) -> None:
    """It works no more from now on. Raises NotFound for one that is not this person's.

    What it opened cannot be told from what the person opened otherwise: all of it is cut, and what still has a right to it comes back.
    """
    if not person.access_tokens.filter(pk=token_id).delete()[0]:
        raise NotFound
    cut(person)
    logger.info("Access token revoked.", extra={"action": "token_revoked", "person": person.id, "token": token_id})


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
