"""The order of the hallway for one person, and the sentence that says why a room is shown: pure, and nothing in it is for sale.

First the rooms whose language one speaks, then the larger audience, then the newer room.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Glance:
    """What the ranking looks at in a room. language: its primary subtag."""

    language: str
    audience: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the hallway. languages: primary subtags."""

    languages: frozenset[str]

    @classmethod
    def speaking(cls, tags: Iterable[str]) -> Self:
        return cls(frozenset(tag.partition("-")[0].lower() for tag in tags))


def ranked(items: Iterable[Item], glance_of: Callable[[Item], Glance], reader: Reader) -> list[Item]:
    def key(item: Item) -> tuple[bool, int, float]:
        glance = glance_of(item)
        return glance.language not in reader.languages, -glance.audience, -glance.opened_at.timestamp()

    return sorted(items, key=key)


def why(glance: Glance, reader: Reader) -> str:
    """One sentence, in the language that is active."""
    if glance.language in reader.languages:
        return _("It is in a language you speak.")
    if glance.audience > 0:
        return ngettext("One person is listening.", "%(count)d people are listening.", glance.audience) % {"count": glance.audience}
    return _("It has just opened.")
