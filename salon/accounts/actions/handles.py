"""Claiming a handle, for a person or on the waiting list."""

from django.utils.translation import gettext as _

from salon.accounts.domain.handles import is_reserved, is_well_formed, skeleton
from salon.accounts.errors import HandleTaken
from salon.accounts.models import Person
from salon.accounts.queries import is_handle_free
from salon.common.errors import Invalid
from salon.common.locks import lock_name


def check_handle(handle: str) -> str:
    """The handle in lower case, as it is stored. Does not look who has it.

    Raises Invalid for a wrong form, HandleTaken for a reserved name.
    """
    handle = handle.strip().lower()
    if not is_well_formed(handle):
        raise Invalid(field="handle", message=_("A handle has 3 to 24 letters a–z, digits and underscores."))
    if is_reserved(handle):
        raise HandleTaken(field="handle")
    return handle


def claim_handle_locked(handle: str, *, email: str | None = None, person: Person | None = None) -> str:
    """The handle as it may now be saved, by the end of the caller's transaction.

    Two claims of look-alikes wait for each other on the name: people and the waiting list are two tables, so no
    single unique index can hold them apart. Raises Invalid, HandleTaken.
    """
    handle = check_handle(handle)
    lock_name(f"handle:{skeleton(handle)}")
    if not is_handle_free(handle, email=email, person=person):
        raise HandleTaken(field="handle")
    return handle
