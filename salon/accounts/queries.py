"""Reads with more than one caller."""

from datetime import datetime

from django.db.models import Case, F, Q, Sum, When

from salon.accounts.domain.handles import skeleton
from salon.accounts.models import Invitation, Person, Waiting
from salon.common.ids import is_id


def invitations_left(person: Person, now: datetime) -> int:
    """How many people this person can still invite. An expired invitation gives back what nobody used."""
    held = Case(When(expires_at__gt=now, then=F("uses_allowed")), default=F("uses"))
    taken = person.invitations.aggregate(total=Sum(held))["total"] or 0
    return max(0, person.invitation_allowance - taken)


def open_invitation(code: str, now: datetime) -> Invitation | None:
    """The invitation, if it can still be spent and its inviter is still here."""
    if not is_id(code):
        return None
    inviter_is_here = Q(inviter=None) | Q(inviter__is_active=True)
    can_be_spent = Q(expires_at__gt=now, uses__lt=F("uses_allowed"))
    return Invitation.objects.select_related("inviter").filter(inviter_is_here & can_be_spent, pk=code).first()


def is_admitted(email: str) -> bool:
    return Waiting.objects.filter(email=email, admitted_at__isnull=False).exists()


def is_handle_free(handle: str, *, email: str | None = None, person: Person | None = None) -> bool:
    """Neither taken nor held on the waiting list, look-alikes included. email and person may keep what is theirs."""
    shape = skeleton(handle)
    people = Person.objects.filter(handle_skeleton=shape)
    waiting = Waiting.objects.filter(handle_skeleton=shape)
    if person is not None:
        people = people.exclude(pk=person.pk)
    if email is not None:
        waiting = waiting.exclude(email=email)
    return not people.exists() and not waiting.exists()
