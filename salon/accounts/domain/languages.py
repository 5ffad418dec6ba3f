"""The languages a person speaks: BCP 47 tags as protocol.md section 1 has them."""

import re

# Language, then script, region or variant subtags: RFC 5646 section 2.1 without extensions and private use.
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
MOST = 10


def are_languages(tags: list[str]) -> bool:
    return len(tags) <= MOST and len(set(tags)) == len(tags) and all(_TAG.fullmatch(tag) for tag in tags)
