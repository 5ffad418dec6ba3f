"""An SMTP server as one URL.

`smtp://user:password@host:587` encrypts by STARTTLS where a user is named; `smtps://user:password@host:465` from the first byte.
"""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from salon.config.environment import ConfigurationError


@dataclass(frozen=True, slots=True)
class Smtp:
    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool
    start_tls: bool


def parse_smtp_url(url: str) -> Smtp:
    """User and password may be percent-encoded. Without a user, `smtp://` stays unencrypted: a relay on the own machine.

    Raises ConfigurationError.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"SALON_SMTP_URL makes no sense: {error}.") from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ConfigurationError("SALON_SMTP_URL must look like smtp://user:password@host:587 or smtps://user:password@host:465.")
    implicit_tls = parts.scheme == "smtps"
    return Smtp(
        host=parts.hostname,
        port=port or (465 if implicit_tls else 587 if parts.username else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        implicit_tls=implicit_tls,
        start_tls=not implicit_tls and bool(parts.username),
    )
