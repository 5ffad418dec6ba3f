"""Blocking people. Whoever blocked somebody can be blocked back: else a harasser would only need to be the first."""

import logging

from django.db import transaction
from django.db.models import Q

from salon.accounts.access import access_person_by_handle
from salon.accounts.models import Person
from salon.social.blocking import announce_block_on_commit, announce_unblock_on_commit
from salon.social.errors import CannotActOnOneself
from salon.social.locks import lock_pair
from salon.social.models import Block, Follow

logger = logging.getLogger(__name__)


@transaction.atomic
def block(person: Person, handle: str) -> None:
    """Neither follows the other from now on; what follows elsewhere is salon.social.blocking's. Raises NotFound, CannotActOnOneself."""
    blocked = _other(person, handle)
    lock_pair(person, blocked)
    Block.objects.get_or_create(blocker=person, blocked=blocked)
    between = Q(follower=person, followed=blocked) | Q(follower=blocked, followed=person)
    Follow.objects.filter(between).delete()
    announce_block_on_commit(person, blocked)
    logger.info("A person blocked another.", extra={"action": "blocked", "blocker": person.id, "blocked": blocked.id})


@transaction.atomic
def unblock(person: Person, handle: str) -> None:
    """Follows that the block ended do not come back. Raises NotFound, CannotActOnOneself."""
    blocked = _other(person, handle)
    lock_pair(person, blocked)
    Block.objects.filter(blocker=person, blocked=blocked).delete()
    announce_unblock_on_commit(person, blocked)
    logger.info("A person unblocked another.", extra={"action": "unblocked", "blocker": person.id, "blocked": blocked.id})


def _other(person: Person, handle: str) -> Person:
    other = access_person_by_handle(person, handle, hidden_too=True)
    if other == person:
        raise CannotActOnOneself
    return other
