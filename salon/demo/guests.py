"""Newcomers who want to take part without signing up: each gets a person of their own."""

import random
import secrets

from django.contrib.auth.models import Group

from salon.accounts.models import Person
from salon.demo.seed import COMMUNITY

_HANDLE_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without l, o, 0 and 1, which look alike."""
_NAMES = {
    "en": (("Curious", "Gentle", "Early", "Wandering", "Bright", "Patient"), ("Otter", "Heron", "Finch", "Badger", "Hare", "Owl")),
    # All feminine, so that any two agree.
    "fr": (("Loutre", "Mésange", "Hirondelle", "Hermine", "Chouette"), ("curieuse", "matinale", "bavarde", "rêveuse", "discrète")),
}


def create_guest(language: str) -> Person:
    """A demo person with a friendly name in `language`, which is one of settings.LANGUAGES."""
    handle = "guest_" + "".join(secrets.choice(_HANDLE_LETTERS) for _ in range(6))
    guest = Person.objects.create_user(handle, name=friendly_name(language, random.SystemRandom()), languages=[language])
    guest.groups.add(Group.objects.get_or_create(name=COMMUNITY)[0])
    return guest


def friendly_name(language: str, chance: random.Random) -> str:
    first, second = _NAMES.get(language, _NAMES["en"])
    return f"{chance.choice(first)} {chance.choice(second)}"
