"""Signed messages between Salon's processes: grants for the media process, tickets for the gateway. No Django here.

A signed message is `BODY.SIGNATURE`, both base64url without padding. BODY is canonical JSON (UTF-8, keys sorted, no spaces),
SIGNATURE is HMAC-SHA256 (RFC 2104) over BODY as written, with a key that serves one purpose only:
`derived_secret(secret_key, "grant")` or `"ticket"`, so a ticket can never pass for a grant.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, TypedDict, cast

from salon.config.environment import derived_secret

Json = dict[str, Any]
TICKET_SECS = 60
"""How long a ticket may be taken."""
# Far above any real grant (about 500 characters), far below what would cost time to hash.
_LONGEST = 8192


class SignedFace(TypedDict):
    id: str
    handle: str
    name: str
    picture: str | None


class Grant(TypedDict):
    """What web lets one session at the media process do. `id` is for single use; `epoch` dies with removal, ban and logout."""

    id: str
    session: str
    room: str
    person: str
    """A person's id, or a visitor's."""
    face: SignedFace | None
    direction: str
    """"listen" or "speak"."""
    epoch: int
    expires: int
    """Unix seconds."""


class Ticket(TypedDict):
    """Who opens a socket at the gateway. Exactly one of `person` and `visitor` is set.

    Single use: the gateway remembers `id` until `expires`.
    """

    id: str
    person: str | None
    visitor: str | None
    language: str
    expires: int


class SignatureRefused(Exception):
    """Not signed by us for this purpose, or damaged."""


class SignatureExpired(SignatureRefused):
    """Signed by us, but too old."""


def sign_grant(grant: Grant, secret_key: str) -> str:
    return sign(dict(grant), derived_secret(secret_key, "grant"))


def sign_ticket(ticket: Ticket, secret_key: str) -> str:
    return sign(dict(ticket), derived_secret(secret_key, "ticket"))


def read_grant(signed: str, secret_key: str, *, now: float) -> Grant:
    """now: Unix seconds. Raises SignatureRefused, SignatureExpired."""
    return cast(Grant, _checked(signed, derived_secret(secret_key, "grant"), Grant, now))


def read_ticket(signed: str, secret_key: str, *, now: float) -> Ticket:
    """now: Unix seconds. Raises SignatureRefused, SignatureExpired."""
    return cast(Ticket, _checked(signed, derived_secret(secret_key, "ticket"), Ticket, now))


def sign(message: Json, key: str) -> str:
    body = _encode(json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    return f"{body}.{_encode(_mac(body, key))}"


def verify(signed: str, key: str) -> Json:
    """The message, if we signed it with this key. Raises SignatureRefused. Looks at no expiry."""
    if len(signed) > _LONGEST or not signed.isascii():
        raise SignatureRefused
    body, _, signature = signed.partition(".")
    # Compared as text, so that no second spelling of the same signature passes.
    if not hmac.compare_digest(_encode(_mac(body, key)), signature):
        raise SignatureRefused
    try:
        message = json.loads(_decode(body))
    except (ValueError, binascii.Error) as error:
        raise SignatureRefused from error
    if not isinstance(message, dict):
        raise SignatureRefused
    return message


def _checked(signed: str, key: str, shape: type, now: float) -> Json:
    message = verify(signed, key)
    if message.keys() != shape.__annotations__.keys() or not isinstance(message["expires"], int):
        raise SignatureRefused
    if now >= message["expires"]:
        raise SignatureExpired
    return message


def _mac(body: str, key: str) -> bytes:
    return hmac.new(key.encode(), body.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
