"""Put the demo community into an empty database, once.

The group COMMUNITY is the mark: where it exists, seeding is over for good, and only its members are demo people. A database
in which anybody else has signed up is an operator's own and is never touched.
"""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import connection, transaction

from salon.accounts.actions.tokens import authenticate_token, create_token
from salon.accounts.errors import TokenInvalid
from salon.accounts.models import AccessToken, Person
from salon.common.ids import new_id
from salon.demo.community import Character, characters
from salon.social.actions.follows import follow

logger = logging.getLogger(__name__)

COMMUNITY = "demo community"
_TOKEN_NAME = "demo community"  # noqa: S105
_LOCK = 0x5A10DE30


@transaction.atomic
def seed_community() -> bool:
    """Make the demo people if nobody is here yet. Returns whether it did. Safe to run twice at once."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    if Group.objects.filter(name=COMMUNITY).exists() or Person.objects.exists():
        return False
    community = Group.objects.create(name=COMMUNITY)
    people = {character.handle: _settle(character) for character in characters()}
    for person in people.values():
        person.groups.add(community)
    _acquaint(people)
    logger.info("The demo community moved in.", extra={"action": "demo_seeded", "people": len(characters())})
    return True


def community_tokens(folder: Path) -> dict[str, str]:
    """An access token for each demo person, by handle; empty where no demo community lives.

    Kept in `folder` (made if missing, readable by its owner alone) so that a restart makes no new ones.
    """
    path = folder / "tokens.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    people = Person.objects.filter(groups__name=COMMUNITY, handle__in=[character.handle for character in characters()])
    tokens = {person.handle: _token_of(person, known.get(person.handle)) for person in people}
    if tokens != known:
        _write_private(path, json.dumps(tokens))
    return tokens


def _settle(character: Character) -> Person:
    person = Person.objects.create_user(character.handle, name=character.name, bio=character.bio, languages=list(character.languages))
    person.picture.save(f"{new_id()}.webp", ContentFile(character.portrait.read_bytes()))
    return person


def _acquaint(people: Mapping[str, Person]) -> None:
    for character in characters():
        for handle in character.follows:
            follow(people[character.handle], handle)


def _token_of(person: Person, known: str | None) -> str:
    if known:
        try:
            if authenticate_token(known) == person:
                return known
        except TokenInvalid:
            pass
    AccessToken.objects.filter(person=person, name=_TOKEN_NAME).delete()
    return create_token(person, _TOKEN_NAME)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
