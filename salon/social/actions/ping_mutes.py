"""Wanting no pings from somebody, who is not told. As with blocks, also from somebody who blocked this person."""

from salon.accounts.access import access_person_by_handle
from salon.accounts.models import Person
from salon.social.errors import CannotActOnOneself
from salon.social.models import PingMute


def mute_pings(person: Person, handle: str) -> None:
    """Raises NotFound, CannotActOnOneself."""
    PingMute.objects.get_or_create(person=person, sender=_sender(person, handle))


def unmute_pings(person: Person, handle: str) -> None:
    """Raises NotFound, CannotActOnOneself."""
    PingMute.objects.filter(person=person, sender=_sender(person, handle)).delete()


def _sender(person: Person, handle: str) -> Person:
    sender = access_person_by_handle(person, handle, hidden_too=True)
    if sender == person:
        raise CannotActOnOneself
    return sender
