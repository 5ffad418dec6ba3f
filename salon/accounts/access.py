"""The door from what a request names to a person."""

from salon.accounts.domain.handles import PATTERN
from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.errors import NotFound
from salon.config.environment import environment


def access_person_by_handle(asker: Person | None, handle: str) -> Person:
    """Somebody whose profile the asker (None: a visitor) may see.

    Raises SignInRequired for visitors where the operator lets none listen; NotFound for unknown, unconfirmed and deactivated people alike.
    """
    if asker is None and not environment().anonymous_listening:
        raise SignInRequired
    if not PATTERN.fullmatch(handle):
        raise NotFound
    person = Person.objects.select_related("inviter").filter(handle=handle, is_active=True, is_pending=False).first()
    if person is None:
        raise NotFound
    return person
