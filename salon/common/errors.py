"""The root of every error that a person may see, and those that belong to no app. Each app has its family in its own `errors.py`.

HTTP statuses and close codes are not here: the edge assigns them by code in one table (`salon/api/statuses.py`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class SalonError(Exception):
    """A refusal with a stable `code` and a translated sentence. Nothing has been changed when one is raised.

    field: the input at fault, or None. retry_after_secs: set where asking again later can succeed. more: what the body says beside code,
    message and field.
    """

    code: ClassVar[str]
    message: ClassVar[str | Promise]
    retry_after_secs: int | None = None
    more: Mapping[str, object] = MappingProxyType({})

    def __init__(self, *, message: str | Promise | None = None, field: str | None = None) -> None:
        self.sentence = message if message is not None else self.message
        self.field = field
        super().__init__(self.code)


class Invalid(SalonError):
    """An input cannot be used as it is; the message says why."""

    code = "invalid"
    message = _("This value cannot be used.")


class NotFound(SalonError):
    """Missing, or private: nobody can tell which."""

    code = "not_found"
    message = _("There is nothing here, or it is not for you.")


class TooLarge(SalonError):
    """More bytes than the limit of docs/protocol.md section 9."""

    code = "too_large"
    message = _("This is too large.")


class TooManyRequests(SalonError):
    """A rate limit was reached."""

    code = "too_many_requests"
    message = _("Too many requests. Wait a moment and try again.")

    def __init__(self, *, retry_after_secs: int) -> None:
        super().__init__()
        self.retry_after_secs = retry_after_secs
