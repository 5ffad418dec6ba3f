"""How often somebody may ask for what costs others something. Sign-in and sign-up limits are ACCOUNT_RATE_LIMITS in the settings.

Counted where allauth counts its own, in Django's cache, which all web processes share.
"""

from allauth.core.internal import ratelimit
from django.http import HttpRequest

from salon.common.errors import TooManyRequests

_LIMITS = {
    # Each one holds a handle and sends a mail to an address that the caller need not own.
    "waiting": "10/h/ip,3/h/key",
    # Each one may send a mail.
    "invitation": "20/h/user",
    # Codes carry 128 bits; this only keeps a guesser from being a load.
    "invitation_shown": "60/m/ip",
    "token": "20/h/user",
    # Decoding an image is the dearest thing a single request can ask for.
    "picture": "10/m/user",
    # A handle that changes often is a disguise.
    "handle": "5/d/user",
    # A client takes one for each socket; reconnections after an outage come in bursts.
    "ticket": "120/m/ip",
}
_RETRY_AFTER_SECS = {"h": 3600, "m": 60, "d": 24 * 3600}


def consume(request: HttpRequest, action: str, *, key: str | None = None, person: object = None) -> None:
    """Count one. Raises TooManyRequests."""
    usage = ratelimit.consume(request, app="salon.accounts", action=action, config=_LIMITS, key=key, user=person, limit_get=True)
    if usage is None:
        raise TooManyRequests(retry_after_secs=_RETRY_AFTER_SECS[_LIMITS[action].split("/")[1]])
