"""Public ids: 128 random bits, so that no id can be guessed and none tells an order or a count."""

import base64
import re
import secrets

ID_LENGTH = 26
_PATTERN = re.compile(r"[a-z2-7]{26}")


def new_id() -> str:
    """26 characters `a–z 2–7` (RFC 4648 base32, lower case, unpadded): safe in URLs, cursors, HTML ids and file names."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def is_id(text: str) -> bool:
    return _PATTERN.fullmatch(text) is not None
