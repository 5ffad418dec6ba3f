"""The server's French is complete: what the code says in English, the catalogue says in French."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from salon.common.paths import PACKAGE

KEYWORDS = {"gettext": None, "_": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2)}
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]")


@pytest.fixture(scope="module")
def french() -> Catalog:
    with (PACKAGE / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def sources() -> Iterator[tuple[Path, bytes]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, path.read_bytes()
    for path in sorted([*PACKAGE.rglob("templates/**/*.txt"), *PACKAGE.rglob("templates/**/*.html")]):
        yield path, templatize(path.read_text()).encode()


def test_every_sentence_of_the_code_is_in_the_catalogue(french):
    missing = {
        (path.name, message)
        for path, source in sources()
        for _, message, _, context in extract("python", BytesIO(source), keywords=KEYWORDS)
        if message and french.get(message, context) is None
    }
    assert missing == set()


def test_every_entry_is_translated_and_keeps_its_placeholders(french):
    entries = [message for message in french if message.id]
    assert len(entries) > 50
    for message in entries:
        ids, strings = ([part] if isinstance(part, str) else list(part) for part in (message.id, message.string))
        assert all(strings), message.id
        assert not message.fuzzy, message.id
        assert set(PLACEHOLDER.findall(ids[-1])) == set(PLACEHOLDER.findall(strings[-1])), message.id
