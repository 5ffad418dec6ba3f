"""Closing everything a person has open: at log-out, deactivation and the end of a token."""

import logging

from django.db import transaction

from salon.accounts.models import Person
from salon.accounts.signals import person_cut
from salon.bus import publish_on_commit

logger = logging.getLogger(__name__)


@transaction.atomic
def cut(person: Person) -> None:
    """Close the person's sockets, and through the signal their sound, when the transaction commits."""
    person_cut.send(sender=Person, person=person.id)
    publish_on_commit(f"cut.{person.id}", {})


@transaction.atomic
def deactivate(person: Person) -> None:
    """They are signed out everywhere within the second and cannot sign in again; nothing of theirs is deleted."""
    person.is_active = False
    person.save(update_fields=["is_active"])
    # Sessions of an inactive person are void anyway (ModelBackend.get_user); tokens are checked the same way.
    cut(person)
    logger.info("Person deactivated.", extra={"action": "person_deactivated", "person": person.id})


def reactivate(person: Person) -> None:
    person.is_active = True
    person.save(update_fields=["is_active"])
    logger.info("Person reactivated.", extra={"action": "person_reactivated", "person": person.id})
