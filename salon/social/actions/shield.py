"""Contesting the mark that several blocks put on a profile, and deciding about it."""

import logging

from django.db import transaction
from django.utils import timezone

from salon.accounts.models import Person
from salon.common.locks import lock_name
from salon.common.text import clean_text
from salon.social.enums import ContestState
from salon.social.errors import NotShielded
from salon.social.models import ShieldContest
from salon.social.models.shield_contest import TEXT_MAX
from salon.social.queries import is_shielded_for_anyone

logger = logging.getLogger(__name__)


@transaction.atomic
def contest_shield(person: Person, text: str) -> None:
    """One waits for a decision at a time; written again, the text is replaced. Raises Invalid (field `text`), NotShielded."""
    text = clean_text(text, TEXT_MAX, field="text", required=True)
    lock_name(f"shield {person.id}")
    if not is_shielded_for_anyone(person):
        raise NotShielded
    contest, is_new = ShieldContest.objects.update_or_create(person=person, state=ContestState.OPEN, defaults={"text": text})
    if is_new:
        logger.info("A shield was contested.", extra={"action": "shield_contested", "person": person.id, "contest": contest.id})


def accept_contest(contest: ShieldContest, staff: Person) -> None:
    """Lift the mark for everybody: blocks up to now count no more. One that was decided stays as it is."""
    _decide(contest, ContestState.ACCEPTED, staff)


def refuse_contest(contest: ShieldContest, staff: Person) -> None:
    """The mark stays; it may be contested anew. One that was decided stays as it is."""
    _decide(contest, ContestState.REFUSED, staff)


def _decide(contest: ShieldContest, state: ContestState, staff: Person) -> None:
    still_open = ShieldContest.objects.filter(pk=contest.pk, state=ContestState.OPEN)
    if still_open.update(state=state, decided_at=timezone.now(), decided_by=staff):
        logger.info(
            "A contest of a shield was decided.",
            extra={"action": "shield_decided", "contest": contest.pk, "state": state.value, "staff": staff.id},
        )
