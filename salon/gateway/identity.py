"""Who a socket speaks for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, or a visitor; exactly one of the two is set."""

    person: str | None
    visitor: str | None
