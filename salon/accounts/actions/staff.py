"""Who may use the operator's pages under /staff/."""

import logging

from salon.accounts.models import Person

logger = logging.getLogger(__name__)


def make_staff(person: Person) -> None:
    """All rights there: finer ones are given on the person's own page."""
    person.is_staff = person.is_superuser = True
    person.save(update_fields=["is_staff", "is_superuser"])
    logger.info("Person made staff.", extra={"action": "staff_made", "person": person.id})
