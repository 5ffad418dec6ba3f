"""Changing one's own profile."""

from collections.abc import Mapping

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from salon.accounts.actions.handles import claim_handle_locked
from salon.accounts.domain.languages import are_languages
from salon.accounts.models import Person
from salon.accounts.pictures import normalise
from salon.common.errors import Invalid
from salon.common.ids import new_id
from salon.common.text import clean_line, clean_text

NAME_LENGTH, BIO_LENGTH = 60, 1000


def clean_languages(tags: list[str]) -> list[str]:
    if not are_languages(tags):
        raise Invalid(field="languages", message=_("Give up to ten languages as codes such as fr or en, each once."))
    return tags


@transaction.atomic
def edit_profile(person: Person, changes: Mapping[str, object]) -> None:
    """Save those of handle, name, bio, languages that `changes` has. Raises Invalid and HandleTaken, both naming the field."""
    if "handle" in changes and changes["handle"] != person.handle:
        person.handle = claim_handle_locked(str(changes["handle"]), email=person.email, person=person)
    if "name" in changes:
        person.name = clean_line(str(changes["name"]), NAME_LENGTH, field="name")
    if "bio" in changes:
        person.bio = clean_text(str(changes["bio"]), BIO_LENGTH, field="bio")
    if isinstance(languages := changes.get("languages"), list):
        person.languages = clean_languages(languages)
    person.save(update_fields=sorted({"handle", "name", "bio", "languages"} & changes.keys()))


@transaction.atomic
def set_picture(person: Person, image: bytes) -> None:
    """Show this image, re-encoded. Raises Invalid (field `picture`) if it is none."""
    content = ContentFile(normalise(image))
    _forget_file(person)
    # A new name each time: the old address may be cached for a year.
    person.picture.save(f"{new_id()}.webp", content, save=False)
    person.save(update_fields=["picture"])


@transaction.atomic
def remove_picture(person: Person) -> None:
    _forget_file(person)
    person.picture = ""
    person.save(update_fields=["picture"])


def _forget_file(person: Person) -> None:
    if name := person.picture.name:
        transaction.on_commit(lambda: default_storage.delete(name))
