"""Languages of rooms: BCP 47 tags, written the usual way."""

import re

from django.utils.translation import gettext as _

from salon.common.errors import Invalid

# RFC 5646 section 2.1 without extensions and private use, which no room is spoken in: language, script, region, variants.
_TAG = re.compile(r"([a-z]{2,3})(-[a-z]{4})?(-(?:[a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)", re.IGNORECASE)
_LONGEST = 35
LANGUAGE_PATTERN = "^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$"
"""The usual tags, for OpenAPI; `clean_language` takes variants too."""


def clean_language(tag: str, *, field: str) -> str:
    """`FR-fr` becomes `fr-FR` (RFC 5646 section 2.1.1). Raises Invalid."""
    match = _TAG.fullmatch(tag.strip()) if len(tag) <= _LONGEST else None
    if match is None:
        raise Invalid(field=field, message=_("This is not a language code such as fr or en."))
    language, script, region, variants = match.groups(default="")
    return language.lower() + script.title() + region.upper() + variants.lower()


def primary(tag: str) -> str:
    """`fr` of `fr-CA`."""
    return tag.partition("-")[0].lower()
