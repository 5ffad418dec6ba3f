"""How often one may ask for what costs others something, in django-allauth's notation: `3/m/key` is three a minute for one key.

Per `ip` is per address the gateway saw, per `key` per e-mail address or phone number, per `user` per person.
"""

# A code has a million values and three attempts: at ten an hour for one account, a guesser's chance is under one in a thousand a day.
_SIGN_IN = {
    "request_login_code": "20/m/ip,3/m/key,10/h/key",
    "signup": "10/m/ip,60/h/ip",
    "confirm_email": "3/m/key,10/h/key",
    "verify_phone": "10/m/ip,3/m/key,10/h/key",
    "change_phone": "3/m/user",
    "manage_email": "10/m/user",
}
_PASSKEYS = {"webauthn_login": "20/m/ip"}
# Nothing limits what is as cheap as saying no: tickets, which after an outage everybody takes at once, and looking at an invitation.
_API = {
    # Each one holds a handle and sends a mail to an address that the caller need not own.
    "waiting": "10/h/ip,3/h/key",
    # Each one may send a mail.
    "invitation": "20/h/user",
    "token": "20/h/user",
    # Decoding an image is the dearest thing a single request can ask for.
    "picture": "10/m/user",
    # A handle that changes often is a disguise.
    "handle": "5/d/user",
}


def sign_in_limits(*, is_development: bool) -> dict[str, str]:
    return _suited(_SIGN_IN, is_development)


def passkey_limits(*, is_development: bool) -> dict[str, str]:
    return _suited(_PASSKEYS, is_development)


def api_limits(*, is_development: bool) -> dict[str, str]:
    return _suited(_API, is_development)


def _suited(limits: dict[str, str], is_development: bool) -> dict[str, str]:
    """On a development installation everybody, the tests included, comes from one address: limits per address are left out there."""
    if not is_development:
        return limits
    return {name: ",".join(rate for rate in rates.split(",") if not rate.endswith("/ip")) for name, rates in limits.items()}
