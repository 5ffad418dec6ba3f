"""Text that people write and others read: nothing in it may hide, reorder or overflow what is around it.

Unicode Technical Report 36 (security considerations) and Unicode Standard Annex 9 (bidirectional text) name the dangers.
What only disturbs is dropped silently, because it mostly comes from pasting: direction controls, zero-width characters, soft
hyphens. What no keyboard makes is refused: control characters, half surrogates, noncharacters.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

from salon.common.errors import Invalid

# Direction marks, embeddings, overrides and isolates; zero-width space, word joiner and the invisible operators after it; byte
# order mark; soft hyphen; Mongolian vowel separator; combining grapheme joiner; interlinear annotation; tag characters.
_DROPPED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
# The joiners matter inside words (Persian, emoji) and nowhere else.
_STRAY_JOINERS = re.compile("(?<![^\\s\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?=$|[\\s\u200c\u200d])")
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# No script stacks more than four marks on one letter; towers of them paint over neighbouring lines.
_TOWER = 4


def clean_line(text: str, max_length: int, *, field: str, required: bool = False) -> str:
    """One line: NFC, white space collapsed and trimmed.

    max_length: in code points, after cleaning. Raises Invalid, naming `field`, when it is too long, empty though required, or hostile.
    """
    return _checked(" ".join(_visible(text, field).split()), max_length, field, required)


def clean_text(text: str, max_length: int, *, field: str, required: bool = False) -> str:
    """Several lines, at most one empty line between two. Otherwise as clean_line."""
    lines = [" ".join(line.split()) for line in re.split(r"\r\n|\r|\n|\u2028|\u2029", _visible(text, field))]
    return _checked(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), max_length, field, required)


def _visible(text: str, field: str) -> str:
    if _REFUSED.search(text):
        raise Invalid(field=field, message=_("This text contains characters that cannot be shown."))
    # Composed last: what was dropped may have stood between a letter and its mark.
    return _without_towers(unicodedata.normalize("NFC", _STRAY_JOINERS.sub("", _DROPPED.sub("", text))))


def _without_towers(text: str) -> str:
    kept, height = [], 0
    for character in text:
        height = height + 1 if unicodedata.combining(character) else 0
        if height <= _TOWER:
            kept.append(character)
    return "".join(kept)


def _checked(text: str, max_length: int, field: str, required: bool) -> str:
    if required and not text:
        raise Invalid(field=field, message=_("Write something here."))
    if len(text) > max_length:
        raise Invalid(field=field, message=_("This is longer than %(limit)d characters.") % {"limit": max_length})
    return text
