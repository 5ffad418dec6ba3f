"""Following people."""

import logging

from django.db import transaction
from django.db.models import Q

from salon.accounts.access import access_person_by_handle
from salon.accounts.models import Person
from salon.common.errors import NotFound
from salon.social.errors import CannotActOnOneself, UnblockFirst
from salon.social.locks import lock_pair
from salon.social.models import Block, Follow

logger = logging.getLogger(__name__)


@transaction.atomic
def follow(person: Person, handle: str) -> None:
    """Done again it changes nothing. Raises NotFound also for who blocked this person, CannotActOnOneself, UnblockFirst."""
    followed = access_person_by_handle(person, handle)
    if followed == person:
        raise CannotActOnOneself
    lock_pair(person, followed)
    # Looked at again under the lock: who was at the door may have been blocked meanwhile.
    between = Q(blocker=person, blocked=followed) | Q(blocker=followed, blocked=person)
    blockers = set(Block.objects.filter(between).values_list("blocker_id", flat=True))
    if followed.id in blockers:
        raise NotFound
    if person.id in blockers:
        raise UnblockFirst
    if Follow.objects.get_or_create(follower=person, followed=followed)[1]:
        logger.info("A person follows another.", extra={"action": "followed", "follower": person.id, "followed": followed.id})


def unfollow(person: Person, handle: str) -> None:
    """Raises NotFound, CannotActOnOneself."""
    followed = access_person_by_handle(person, handle)
    if followed == person:
        raise CannotActOnOneself
    Follow.objects.filter(follower=person, followed=followed).delete()
