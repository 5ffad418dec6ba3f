"""Counting what rate limits allow, where allauth counts its own: in Django's cache, which all web processes share."""

from allauth.core.internal import ratelimit
from django.http import HttpRequest

from salon.common.errors import TooManyRequests
from salon.config.environment import environment
from salon.config.rate_limits import api_limits

_RETRY_AFTER_SECS = {"m": 60, "h": 3600, "d": 24 * 3600}


def consume(request: HttpRequest, action: str, *, key: str | None = None, person: object = None) -> None:
    """Count one `action` of salon.config.rate_limits. Raises TooManyRequests."""
    limits = api_limits(is_development=environment().is_development)
    usage = ratelimit.consume(request, app="salon.accounts", action=action, config=limits, key=key, user=person, limit_get=True)
    if usage is None:
        raise TooManyRequests(retry_after_secs=_RETRY_AFTER_SECS[limits[action].split("/")[1]])


def client_address(request: HttpRequest) -> str:
    """What limits per address count (ALLAUTH_TRUSTED_PROXY_COUNT): the address the gateway saw; of IPv6 the network of 64 bits, since a
    subscriber has all of its addresses (RFC 6177)."""
    return str(ratelimit.get_ip(request))
