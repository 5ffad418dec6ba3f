"""What web looks at in SDP before the media process does: its size, its kind, and whether a fragment asks for anything.

RFC 8840 (trickle ICE fragments), RFC 9725 section 4.3 (WHIP's use of them). The engine alone understands offers.
"""

import re

from salon.common.errors import TooLarge
from salon.rooms.errors import InvalidSdp

LONGEST = 32 * 1024
_UFRAG = re.compile(r"^a=ice-ufrag:\S", re.MULTILINE)


def read_sdp(body: bytes) -> str:
    """Raises TooLarge, InvalidSdp."""
    if len(body) > LONGEST:
        raise TooLarge
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidSdp from None
    if not text.strip() or "\0" in text:
        raise InvalidSdp
    return text


def names_credentials(fragment: str) -> bool:
    """Whether a fragment carries ICE credentials, without which it can only carry candidates."""
    return _UFRAG.search(fragment) is not None
