"""Pinned links: what is an address that people may be led to, and how many there may be."""

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import Url

from salon.conversation.domain.participant import Participant, Terms, require_moderator
from salon.conversation.enums import Part
from salon.conversation.errors import TooManyLinks

PINNED_MAX = 3
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Address:
    """url: normalised, ASCII only. host: where a browser would really go, so it is what people are shown."""

    url: str
    host: str


def parse_address(text: str) -> Address | None:
    """None for what is no `http` or `https` URL with a host, and for one that carries a name or password.

    The parser is the one that browsers agree on (WHATWG URL, by the crate `url`): what it says the host is, no browser takes for another.
    A name before an `@` would be read as the host by people, and a password has no business in a room.
    """
    try:
        url = Url(text)
    except ValidationError:
        return None
    if url.scheme not in _SCHEMES or not url.host or url.username is not None or url.password is not None:
        return None
    return Address(str(url), url.host)


def require_may_pin(terms: Terms, participant: Participant, *, pinned: int) -> None:
    """Raises RoomEnded, NotInRoom, NotAModerator, SwitchedOff, TooManyLinks."""
    require_moderator(terms, participant, Part.LINKS)
    if pinned >= PINNED_MAX:
        raise TooManyLinks
