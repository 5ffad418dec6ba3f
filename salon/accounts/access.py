"""The door from what a request names to a person."""

from collections.abc import Callable

from django.db.models import Q

from salon.accounts.domain.handles import PATTERN
from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.errors import NotFound
from salon.config.environment import environment

HiddenFrom = Callable[[Person], Q]
_hidden_from: list[HiddenFrom] = []


def hide_people(hidden_from: HiddenFrom) -> None:
    """Let an app above this one say whom an asker shall not find, as a condition on people. From its AppConfig.ready()."""
    _hidden_from.append(hidden_from)


def access_person_by_handle(asker: Person | None, handle: str, *, hidden_too: bool = False) -> Person:
    """Somebody whose profile the asker (None: a visitor) may see.

    hidden_too: also who hides from the asker, for what protects the asker from them.
    Raises SignInRequired for visitors where the operator lets none listen; NotFound for unknown, unconfirmed, deactivated and hidden
    people alike.
    """
    if asker is None and not environment().anonymous_listening:
        raise SignInRequired
    if not PATTERN.fullmatch(handle):
        raise NotFound
    people = Person.objects.select_related("inviter").filter(handle=handle, is_active=True, is_pending=False)
    if asker is not None and not hidden_too:
        for hidden_from in _hidden_from:
            people = people.exclude(hidden_from(asker))
    person = people.first()
    if person is None:
        raise NotFound
    return person
